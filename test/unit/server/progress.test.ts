// Progress notifications for clients, and the progress bar on a terminal.
import type { ServerContext } from '@modelcontextprotocol/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { progressBar } from '../../../src/cli/io/progress-bar.ts'
import { startProgressReporter } from '../../../src/server/progress.ts'

interface Received {
  at: number
  progress: number
  total?: number
  message: string
}

function listen(progressToken?: string) {
  const received: Received[] = []
  const notify = async ({ params }: { params: Received }) =>
    void received.push({ ...params, at: performance.now() })
  const context = {
    mcpReq: { _meta: { progressToken }, notify, signal: new AbortController().signal },
  } as unknown as ServerContext
  return { received, reporter: startProgressReporter(context) }
}

describe('progress notifications', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('progress is sent at most four times a second', async () => {
    const { received, reporter } = listen('t')
    for (let i = 1; i <= 1000; i++) {
      reporter.report({ done: i, total: 1000, message: `step ${i}` })
      await vi.advanceTimersByTimeAsync(2)
    }
    reporter.stop()
    expect(received.length).toBeLessThanOrEqual(10)
    for (let i = 1; i < received.length; i++)
      expect(received[i]!.at - received[i - 1]!.at).toBeGreaterThanOrEqual(250)
    expect(received.length).toBeGreaterThanOrEqual(8)
  })

  it('the last progress leaves well before the result, and an update that comes later is dropped', async () => {
    const { received, reporter } = listen('t')
    reporter.report({ done: 1, message: 'one' })
    await vi.advanceTimersByTimeAsync(100)
    expect(received).toHaveLength(1)
    reporter.report({ done: 2, message: 'two' })
    let isOver = false
    const stopped = reporter.stop().then(() => {
      isOver = true
    })
    await vi.advanceTimersByTimeAsync(40)
    expect(isOver).toBe(false)
    await vi.advanceTimersByTimeAsync(10)
    await stopped
    await vi.advanceTimersByTimeAsync(1_000)
    expect(received).toHaveLength(1)
  })

  it('an update that the result follows at once is not sent, and the result does not wait', async () => {
    const { received, reporter } = listen('t')
    await vi.advanceTimersByTimeAsync(1_000)
    reporter.report({ done: 1, message: 'all is done' })
    await vi.advanceTimersByTimeAsync(20)
    await reporter.stop()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(received).toEqual([])
  })

  it('a call that is over at once reports nothing, and its result does not wait', async () => {
    const { received, reporter } = listen('t')
    reporter.report({ done: 1, message: 'one' })
    await reporter.stop()
    expect(received).toEqual([])
  })

  it('progress is sent at least every five seconds and increases, even if nothing happens', async () => {
    const { received, reporter } = listen('t')
    reporter.report({ done: 3, message: 'waiting' })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(received.length).toBeGreaterThanOrEqual(12)
    for (let i = 1; i < received.length; i++) {
      expect(received[i]!.at - received[i - 1]!.at).toBeLessThanOrEqual(5000)
      expect(received[i]!.progress).toBeGreaterThan(received[i - 1]!.progress)
    }
    reporter.stop()
  })

  it('progress increases in what is sent, however finely it is counted', async () => {
    const { received, reporter } = listen('t')
    // Eight channels have steps of 2.5 ms.
    for (let step = 1; step < 40; step++) {
      reporter.report({ done: 1 + step * 0.0025, message: 'on' })
      await vi.advanceTimersByTimeAsync(step % 2 === 0 ? 300 : 20_000)
    }
    reporter.stop()
    for (let i = 1; i < received.length; i++)
      expect(received[i]!.progress).toBeGreaterThan(received[i - 1]!.progress)
  })

  it('progress never exceeds the total', async () => {
    const { received, reporter } = listen('t')
    reporter.report({ done: 12, total: 10, message: 'over' })
    await vi.advanceTimersByTimeAsync(100)
    reporter.stop()
    expect(received[0]!.progress).toBeLessThanOrEqual(received[0]!.total!)
  })

  it('progress stops with the call, and is not sent unless requested', async () => {
    const { received, reporter } = listen('t')
    reporter.report({ done: 1, message: 'one' })
    reporter.stop()
    const silent = listen()
    silent.reporter.report({ done: 1, message: 'one' })
    const before = received.length
    await vi.advanceTimersByTimeAsync(60_000)
    expect(received.length).toBe(before)
    expect(silent.received).toEqual([])
  })
})

describe('the progress bar', () => {
  function terminal(isTTY: boolean, columns = 80) {
    const written: string[] = []
    const stream = { isTTY, columns, write: (text: string) => written.push(text) }
    return { written, bar: progressBar(stream as unknown as NodeJS.WriteStream) }
  }

  it('the progress bar fills up and is cleared', () => {
    const { written, bar } = terminal(true)
    bar.show({ done: 50, total: 100, message: 'Transcribed 0:50 of 1:40' })
    expect(written[0]).toMatch(/█{15}░{15} +50 % Transcribed 0:50 of 1:40$/)
    bar.clear()
    expect(written[1]).toBe('\r\x1b[K')
  })

  it('the progress bar fits the terminal’s width', () => {
    const { written, bar } = terminal(true, 40)
    bar.show({ done: 1, total: 2, message: 'x'.repeat(100) })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the terminal's own
    expect(written[0]!.replace(/^\r\x1b\[K/, '').length).toBeLessThan(40)
  })

  it('the progress bar prints nothing if stderr is not a terminal', () => {
    const { written, bar } = terminal(false)
    bar.show({ done: 1, total: 2, message: 'x' })
    bar.clear()
    expect(written).toEqual([])
  })
})
