// Recognisers around a recogniser: one keeps to the provider's rate, one asks again where that can help.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isSpeechError, type SpeechError } from '../../domain/errors.ts'
import type { Recogniser } from '../../domain/ports.ts'
import { log } from '../../log.ts'
import type { Limiter } from '../wire/limiter.ts'

/** Keeps to the limiter's rate, and tells it when the provider throttles. */
export function limited(inner: Recogniser, limiter: Limiter): Recogniser {
  return {
    ...inner,
    async recognise(request, signal) {
      return limiter.run(async () => {
        try {
          const heard = await inner.recognise(request, signal)
          limiter.succeeded()
          return heard
        } catch (error) {
          if (isSpeechError(error) && error.code === 'THROTTLED') limiter.throttled()
          throw error
        }
      }, signal)
    },
  }
}

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

export interface RetryOptions {
  /** Seconds before the second attempt; doubled for each further one. */
  firstDelay?: number
  random?: () => number
}

/** Throttling passes with patience; a failing or silent provider is given up sooner. */
const attempts = (error: SpeechError) => (error.code === 'THROTTLED' ? 10 : 4)
const longestDelay = 20

/** Asks again after errors that say they may pass, with doubled and jittered pauses. */
export function retrying(
  inner: Recogniser,
  { firstDelay = 1, random = Math.random }: RetryOptions = {},
): Recogniser {
  return {
    ...inner,
    async recognise(request, signal) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await inner.recognise(request, signal)
        } catch (error) {
          if (!isSpeechError(error) || !error.retryable || attempt >= attempts(error)) throw error
          const delay = Math.min(longestDelay, firstDelay * 2 ** (attempt - 1)) * (0.5 + random() / 2)
          log.info('retry', { code: error.code, attempt, delay })
          await sleep(delay * 1000, undefined, { signal }).catch(() => signal.throwIfAborted())
        }
      }
    },
  }
}
