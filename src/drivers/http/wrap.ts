// Adds metrics, a rate limit and retries to the requests of a driver, which keeps its type.
import { isSpeechError } from '../../domain/errors.ts'
import type { Meter } from '../../domain/meter.ts'
import type { Owned } from '../../domain/waiting/fair-queue.ts'
import { type AdaptiveRateLimiter, reportThrottling } from './rate-limiter.ts'
import { type RetryOptions, retry } from './retry.ts'

/** One request: `call` makes it, `signal` is the caller's, `owner` that of the job. */
export type Around = <T>(call: () => Promise<T>, signal: AbortSignal, owner?: string) => Promise<T>

/** Methods that make a request; their last argument has to be a signal, or to hold one. Any of them may hold the owner. */
type RequestMethod<Driver> = {
  [Name in keyof Driver]-?: Driver[Name] extends (...args: never) => Promise<unknown> ? Name : never
}[keyof Driver]

/** Runs these requests through each `around`, the first one outermost; all else of the driver stays as it is. */
export function wrap<Driver extends object>(
  driver: Driver,
  methods: readonly RequestMethod<Driver>[],
  ...arounds: Around[]
): Driver {
  const wrapped = { ...driver }
  for (const name of methods) {
    const method = driver[name] as (...args: unknown[]) => Promise<unknown>
    const request = (...args: unknown[]) => {
      const last = args.at(-1) as AbortSignal | { signal: AbortSignal }
      const signal = 'signal' in last ? last.signal : last
      const owner = args.map(of => (of as Owned | undefined)?.owner).find(Boolean)
      const call = () => method.apply(driver, args)
      return arounds.reduceRight((inner, around) => () => around(inner, signal, owner), call)()
    }
    wrapped[name] = request as Driver[typeof name]
  }
  return wrapped
}

/** Counts each request, also those that are retried, with its duration; not one that its caller aborts. */
export const metering =
  (meter: Meter, model: string): Around =>
  async (call, signal) => {
    const started = performance.now()
    const count = (outcome: string) => {
      const seconds = (performance.now() - started) / 1000
      if (!signal.aborted) meter.requestFinished({ model, seconds, outcome })
    }
    try {
      const result = await call()
      count('ok')
      return result
    } catch (error) {
      count(isSpeechError(error) ? error.code : 'INTERNAL')
      throw error
    }
  }

/** Keeps to the limiter's rate, and reports to it when the provider throttles. */
export const rateLimiting =
  (limiter: AdaptiveRateLimiter): Around =>
  (call, signal, owner) =>
    limiter.run(() => reportThrottling(call, limiter), signal, owner)

/** Repeats requests after errors that may pass. */
export const retrying =
  (options: Omit<RetryOptions, 'signal'>): Around =>
  (call, signal) =>
    retry(call, { ...options, signal })
