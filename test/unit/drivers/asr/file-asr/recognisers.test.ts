// Retries and rate limits of file recognition, over all models and callers.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { cancelled, type ErrorCode, SpeechError } from '../../../../../src/domain/errors.ts'
import { knownModels } from '../../../../../src/domain/models/catalog.ts'
import type { FileRecogniser } from '../../../../../src/domain/ports.ts'
import {
  type FileRecognisersOptions,
  fileRecognisers,
  withLimits,
  withRetries,
} from '../../../../../src/drivers/asr/file-asr/recognisers.ts'
import { createThrottle } from '../../../../../src/drivers/asr/file-asr/throttle.ts'
import { dashscope } from '../../../../../src/drivers/http/dashscope.ts'
import { createHttpClient, type HttpClient } from '../../../../../src/drivers/http/http.ts'
import { createAdaptiveRateLimiter } from '../../../../../src/drivers/http/rate-limiter.ts'
import { log } from '../../../../../src/log.ts'
import { apiKey, never } from '../../../../support/servers/dashscope-client.ts'
import { safeFailure, submitted, url } from '../../../../support/servers/file-recogniser.ts'
import { reply, startTaskServer, type TaskServer } from '../../../../support/servers/task-server.ts'

afterEach(() => vi.restoreAllMocks())

/** A recogniser that fails with each of these in turn, then succeeds. */
function failing(...errors: unknown[]): FileRecogniser & { calls: string[] } {
  const calls: string[] = []
  const respond = async <T>(name: string, value: T): Promise<T> => {
    calls.push(name)
    if (calls.length <= errors.length) throw errors[calls.length - 1]
    return value
  }
  return {
    model: 'fake',
    key: 'fake',
    calls,
    limits: { maxSeconds: 1, maxBytes: 1 },
    capabilities: { text: true, speakers: true },
    submit: () => respond('submit', 't'),
    status: () => respond('status', { state: 'running' }),
    now: async () => Date.now(),
    listTasks: () => respond('tasks', []),
    cancel: () => respond('cancel', undefined),
  }
}

const error = (code: ErrorCode, retryable: boolean) =>
  new SpeechError(code, 'It failed.', { hint: 'Wait.', retryable })
const passing = error('PROVIDER_FAILED', true)
const throttled = error('THROTTLED', true)

/** Every method of a recogniser. */
const methods: [string, (recogniser: FileRecogniser, signal: AbortSignal) => Promise<unknown>][] = [
  ['submit', (to, signal) => to.submit({ url }, signal)],
  ['status', (to, signal) => to.status('t', signal)],
  ['tasks', (to, signal) => to.listTasks(0, 1, signal)],
  ['cancel', (to, signal) => to.cancel('t', signal)],
]

describe('file recognition with retries', () => {
  const quick = { firstDelaySeconds: 1e-6 }

  it.each(methods)('retries %s after errors that may pass', async (name, ask) => {
    const inner = failing(throttled, passing, error('PROVIDER_UNREACHABLE', true))
    await ask(withRetries(inner, quick), never)
    expect(inner.calls).toEqual([name, name, name, name])
  })

  it.each(methods)('gives up %s after four attempts, or ten while it is throttled', async (_, ask) => {
    for (const [last, attempts] of [
      [passing, 4],
      [throttled, 10],
    ] as const) {
      const inner = failing(...Array(20).fill(last))
      await expect(ask(withRetries(inner, quick), never)).rejects.toBe(last)
      expect(inner.calls).toHaveLength(attempts)
    }
  })

  it.each<[string, unknown]>([
    ['may have made a task', error('SUBMIT_UNCLEAR', false)],
    ['needs another address', error('UPLOAD_UNREACHABLE', true)],
    ['is refused permanently', error('PROVIDER_REFUSED', false)],
  ])('does not retry a submit that %s', async (_, permanent) => {
    const inner = failing(permanent)
    await expect(withRetries(inner, quick).submit({ url }, never)).rejects.toBe(permanent)
    expect(inner.calls).toHaveLength(1)
  })

  it('rejects with the last error when the time is up, and with the reason when it is cancelled', async () => {
    for (const reason of [new DOMException('', 'TimeoutError'), cancelled()]) {
      const call = new AbortController()
      vi.spyOn(log, 'info').mockImplementation(() => setImmediate(() => call.abort(reason)))
      const submit = withRetries(failing(throttled), { firstDelaySeconds: 1000 }).submit({ url }, call.signal)
      await expect(submit).rejects.toBe(reason instanceof SpeechError ? reason : throttled)
    }
  })
})

