// Spaces out the queries of all callers evenly, up to a number per second.

import { pauseMsOf } from '../../http/retry-after.ts'

export interface Throttle {
  /** Resolves when the next query may go; rejects with the signal's reason if that comes first. */
  next(signal: AbortSignal): Promise<void>
  /** The provider has throttled: no query goes for a second, or for as long as it asks. */
  pause(askedSeconds?: number): void
}

const pauseMs = 1_000

export function createThrottle(perSecond: number): Throttle {
  const waiting: (() => void)[] = []
  let freeAt = 0
  let timer: NodeJS.Timeout | undefined

  function run(): void {
    clearTimeout(timer)
    if (waiting.length === 0) return
    const waitMs = Math.ceil(freeAt - performance.now())
    if (waitMs <= 0) {
      // From now and not from when it was due: a process that was suspended must not catch up in a burst.
      freeAt = performance.now() + 1000 / perSecond
      waiting.shift()!()
      run()
    } else timer = setTimeout(run, waitMs)
  }

  return {
    next: signal =>
      new Promise((resolve, reject) => {
        const start = () => {
          signal.removeEventListener('abort', leave)
          resolve()
        }
        const leave = () => {
          waiting.splice(waiting.indexOf(start), 1)
          reject(signal.reason)
        }
        if (signal.aborted) return reject(signal.reason)
        signal.addEventListener('abort', leave, { once: true })
        waiting.push(start)
        run()
      }),
    pause(askedSeconds) {
      freeAt = Math.max(freeAt, performance.now() + Math.max(pauseMs, pauseMsOf(askedSeconds)))
    },
  }
}
