// Adaptive rate limiter for all requests of a model (AIMD): it halves its rate on throttling, and recovers step by step.
import { isSpeechError } from '../../domain/errors.ts'
import { maxRetryAfterSeconds } from '../../domain/network/deadlines.ts'
import { createFairQueue, type Waiting } from '../../domain/waiting/fair-queue.ts'
import { createOwnerShares } from './owner-shares.ts'
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

interface Turn extends Waiting {
  begin(): void
}

export interface AdaptiveRateLimiter {
  /**
   * Runs the work as soon as the limits allow; rejects with the signal's reason if it aborts before. Requests with the
   * same signal are of one job. The owner with the fewest running ones comes first, and of its jobs the one with the fewest.
   */
  run<T>(work: () => Promise<T>, signal: AbortSignal, owner?: string): Promise<T>
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
  const queue = createFairQueue<Turn>()
  const shares = createOwnerShares()
  let starts: { at: number; owner: string }[] = []
  let running = 0
  let rate = perMinute
  let pauseMs = firstPauseMs
  let pausedUntil = 0
  let timer: NodeJS.Timeout | undefined

  function next(): void {
    clearTimeout(timer)
    // None can start until another one ends.
    if (running >= concurrency) return
    const time = now()
    starts = starts.filter(({ at }) => time - at < minuteMs)
    const started = new Map<string, number>()
    const count = (owner: string) => started.set(owner, (started.get(owner) ?? 0) + 1)
    for (const { owner } of starts) count(owner)
    const ownerCount = new Set([...started.keys(), ...queue.owners()].filter(Boolean)).size
    const wait = (owner: string) => delay(owner, started.get(owner) ?? 0, ownerCount, time)
    for (;;) {
      const turn = queue.take(owner => wait(owner) <= 0)
      if (!turn) break
      running++
      starts.push({ at: time, owner: turn.owner })
      count(turn.owner)
      shares.note(turn.owner, time)
      turn.begin()
    }
    const shortest = Math.min(...queue.owners().map(wait))
    if (shortest < Number.POSITIVE_INFINITY) timer = setTimeout(next, Math.ceil(shortest))
  }

  /**
   * Milliseconds until a request of this owner, which has started so many in the last minute, may start; infinite until
   * another one ends.
   */
  function delay(owner: string, started: number, ownerCount: number, time: number): number {
    const isOver = (total: number, used: number) => shares.isOver(total, used, ownerCount)
    const atOnce = isOver(concurrency, queue.running(owner))
      ? shares.withoutReserve(concurrency)
      : concurrency
    if (running >= atOnce) return Number.POSITIVE_INFINITY
    const total = Math.floor(rate)
    const isHeavy = isOver(total, started)
    const max = isHeavy ? shares.withoutReserve(total) : total
    const until = (start: { at: number } | undefined, ms: number) => (start ? ms - (time - start.at) : 0)
    const full = until(starts[starts.length - max], minuteMs)
    const spaced = isHeavy ? until(starts.at(-1), minuteMs / max) : 0
    return Math.max(full, spaced, pausedUntil - time)
  }

  /** Resolves when the next request may start, which then counts as running. */
  function turn(signal: AbortSignal, owner: string): Promise<Turn> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal.removeEventListener('abort', abort)
        resolve(turn)
      }
      const turn = { owner, job: signal, begin }
      const abort = () => {
        queue.remove(turn)
        reject(signal.reason)
        next()
      }
      signal.addEventListener('abort', abort, { once: true })
      queue.add(turn)
      next()
    })
  }

  function end(turn: Turn): void {
    running--
    queue.end(turn)
    next()
  }

  return {
    async run(work, signal, owner = '') {
      signal.throwIfAborted()
      shares.note(owner, now())
      const own = await turn(signal, owner)
      try {
        const result = await work()
        end(own)
        return result
      } catch (error) {
        // A failure may abort the whole job: waiting requests must see that before they start.
        setImmediate(() => end(own))
        throw error
      }
    },
    backOff(askedSeconds) {
      // Requests of one burst are refused together; that counts as one refusal.
      if (now() >= pausedUntil) {
        rate = Math.min(perMinute, Math.max(minPerMinute, rate / 2))
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
