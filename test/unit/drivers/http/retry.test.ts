// Retries: which errors are repeated, how often, after which pauses, and how an aborted signal ends them.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { cancelled, type ErrorCode, SpeechError } from '../../../../src/domain/errors.ts'
import { type RetryOptions, retry } from '../../../../src/drivers/http/retry.ts'
import { log } from '../../../../src/log.ts'
import { failure } from '../../../support/failure.ts'

const error = (code: ErrorCode, retryable: boolean) =>
  new SpeechError(code, 'It failed.', { hint: 'Wait.', retryable })
const passing = error('PROVIDER_FAILED', true)
const throttled = error('THROTTLED', true)

const asking = (retryAfter: number) =>
  new SpeechError('THROTTLED', 'It failed.', { hint: 'Wait.', retryable: true, cause: { retryAfter } })

/** Fails with each of these in turn, then succeeds; counts its calls. */
function failing(...errors: unknown[]) {
  return vi.fn(async (number: number) => {
    if (number <= errors.length) throw errors[number - 1]
    return 'done'
  })
}

/** Makes each pause end at once, and collects its milliseconds. */
function collectPauses(random = 0): number[] {
  const pauses: number[] = []
  vi.spyOn(Math, 'random').mockReturnValue(random)
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((end: () => void, ms: number) => {
    pauses.push(ms)
    return setImmediate(end)
  }) as unknown as typeof setTimeout)
  return pauses
}

const quick: RetryOptions = { firstDelaySeconds: 1e-6 }

beforeEach(() => {
  vi.restoreAllMocks()
  vi.spyOn(log, 'info').mockImplementation(() => {})
})

describe('retry: which errors', () => {
  it('repeats an attempt until it succeeds, and passes its number', async () => {
    const attempt = failing(passing, throttled)
    expect(await retry(attempt, quick)).toBe('done')
    expect(attempt.mock.calls).toEqual([[1], [2], [3]])
  })

  it.each<[string, unknown]>([
    ['an error that says it is permanent', error('PROVIDER_REFUSED', false)],
    ['a bug', new TypeError('oops')],
    ['an error of another kind', new Error('oops')],
    ['a value that is no error', 'oops'],
  ])('rejects at once with %s, unchanged', async (_, thrown) => {
    const attempt = failing(thrown)
    await expect(retry(attempt, quick)).rejects.toBe(thrown)
    expect(attempt).toHaveBeenCalledTimes(1)
  })

  it('repeats whichever errors the caller names, a TypeError too', async () => {
    const attempt = failing(new TypeError('oops'), 'oops')
    expect(await retry(attempt, { ...quick, isRetryable: () => true })).toBe('done')
  })

  it('a retry gives up with the last error after the given number of attempts', async () => {
    const last = error('PROVIDER_TIMEOUT', true)
    const attempt = failing(passing, passing, last, passing)
    await expect(retry(attempt, { ...quick, maxAttempts: 3 })).rejects.toBe(last)
    expect(attempt).toHaveBeenCalledTimes(3)
  })

  it.each<[SpeechError, number]>([
    [throttled, 5],
    [passing, 2],
  ])('takes the number of attempts from a table by error code (case %#)', async (stays, attempts) => {
    const attempt = failing(...Array(9).fill(stays))
    const maxAttempts = { THROTTLED: 5, default: 2 }
    await expect(retry(attempt, { ...quick, maxAttempts })).rejects.toBe(stays)
    expect(attempt).toHaveBeenCalledTimes(attempts)
  })
})

