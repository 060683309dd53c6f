// One gate for all requests of a model: so many a minute, so many at once, and slower while the provider throttles.
import { isSpeechError } from '../../domain/errors.ts'

export interface AdaptiveRateLimiterOptions {
  perMinute: number
  concurrency: number
  /** Milliseconds that all requests hold back at most while the provider throttles. */
  maxPauseMs?: number
  /** Requests a minute that it goes down to while the provider throttles. */
  minPerMinute?: number
  /** For tests with a clock of their own. */
  now?: () => number
}

export interface AdaptiveRateLimiter {
  /** Runs the work when its turn comes; rejects with the signal's reason if that comes first. */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>
  /** The provider has throttled: hold everything back for a while, and go on at half the rate. */
  backOff(): void
  /** A request went through: come nearer to the full rate again. */
  recover(): void
}

const minute = 60_000
/** How long all requests hold back after a throttled one, in milliseconds; doubled while the throttling lasts. */
const firstPause = 1_000

export function createAdaptiveRateLimiter({
  perMinute,
  concurrency,
  maxPauseMs = 30_000,
  minPerMinute = 6,
  now = () => performance.now(),
}: AdaptiveRateLimiterOptions): AdaptiveRateLimiter {
  const waiting: { start(): void }[] = []
  let starts: number[] = []
  let running = 0
  let rate = perMinute
  let pause = firstPause
  let heldUntil = 0
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
      running++
      waiting.shift()!.start()
    }
  }

  /** Milliseconds until the next request may start. */
  function delay(): number {
    const time = now()
    starts = starts.filter(start => time - start < minute)
    const full =
      starts.length < Math.floor(rate) ? 0 : minute - (time - starts[starts.length - Math.floor(rate)]!)
    return Math.ceil(Math.max(full, heldUntil - time))
  }

  return {
    run: (work, signal) =>
      new Promise((resolve, reject) => {
        const place = {
          start() {
            signal.removeEventListener('abort', leave)
            const done = () => {
              running--
              next()
            }
            work().then(
              result => {
                resolve(result)
                done()
              },
              error => {
                reject(error)
                // A failure may end the whole order: those that wait must hear of it before they start.
                setImmediate(done)
              },
            )
          },
        }
        const leave = () => {
          waiting.splice(waiting.indexOf(place), 1)
          reject(signal.reason)
          next()
        }
        if (signal.aborted) return reject(signal.reason)
        signal.addEventListener('abort', leave, { once: true })
        waiting.push(place)
        next()
      }),
    backOff() {
      // Several requests of one burst are refused together: that is one refusal.
      if (now() < heldUntil) return
      rate = Math.max(minPerMinute, rate / 2)
      heldUntil = now() + pause * (0.75 + Math.random() / 2)
      pause = Math.min(maxPauseMs, pause * 2)
    },
    recover() {
      rate = Math.min(perMinute, rate + 1)
      pause = firstPause
    },
  }
}

/** Tells of an answer and of throttling. */
export async function reportThrottling<T>(
  work: () => Promise<T>,
  { backOff, recover }: Pick<AdaptiveRateLimiter, 'backOff' | 'recover'>,
): Promise<T> {
  try {
    const answer = await work()
    recover()
    return answer
  } catch (error) {
    if (isSpeechError(error) && error.code === 'THROTTLED') backOff()
    throw error
  }
}
