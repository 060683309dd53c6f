// Text models around a text model: one keeps to the provider's rate, one asks again where that can help soon.
import { setTimeout as sleep } from 'node:timers/promises'
import { isSpeechError, type SpeechError } from '../../domain/errors.ts'
import type { Meter } from '../../domain/meter.ts'
import type { GenerateOptions, TextModel } from '../../domain/text-model.ts'
import { log } from '../../log.ts'
import { measured } from '../http/measured.ts'
import { type AdaptiveRateLimiter, reportThrottling } from '../http/rate-limiter.ts'
import { retryAfter } from './gemini/errors.ts'
import type { ProviderModel } from './model-key.ts'

/** Counts each request, also those that are made again. */
export function counted<Model extends ProviderModel>(inner: Model, meter: Meter): Model {
  return {
    ...inner,
    generate: (request, listener) =>
      measured(meter, inner.name, listener.signal, () => inner.generate(request, listener)),
  }
}

/** Keeps to the limiter's rate, and tells it when the provider throttles. */
export function limited<Model extends TextModel>(inner: Model, limiter: AdaptiveRateLimiter): Model {
  return {
    ...inner,
    generate: (request, listener) =>
      limiter.run(() => reportThrottling(() => inner.generate(request, listener), limiter), listener.signal),
  }
}

export interface RetryOptions {
  /** Seconds before the second attempt; doubled for each further one. */
  firstDelay?: number
  random?: () => number
}

/** Few, as the next model of the list is there at once. */
function attempts({ code }: SpeechError): number {
  if (code === 'THROTTLED' || code === 'PROVIDER_FAILED') return 3
  return code === 'PROVIDER_UNREACHABLE' ? 2 : 1
}

/** Seconds; a provider that wants us to wait longer is left to the next call. */
const longestDelay = 8

/** Asks again after errors that say they may pass, with doubled and jittered pauses. */
export function retrying<Model extends TextModel>(inner: Model, options: RetryOptions = {}): Model {
  const { firstDelay = 0.5, random = Math.random } = options
  return {
    ...inner,
    async generate(request, listener) {
      const once = acceptedOnce(listener)
      for (let attempt = 1; ; attempt++) {
        try {
          return await inner.generate(request, once)
        } catch (error) {
          if (!isSpeechError(error) || !error.retryable || attempt >= attempts(error)) throw error
          const wanted = retryAfter(error) ?? 0
          if (wanted > longestDelay) throw error
          const delay = Math.max(wanted, firstDelay * 2 ** (attempt - 1) * (0.5 + random() / 2))
          log.info('retry', { code: error.code, attempt, delay })
          await sleep(delay * 1000, undefined, { signal: listener.signal }).catch(() => {
            throw listener.signal.reason
          })
        }
      }
    },
  }
}

/** Several attempts are one request to whoever waits. */
export function acceptedOnce(listener: GenerateOptions): GenerateOptions {
  let accepted = false
  return {
    ...listener,
    onAccepted() {
      if (!accepted) listener.onAccepted?.()
      accepted = true
    },
  }
}
