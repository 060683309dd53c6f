// Wrappers around a driver: the type that stays, the order of the wrappers, metrics, rate limits and retries.
import { describe, expect, it } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import { noMeter } from '../../../../src/domain/meter.ts'
import {
  type AdaptiveRateLimiter,
  createAdaptiveRateLimiter,
} from '../../../../src/drivers/http/rate-limiter.ts'
import { type Around, metering, rateLimiting, retrying, wrap } from '../../../../src/drivers/http/wrap.ts'

const throttled = new SpeechError('THROTTLED', 'It failed.', { hint: 'Wait.', retryable: true })
const failed = new SpeechError('PROVIDER_FAILED', 'It failed.', { hint: 'Wait.', retryable: true })
const { signal } = new AbortController()

/** A driver that fails with each of these in turn, then succeeds. */
const driver = (...errors: Error[]) => ({
  model: 'fake',
  calls: 0,
  async ask(question: string, options: { signal: AbortSignal }) {
    const error = errors[this.calls++]
    if (error) throw error
    return `${question} ${options.signal === signal}`
  },
  async count(_: AbortSignal) {
    return this.calls
  },
})

describe('a wrapped driver', () => {
  it('a wrapped driver keeps its properties, and wraps only the methods that are named', async () => {
    let calls = 0
    const around: Around = call => {
      calls++
      return call()
    }
    const wrapped = wrap(driver(), ['ask'], around)
    expect(wrapped.model).toBe('fake')
    expect(await wrapped.ask('Really?', { signal })).toBe('Really? true')
    expect(await wrapped.count(signal)).toBe(0)
    expect(calls).toBe(1)
  })

  it('passes the signal of the last argument to its wrappers, the first of them outermost', async () => {
    const seen: [string, AbortSignal][] = []
    const around =
      (name: string): Around =>
      (call, of) => {
        seen.push([name, of])
        return call()
      }
    const wrapped = wrap(driver(), ['ask', 'count'], around('outer'), around('inner'))
    await wrapped.ask('', { signal })
    await wrapped.count(signal)
    expect(seen).toEqual([
      ['outer', signal],
      ['inner', signal],
      ['outer', signal],
      ['inner', signal],
    ])
  })

  it('counts every attempt of a request that is retried', async () => {
    const outcomes: string[] = []
    const meter = {
      ...noMeter,
      requestFinished: ({ model, outcome }: { model: string; outcome: string }) =>
        void outcomes.push(`${model}: ${outcome}`),
    }
    const wrapped = wrap(
      driver(failed),
      ['ask'],
      retrying({ firstDelaySeconds: 1e-6 }),
      metering(meter, 'name'),
    )
    await wrapped.ask('', { signal })
    expect(outcomes).toEqual(['name: PROVIDER_FAILED', 'name: ok'])
  })

  it.each<[string, Error | undefined, string[]]>([
    ['recovers after a success', undefined, ['recover']],
    ['backs off when it is throttled', throttled, ['backOff']],
    ['stays as it is after another failure', failed, []],
  ])('has a rate limiter that %s', async (_, error, expected) => {
    const reports: string[] = []
    const limiter: AdaptiveRateLimiter = {
      run: work => work(),
      backOff: () => reports.push('backOff'),
      recover: () => reports.push('recover'),
    }
    const call = wrap(driver(...(error ? [error] : [])), ['ask'], rateLimiting(limiter)).ask('', { signal })
    await (error ? expect(call).rejects.toBe(error) : call)
    expect(reports).toEqual(expected)
  })

  it('a wrapped driver runs no more requests at once than its rate limiter allows', async () => {
    let running = 0
    let most = 0
    const slow = {
      async ask(_: AbortSignal) {
        most = Math.max(most, ++running)
        await new Promise(setImmediate)
        running--
      },
    }
    const wrapped = wrap(
      slow,
      ['ask'],
      rateLimiting(createAdaptiveRateLimiter({ perMinute: 600, concurrency: 3 })),
    )
    await Promise.all(Array.from({ length: 12 }, () => wrapped.ask(signal)))
    expect(most).toBe(3)
  })
})