describe('retry: pauses', () => {
  it.each([
    [0, [500, 1000, 2000]],
    [0.5, [750, 1500, 3000]],
    [1, [1000, 2000, 4000]],
  ])(
    'doubles each pause, and takes up to half of it away as jitter (random %s)',
    async (random, expected) => {
      const pauses = collectPauses(random)
      await retry(failing(passing, passing, passing), { firstDelaySeconds: 1 })
      expect(pauses).toEqual(expected)
    },
  )

  it('never pauses longer than the limit', async () => {
    const pauses = collectPauses(1)
    await retry(failing(passing, passing, passing), { firstDelaySeconds: 1, maxDelaySeconds: 1.5 })
    expect(pauses).toEqual([1000, 1500, 1500])
  })

  it('a retry keeps the jitter of pauses at the limit, so that workers do not retry in step', async () => {
    const pauses = collectPauses(0)
    await retry(failing(passing, passing, passing), { firstDelaySeconds: 1, maxDelaySeconds: 1.5 })
    expect(pauses).toEqual([500, 750, 750])
  })

  it('a retry waits as long as the server asks, if that is longer than its own pause', async () => {
    const pauses = collectPauses(1)
    const attempt = failing(asking(30), asking(0.1))
    expect(await retry(attempt, { firstDelaySeconds: 1 })).toBe('done')
    expect(pauses).toEqual([30_000, 2000])
  })

  it('a retry cuts a wait of hours or years to two minutes, once, and then says for how long it should wait', async () => {
    for (const [seconds, told] of [
      [2400, 'It asks to wait 40 minutes.'],
      [Number.POSITIVE_INFINITY, 'It asks to wait for years.'],
    ] as const) {
      const pauses = collectPauses(1)
      const attempt = failing(asking(seconds), asking(seconds), asking(seconds))
      const error = await failure(retry(attempt, { firstDelaySeconds: 1 }))
      expect(pauses).toEqual([120_000])
      expect(error).toMatchObject({ code: 'THROTTLED', retryable: true })
      expect(error.message).toContain(told)
    }
  })

  it('compares the whole pause with the time for all attempts', async () => {
    const pauses = collectPauses(1)
    const attempt = failing(passing, passing)
    await expect(retry(attempt, { firstDelaySeconds: 1, maxTotalSeconds: 0.9 })).rejects.toBe(passing)
    expect(pauses).toEqual([])
  })

  it('a retry starts no attempt after the time for all of them', async () => {
    collectPauses()
    let ms = 0
    vi.spyOn(performance, 'now').mockImplementation(() => ms)
    const attempt = vi.fn(async () => {
      ms += 40
      throw passing
    })
    await expect(retry(attempt, { firstDelaySeconds: 1e-3, maxTotalSeconds: 0.1 })).rejects.toBe(passing)
    expect(attempt).toHaveBeenCalledTimes(3)
  })

  it('a retry does not begin a pause that would outlast the time for all attempts', async () => {
    const pauses = collectPauses()
    const attempt = failing(passing, passing)
    await expect(retry(attempt, { firstDelaySeconds: 4, maxTotalSeconds: 3 })).rejects.toBe(passing)
    expect(attempt).toHaveBeenCalledTimes(2)
    expect(pauses).toEqual([2000])
  })
})

describe('retry: an aborted signal', () => {
  it('a retry makes no attempt when it was aborted before', async () => {
    const reason = cancelled()
    const attempt = failing()
    await expect(retry(attempt, { ...quick, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(attempt).not.toHaveBeenCalled()
  })

  it.each<[string, unknown, unknown]>([
    ['the reason when it is cancelled', cancelled(), undefined],
    ['the reason when that is no error', 'enough', undefined],
    ['the last error when it times out', new DOMException('', 'TimeoutError'), throttled],
  ])('ends a pause with %s', async (_, reason, expected) => {
    const call = new AbortController()
    const attempt = failing(throttled)
    const work = retry(attempt, { firstDelaySeconds: 1000, signal: call.signal })
    vi.mocked(log.info).mockImplementation(() => setImmediate(() => call.abort(reason)))
    await expect(work).rejects.toBe(expected ?? reason)
    expect(attempt).toHaveBeenCalledTimes(1)
  })

  it('a retry ends the wait that the server asked for', async () => {
    const call = new AbortController()
    const reason = cancelled()
    const options = { ...quick, signal: call.signal }
    vi.mocked(log.info).mockImplementation(() => setImmediate(() => call.abort(reason)))
    await expect(retry(failing(asking(100)), options)).rejects.toBe(reason)
  })

  it('a retry keeps a success that arrives as the signal aborts, since it may have been paid for', async () => {
    const call = new AbortController()
    const attempt = vi.fn(async () => {
      call.abort(cancelled())
      return 'paid'
    })
    expect(await retry(attempt, { ...quick, signal: call.signal })).toBe('paid')
    expect(attempt).toHaveBeenCalledTimes(1)
  })
})
