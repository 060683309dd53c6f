// A recogniser that can be drained: a process ends without losing the requests that it is paying for.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Recogniser } from '../../domain/ports.ts'

export interface Drainable extends Recogniser {
  /** Starts no further request; resolves when those in flight have ended, or after the given seconds. */
  drain(seconds: number): Promise<void>
}

export function drainable(inner: Recogniser): Drainable {
  const inFlight = new Set<Promise<unknown>>()
  let drained = false
  return {
    ...inner,
    async recognise(request, signal) {
      // The process is about to end, which aborts the signal.
      if (drained) await once(signal, 'abort')
      signal.throwIfAborted()
      const work = inner.recognise(request, signal)
      inFlight.add(work)
      return work.finally(() => inFlight.delete(work))
    },
    async drain(seconds) {
      drained = true
      const timer = new AbortController()
      const timeout = sleep(seconds * 1000, undefined, { signal: timer.signal, ref: false }).catch(() => {})
      await Promise.race([Promise.allSettled(inFlight), timeout])
      timer.abort()
      // Lets the last results be stored before their jobs are stopped.
      await sleep(0)
    },
  }
}
