// Retries of speech recognition: which errors are repeated, how often, and how a retried request is sent.
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { cancelled, type ErrorCode, SpeechError } from '../../../../src/domain/errors.ts'
import type { Recogniser } from '../../../../src/domain/ports.ts'
import { asrRetries } from '../../../../src/drivers/asr/retries.ts'
import { createHttpClient } from '../../../../src/drivers/http/http.ts'
import type { RetryOptions } from '../../../../src/drivers/http/retry.ts'
import { retrying, wrap } from '../../../../src/drivers/http/wrap.ts'
import { log } from '../../../../src/log.ts'
import { chunk, never, recogniserOf, success } from '../../../support/servers/dashscope-client.ts'
import { reply, startTaskServer, type TaskServer } from '../../../support/servers/task-server.ts'

/** A recogniser that fails with each of these in turn, then succeeds. */
function failing(...errors: Error[]): Recogniser & { calls: number } {
  return {
    model: 'fake',
    limits: { maxSeconds: 1, minSeconds: 1, concurrency: 1 },
    calls: 0,
    async recognise() {
      const error = errors[this.calls++]
      if (error) throw error
      return { text: 'recognised' }
    },
  }
}

const error = (code: ErrorCode, retryable: boolean) =>
  new SpeechError(code, 'It failed.', { hint: 'Wait.', retryable })
const passing = error('PROVIDER_FAILED', true)
const throttled = error('THROTTLED', true)

const withRetries = (
  recogniser: Recogniser,
  overrides: Partial<RetryOptions> = { firstDelaySeconds: 1e-6 },
) => wrap(recogniser, ['recognise'], retrying({ ...asrRetries, ...overrides }))

beforeEach(() => {
  vi.restoreAllMocks()
  vi.spyOn(log, 'info').mockImplementation(() => {})
})

describe('a recogniser with retries', () => {
  it('a recogniser with retries keeps its properties', () => {
    const { recognise: _, ...facts } = withRetries({ ...failing(), usdPerSecond: 2 })
    expect(facts).toMatchObject({ model: 'fake', usdPerSecond: 2, limits: { maxSeconds: 1 } })
  })

  it('repeats a request after errors that may pass', async () => {
    const inner = failing(passing, throttled, passing)
    expect(await withRetries(inner).recognise(chunk, never)).toEqual({ text: 'recognised' })
    expect(inner.calls).toBe(4)
  })

  it.each([
    ['a permanent error', error('PROVIDER_REFUSED', false)],
    ['a recording that the provider cannot fetch', error('UPLOAD_UNREACHABLE', true)],
    ['a bug', new TypeError('oops')],
  ])('does not repeat a request after %s', async (_, permanent) => {
    const inner = failing(permanent)
    await expect(withRetries(inner).recognise(chunk, never)).rejects.toBe(permanent)
    expect(inner.calls).toBe(1)
  })

  it.each([
    ['a failing provider', 4, passing],
    ['throttling', 10, throttled],
  ])('gives up after %s with the last error and %i attempts', async (_, attempts, last) => {
    const inner = failing(...Array(20).fill(last))
    await expect(withRetries(inner).recognise(chunk, never)).rejects.toBe(last)
    expect(inner.calls).toBe(attempts)
  })

  it('a recogniser with retries never pauses longer than twenty seconds', async () => {
    const pauses: number[] = []
    vi.spyOn(Math, 'random').mockReturnValue(1)
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((end: () => void, ms: number) => {
      pauses.push(ms)
      return setImmediate(end)
    }) as unknown as typeof setTimeout)
    await withRetries(failing(passing, passing, passing), { firstDelaySeconds: 1000 }).recognise(chunk, never)
    expect(pauses).toEqual([20_000, 20_000, 20_000])
  })

  it('a recogniser with retries ends a pause when the signal aborts', async () => {
    const call = new AbortController()
    const reason = cancelled()
    vi.mocked(log.info).mockImplementation(() => setImmediate(() => call.abort(reason)))
    const inner = failing(passing)
    await expect(withRetries(inner, {}).recognise(chunk, call.signal)).rejects.toBe(reason)
    expect(inner.calls).toBe(1)
  })
})

describe('a retried request', () => {
  let server: TaskServer
  beforeAll(async () => {
    server = await startTaskServer()
  })
  afterAll(() => server.close())

  it('sends the whole audio with each attempt', async () => {
    const http = createHttpClient({ connections: 1 })
    server.respondInTurn(
      reply(500, { code: 'InternalError' }),
      reply(200, success({ content: [{ text: 'ok' }] })),
    )
    const recogniser = withRetries(recogniserOf(http, { baseUrl: server.baseUrl }))
    expect(await recogniser.recognise(chunk, never)).toMatchObject({ text: 'ok' })
    expect(server.requests).toHaveLength(2)
    expect(server.requests[1]!.body).toBe(server.requests[0]!.body)
    await http.close()
  })
})
