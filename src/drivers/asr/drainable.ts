// A recogniser that can be drained: a process ends without losing the requests that it is paying for.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Recogniser } from '../../domain/ports.ts'

export interface Drainable extends Recogniser {
  /** Starts no further request, and resolves when those under way are answered or so many seconds are over. */
  drain(seconds: number): Promise<void>
}

/** Lets a process end without losing what it is paying for at that moment. */
export function drainable(inner: Recogniser): Drainable {
  const underWay = new Set<Promise<unknown>>()
  let drained = false
  return {
    ...inner,
    async recognise(request, signal) {
      // Who comes now waits for the end of the process, which is near.
      if (drained) await once(signal, 'abort')
      signal.throwIfAborted()
      const work = inner.recognise(request, signal)
      underWay.add(work)
      return work.finally(() => underWay.delete(work))
    },
    async drain(seconds) {
      drained = true
      const time = new AbortController()
      const timeUp = sleep(seconds * 1000, undefined, { signal: time.signal, ref: false }).catch(() => {})
      await Promise.race([Promise.allSettled(underWay), timeUp])
      time.abort()
      // What was answered last is written down before anyone stops its order.
      await sleep(0)
    },
  }
}
