// Adaptive rate limiter for all requests of a model (AIMD): it halves its rate on throttling, and recovers step by step.

import { isSpeechError } from '../../domain/errors.ts'
import { maxRetryAfterSeconds } from '../../domain/network/deadlines.ts'
import { pauseMsOf, retryAfter } from './retry-after.ts'

export interface AdaptiveRateLimiterOptions {
  perMinute: number
  concurrency: number
  /** The longest pause of all requests while the provider throttles. */
  maxPauseMs?: number
  /** The longest pause of all requests that the provider may ask for. */
  maxAskedSeconds?: number
  /** The lowest rate while the provider throttles. */
  minPerMinute?: number
  /** For tests with their own clock. */
  now?: () => number
}

interface Waiting {
  signal: AbortSignal
  begin(): void
}

export interface AdaptiveRateLimiter {
  /**
   * Runs the work as soon as the limits allow; rejects with the signal's reason if it aborts before. Requests with the
   * same signal are of one job; the job with the fewest running ones comes first.
   */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>
  /** The provider has throttled: pauses all requests, for as long as it asks, and continues at half the rate. */
  backOff(askedSeconds?: number): void
  /** A request has succeeded: raises the rate by one request a minute, up to the full rate. */
  recover(): void
}

const minuteMs = 60_000
/** The pause of all requests after a throttled one; it doubles while the throttling lasts. */
const firstPauseMs = 1_000

export function createAdaptiveRateLimiter({
  perMinute,
  concurrency,
  maxPauseMs = 30_000,
  maxAskedSeconds = maxRetryAfterSeconds,
  minPerMinute = 6,
  now = () => performance.now(),
}: AdaptiveRateLimiterOptions): AdaptiveRateLimiter {
  const waiting: Waiting[] = []
  let starts: number[] = []
  let running = 0
  /** By the signal of their job: the number of its running requests, and which start was its last. */
  const runningOf = new Map<AbortSignal, number>()
  const lastStartOf = new WeakMap<AbortSignal, number>()
  let startCount = 0
  let rate = perMinute
  let pauseMs = firstPauseMs
  let pausedUntil = 0
  let timer: NodeJS.Timeout | undefined

  function next(): void {
    clearTimeout(timer)
    while (waiting.length > 0 && running < concurrency) {
      const wait = delay()
      if (wait > 0) {
        timer = setTimeout(next, wait)
        return
      }
      starts.push(now())
      start(takeNext())
    }
  }

  /**
   * Of the job with the fewest running requests, and among such of the one that has waited longest for its turn: a voice
   * note does not wait behind the chunks of hours.
   */
  function takeNext(): Waiting {
    const running = ({ signal }: Waiting) => runningOf.get(signal) ?? 0
    const lastStart = ({ signal }: Waiting) => lastStartOf.get(signal) ?? 0
    const next = waiting.reduce((first, other) => {
      const difference = running(other) - running(first) || lastStart(other) - lastStart(first)
      return difference < 0 ? other : first
    })
    waiting.splice(waiting.indexOf(next), 1)
    return next
  }

  function start({ signal, begin }: Waiting): void {
    running++
    lastStartOf.set(signal, ++startCount)
    runningOf.set(signal, (runningOf.get(signal) ?? 0) + 1)
    begin()
  }

  /** Milliseconds until the next request may start. */
  function delay(): number {
    const time = now()
    starts = starts.filter(start => time - start < minuteMs)
    const full =
      starts.length < Math.floor(rate) ? 0 : minuteMs - (time - starts[starts.length - Math.floor(rate)]!)
    return Math.ceil(Math.max(full, pausedUntil - time))
  }

  /** Resolves when the next request may start, which then counts as running. */
  function turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal.removeEventListener('abort', abort)
        resolve()
      }
      const turn = { signal, begin }
      const abort = () => {
        waiting.splice(waiting.indexOf(turn), 1)
        reject(signal.reason)
        next()
      }
      signal.addEventListener('abort', abort, { once: true })
      waiting.push(turn)
      next()
    })
  }

  function end(signal: AbortSignal): void {
    running--
    const left = runningOf.get(signal)! - 1
    if (left > 0) runningOf.set(signal, left)
    else runningOf.delete(signal)
    next()
  }

  return {
    async run(work, signal) {
      signal.throwIfAborted()
      await turn(signal)
      try {
        const result = await work()
        end(signal)
        return result
      } catch (error) {
        // A failure may abort the whole job: waiting requests must see that before they start.
        setImmediate(() => end(signal))
        throw error
      }
    },
    backOff(askedSeconds) {
      // Requests of one burst are refused together; that counts as one refusal.
      if (now() >= pausedUntil) {
        rate = Math.max(minPerMinute, rate / 2)
        if (askedSeconds === undefined) {
          pausedUntil = now() + pauseMs * (0.75 + Math.random() / 2)
          pauseMs = Math.min(maxPauseMs, pauseMs * 2)
        }
      }
      pausedUntil = Math.max(pausedUntil, now() + pauseMsOf(askedSeconds, maxAskedSeconds))
    },
    recover() {
      rate = Math.min(perMinute, rate + 1)
      pauseMs = firstPauseMs
    },
  }
}

/** Reports a success or throttling to the limiter, and any failure that asks to wait. */
export async function reportThrottling<T>(
  work: () => Promise<T>,
  { backOff, recover }: Pick<AdaptiveRateLimiter, 'backOff' | 'recover'>,
): Promise<T> {
  try {
    const result = await work()
    recover()
    return result
  } catch (error) {
    const asked = retryAfter(error)
    if (asked !== undefined || (isSpeechError(error) && error.code === 'THROTTLED')) backOff(asked)
    throw error
  }
}
