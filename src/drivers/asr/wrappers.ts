// Recognisers around a recogniser: one keeps to the provider's rate, one asks again where that can help.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { Meter } from '../../domain/meter.ts'
import type { FileRecogniser, Recogniser } from '../../domain/ports.ts'
import { log } from '../../log.ts'
import { hasTimedOut } from '../http/http.ts'
import { measured } from '../http/measured.ts'
import { type AdaptiveRateLimiter, reportThrottling } from '../http/rate-limiter.ts'
import type { Pacer } from './file-asr/pacer.ts'

/** Counts each request, also those that are made again. */
export function metered(inner: Recogniser, meter: Meter): Recogniser {
  const { model } = inner
  return {
    ...inner,
    recognise: (request, signal) => measured(meter, model, signal, () => inner.recognise(request, signal)),
  }
}

/** The same for the submits of a task, and for the questions how far it is. */
export function countedFile(inner: FileRecogniser, meter: Meter): FileRecogniser {
  const { model } = inner
  return {
    ...inner,
    submit: (request, signal) => measured(meter, model, signal, () => inner.submit(request, signal)),
    status: (task, signal) => measured(meter, model, signal, () => inner.status(task, signal)),
  }
}

/** Keeps to the limiter's rate, and tells it when the provider throttles. */
export function rateLimited(inner: Recogniser, limiter: AdaptiveRateLimiter): Recogniser {
  return {
    ...inner,
    recognise: (request, signal) =>
      limiter.run(() => reportThrottling(() => inner.recognise(request, signal), limiter), signal),
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
export function retrying(inner: Recogniser, options: RetryOptions = {}): Recogniser {
  return {
    ...inner,
    recognise: (request, signal) => repeat(() => inner.recognise(request, signal), signal, options),
  }
}

/** Keeps submits to the limiter's rate, and whatever asks about tasks to the pacer's. */
export function limitedFile(
  inner: FileRecogniser,
  { submits, asks }: { submits: AdaptiveRateLimiter; asks: Pacer },
): FileRecogniser {
  async function ask<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await asks.turn(signal)
    return reportThrottling(work, { backOff: asks.hold, recover: () => {} })
  }
  return {
    ...inner,
    submit: (request, signal) =>
      submits
        .run(() => reportThrottling(() => inner.submit(request, signal), submits), signal)
        .catch(error => {
          throw error === signal.reason && hasTimedOut(signal) ? noTurn(error) : error
        }),
    status: (task, signal) => ask(() => inner.status(task, signal), signal),
    listTasks: (from, to, signal) => ask(() => inner.listTasks(from, to, signal), signal),
    cancel: (task, signal) => ask(() => inner.cancel(task, signal), signal),
  }
}

/** Asks again as `retrying` does. A submit too, as one that may have made a task never says that it may be made again. */
export function retryingFile(inner: FileRecogniser, options: RetryOptions = {}): FileRecogniser {
  return {
    ...inner,
    submit: (request, signal) => repeat(() => inner.submit(request, signal), signal, options),
    status: (task, signal) => repeat(() => inner.status(task, signal), signal, options),
    listTasks: (from, to, signal) => repeat(() => inner.listTasks(from, to, signal), signal, options),
    cancel: (task, signal) => repeat(() => inner.cancel(task, signal), signal, options),
  }
}

async function repeat<T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  { firstDelay = 1, random = Math.random }: RetryOptions,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isSpeechError(error) || !mayPass(error) || attempt >= attempts(error)) throw error
      const delay = Math.min(longestDelay, firstDelay * 2 ** (attempt - 1)) * (0.5 + random() / 2)
      log.info('retry', { code: error.code, attempt, delay })
      await sleep(delay * 1000, undefined, { signal }).catch(() => {
        // Whoever gives so much time and no more wants to hear what took it.
        throw hasTimedOut(signal) ? error : signal.reason
      })
    }
  }
}

function noTurn(cause: unknown): SpeechError {
  return new SpeechError('THROTTLED', 'The order’s turn did not come in time: the model’s rate is used up.', {
    hint: 'Wait a minute and call again.',
    retryable: true,
    cause,
  })
}

/** What the provider cannot fetch wants another address, which only the caller can get. */
function mayPass({ retryable, code }: SpeechError): boolean {
  return retryable && code !== 'UPLOAD_UNREACHABLE'
}