describe('file recognition within rate limits', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** Collects when each request reaches the provider, in milliseconds. */
  function timed(inner = failing()): FileRecogniser & { at: number[] } {
    const at: number[] = []
    const record = <T>(response: Promise<T>) => {
      at.push(Date.now())
      return response
    }
    return {
      ...inner,
      at,
      submit: (...args) => record(inner.submit(...args)),
      status: (...args) => record(inner.status(...args)),
      listTasks: (...args) => record(inner.listTasks(...args)),
      cancel: (...args) => record(inner.cancel(...args)),
    }
  }

  const limits = (perMinute = 100) => ({
    limiter: createAdaptiveRateLimiter({ perMinute, concurrency: 4 }),
    throttle: createThrottle(15),
  })

  it('file recognition within rate limits keeps a burst of queries for two models within twenty a second, and runs all of them', async () => {
    const inner = timed()
    const shared = limits()
    const both = [withLimits(inner, shared), withLimits(inner, { ...limits(), throttle: shared.throttle })]
    const burst = Array.from({ length: 90 }, (_, i) => methods[1 + (i % 3)]![1](both[i % 2]!, never))
    await vi.runAllTimersAsync()
    await Promise.all(burst)
    expect(inner.at).toHaveLength(90)
    for (const start of inner.at)
      expect(inner.at.filter(at => at >= start && at < start + 1000).length).toBeLessThanOrEqual(20)
  })

  it('sends no burst after the process was suspended', async () => {
    const inner = timed()
    const recogniser = withLimits(inner, limits())
    const burst = Array.from({ length: 30 }, () => recogniser.status('t', never))
    await vi.advanceTimersByTimeAsync(500)
    const before = inner.at.length
    // Ten seconds pass in which no timer fires.
    const now = performance.now.bind(performance)
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 10_000)
    await vi.advanceTimersByTimeAsync(100)
    expect(inner.at.length - before).toBeLessThanOrEqual(2)
    await vi.runAllTimersAsync()
    await Promise.all(burst)
  })

  it('file recognition within rate limits holds queries for a second after one is throttled', async () => {
    const inner = timed(failing(throttled))
    const recogniser = withLimits(inner, limits())
    const first = expect(recogniser.status('t', never)).rejects.toBe(throttled)
    await vi.advanceTimersByTimeAsync(0)
    const second = recogniser.status('t', never)
    await vi.advanceTimersByTimeAsync(999)
    expect(inner.at).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(inner.at).toHaveLength(2)
    await Promise.all([first, second])
  })

  it('rejects a waiting query that is aborted, and lets the next one in', async () => {
    const inner = timed()
    const recogniser = withLimits(inner, limits())
    const call = new AbortController()
    const reason = cancelled()
    const [first, second] = [recogniser.status('t', never), recogniser.status('t', call.signal)]
    const third = recogniser.status('t', never)
    const aborted = expect(second).rejects.toBe(reason)
    call.abort(reason)
    await aborted
    await vi.runAllTimersAsync()
    await Promise.all([first, third])
    expect(inner.at).toHaveLength(2)
    await expect(recogniser.status('t', call.signal)).rejects.toBe(reason)
    expect(inner.at).toHaveLength(2)
  })

  it('file recognition within rate limits keeps submits to the rate of the model, without holding queries', async () => {
    const inner = timed()
    const recogniser = withLimits(inner, limits(2))
    const submits = Promise.all([1, 2, 3].map(() => recogniser.submit({ url }, never)))
    const query = recogniser.status('t', never)
    await vi.advanceTimersByTimeAsync(59_000)
    expect(inner.at).toHaveLength(3)
    await query
    await vi.runAllTimersAsync()
    await submits
    expect(inner.at.at(-1)).toBe(60_000)
  })

  it('reports throttling when a submit waits for the rate limiter longer than its time limit', async () => {
    const inner = timed()
    const recogniser = withLimits(inner, limits(1))
    await recogniser.submit({ url }, never)
    const call = new AbortController()
    const late = safeFailure(recogniser.submit({ url }, call.signal))
    call.abort(new DOMException('', 'TimeoutError'))
    expect(await late).toMatchObject({ code: 'THROTTLED', retryable: true })
    expect(inner.at).toHaveLength(1)
  })

  it('slows submits down after one is throttled', async () => {
    const { limiter, throttle } = limits()
    const backOff = vi.spyOn(limiter, 'backOff')
    const recogniser = withLimits(failing(throttled), { limiter, throttle })
    await expect(recogniser.submit({ url }, never)).rejects.toBe(throttled)
    expect(backOff).toHaveBeenCalledOnce()
  })
})

describe('the two recognisers', () => {
  let server: TaskServer
  let http: HttpClient
  beforeAll(async () => {
    server = await startTaskServer()
    http = createHttpClient({ connections: 8 })
  })
  afterAll(() => Promise.all([http.close(), server.close()]))

  function open(models: Pick<FileRecognisersOptions, 'speakerModels' | 'fileModels'>) {
    const cloud = dashscope({ apiKey, baseUrl: server.baseUrl, http })
    const unavailableModels = { has: async () => false, add: async () => {} }
    return fileRecognisers({
      cloud,
      http,
      ...models,
      unavailableModels,
      retries: { firstDelaySeconds: 1e-6 },
    })
  }

  it('the two recognisers have their own models and roles', () => {
    const {
      speakerRecognisers: {
        members: [speakerRecogniser],
      },
      fileRecognisers: {
        members: [fileRecogniser],
      },
    } = open({
      speakerModels: [knownModels.find('fun-asr', 'speakers')],
      fileModels: [knownModels.find('fun-asr', 'words')],
    })
    expect(speakerRecogniser).toMatchObject({
      model: 'fun-asr',
      capabilities: { text: false, speakers: true },
    })
    expect(fileRecogniser).toMatchObject({ model: 'fun-asr', capabilities: { text: true, speakers: false } })
  })

  it('the two recognisers retry a submit that is throttled', async () => {
    const {
      fileRecognisers: {
        members: [fileRecogniser],
      },
    } = open({
      speakerModels: [knownModels.find('fun-asr-mtl', 'speakers')],
      fileModels: [knownModels.find('qwen3-asr-flash-filetrans', 'words')],
    })
    server.respondInTurn(reply(429, { code: 'Throttling.RateQuota' }), reply(200, submitted))
    expect(await fileRecogniser!.submit({ url }, never)).toBe('c2e5d63b')
    expect(server.requests).toHaveLength(2)
  })
})
