// Wrappers of the same type around a driver: metrics, a rate limit and retries for each request that it makes.
import type { Meter } from '../../domain/meter.ts'
import { measured } from './measured.ts'
import { type AdaptiveRateLimiter, reportThrottling } from './rate-limiter.ts'
import { type RetryOptions, retry } from './retry.ts'

/** One request: `call` makes it, `signal` is the caller's. */
export type Around = <T>(call: () => Promise<T>, signal: AbortSignal) => Promise<T>

/** Methods that make a request; their last argument is a signal or holds one. */
type RequestMethod<Driver> = {
  [Name in keyof Driver]: Driver[Name] extends (
    ...args: [...never[], AbortSignal | { signal: AbortSignal }]
  ) => Promise<unknown>
    ? Name
    : never
}[keyof Driver]

/** Runs `around` in place of these methods; all else of the driver stays as it is. */
export function wrap<Driver extends object>(
  inner: Driver,
  methods: readonly RequestMethod<Driver>[],
  around: Around,
): Driver {
  const wrapped = { ...inner }
  for (const name of methods) {
    const method = inner[name] as (...args: unknown[]) => Promise<unknown>
    const request = (...args: unknown[]) => {
      const last = args.at(-1) as AbortSignal | { signal: AbortSignal }
      return around(() => method.apply(inner, args), 'signal' in last ? last.signal : last)
    }
    wrapped[name] = request as Driver[typeof name]
  }
  return wrapped
}

/** Counts each request, also those that are retried. */
export const metering =
  (meter: Meter, model: string): Around =>
  (call, signal) =>
    measured(meter, model, signal, call)

/** Keeps to the limiter's rate, and reports to it when the provider throttles. */
export const rateLimiting =
  (limiter: AdaptiveRateLimiter): Around =>
  (call, signal) =>
    limiter.run(() => reportThrottling(call, limiter), signal)

/** Repeats requests after errors that may pass. */
export const retrying =
  (options: Omit<RetryOptions, 'signal'>): Around =>
  (call, signal) =>
    retry(call, { ...options, signal })
