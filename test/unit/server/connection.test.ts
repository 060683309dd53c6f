// Parts of a connection: throttled notifications, disconnect reasons, tracked subscriptions.
import { SdkError, SdkErrorCode } from '@modelcontextprotocol/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { disconnectReasonOf } from '../../../src/server/disconnect.ts'
import { trackSubscriptions } from '../../../src/server/stdio/subscriptions.ts'
import { throttled } from '../../../src/server/throttled.ts'

describe('throttled', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('throttled calls run at once, then once per interval, and the last call is never dropped', async () => {
    const received: number[] = []
    const { call } = throttled(() => received.push(performance.now()), 1000)
    const start = performance.now()
    for (let i = 0; i < 25; i++) {
      call('a')
      await vi.advanceTimersByTimeAsync(100)
    }
    await vi.advanceTimersByTimeAsync(10_000)
    expect(received.map(at => at - start)).toEqual([0, 1000, 2000, 3000])
  })

  it('throttled calls are independent per key, and idle keys are forgotten', async () => {
    const received: string[] = []
    const { call } = throttled(key => received.push(key), 1000)
    call('a')
    call('b')
    await vi.advanceTimersByTimeAsync(5000)
    expect(vi.getTimerCount()).toBe(0)
    call('a')
    expect(received).toEqual(['a', 'b', 'a'])
  })

  it('stopped throttling drops pending calls', async () => {
    const received: string[] = []
    const { call, stop } = throttled(key => received.push(key), 1000)
    call('a')
    call('a')
    stop()
    await vi.advanceTimersByTimeAsync(5000)
    expect(received).toEqual(['a'])
  })
})

describe('the disconnect reason', () => {
  const closed = new SdkError(SdkErrorCode.ConnectionClosed, 'Connection closed')
  it.each([
    ['the v2 SDK gave up waiting', 'SdkError: Request timed out', 'detached'],
    ['the v1 SDK gave up waiting', 'McpError: MCP error -32001: Request timed out', 'detached'],
    ['a timeout signal fired', 'TimeoutError: The operation was aborted due to timeout', 'detached'],
    ['the Go SDK gave up waiting', 'context deadline exceeded', 'detached'],
    ['the Go SDK’s caller cancelled', 'context canceled', 'cancelled'],
    ['an error says that it timed out', new Error('Request timed out'), 'detached'],
    ['its user cancelled', 'AbortError: This operation was aborted', 'cancelled'],
    ['its user cancelled with a custom reason', 'User pressed Escape', 'cancelled'],
    ['a signal had no reason', new DOMException('This operation was aborted', 'AbortError'), 'cancelled'],
    ['of an unknown reason', { why: 7 }, 'cancelled'],
    ['of no reason', undefined, 'cancelled'],
    ['the connection closed', closed, 'detached'],
  ])('a call whose request is aborted because %s has the right disconnect reason', (_, reason, expected) => {
    expect(disconnectReasonOf(reason, false)).toBe(expected)
  })

  it('a closed connection is reported as closed if clients cancel by closing', () => {
    expect(disconnectReasonOf(closed, true)).toBe('disconnected')
    expect(disconnectReasonOf('SdkError: Request timed out', true)).toBe('detached')
  })
})

describe('tracked listen requests', () => {
  function createTracker() {
    const watched: string[] = []
    const tracker = trackSubscriptions(id => {
      watched.push(id)
      return () => void watched.splice(watched.indexOf(id), 1)
    })
    const listen = (id: number, resourceSubscriptions: string[]) =>
      tracker.onMessage({
        jsonrpc: '2.0',
        id,
        method: 'subscriptions/listen',
        params: { notifications: { resourceSubscriptions } },
      })
    const cancel = (requestId: number) =>
      tracker.onMessage({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } })
    return { watched, tracker, listen, cancel }
  }

  it('a listen request watches each transcript once until it is cancelled', () => {
    const { watched, listen, cancel } = createTracker()
    listen(1, ['transcript://a', 'transcript://a/srt', 'transcript://b', 'https://c', 'transcript://d/exe'])
    listen(2, ['transcript://a'])
    expect(watched).toEqual(['a', 'b', 'a'])
    cancel(1)
    cancel(7)
    expect(watched).toEqual(['a'])
  })

  it('at most 100 transcripts are watched, until the connection closes', () => {
    const { watched, listen, cancel, tracker } = createTracker()
    const uris = (from: number) => Array.from({ length: 80 }, (_, i) => `transcript://${from + i}`)
    listen(1, uris(0))
    listen(2, uris(100))
    expect(watched).toHaveLength(100)
    cancel(1)
    expect(watched).toHaveLength(20)
    tracker.close()
    expect(watched).toEqual([])
  })
})
