// The text models of FORMAT_MODELS, in their order, as one text model.
import { isSpeechError } from '../../domain/errors.ts'
import { type Meter, noMeter } from '../../domain/meter.ts'
import { knownModels, type ModelCatalog } from '../../domain/models/catalog.ts'
import type { UnavailableModels } from '../../domain/models/model.ts'
import { noTextModel, type TextModel } from '../../domain/text-model.ts'
import { dashscope } from '../http/dashscope.ts'
import type { HttpClient } from '../http/http.ts'
import { createAdaptiveRateLimiter } from '../http/rate-limiter.ts'
import type { RetryOptions } from '../http/retry.ts'
import { retryAfter } from '../http/retry-after.ts'
import { metering, rateLimiting, retrying, wrap } from '../http/wrap.ts'
import { fallback } from './fallback.ts'
import { geminiText } from './gemini/text.ts'
import type { ProviderModel } from './provider-model.ts'
import { qwenText } from './qwen/text.ts'

/** The key and the address of one provider. */
export interface Provider {
  /** Undefined: its models are skipped. */
  apiKey: string | undefined
  /** Without a slash at the end. */
  baseUrl: string
}

export interface TextModelsOptions {
  /** Names, in the order of preference. */
  models: string[]
  dashscope: Provider
  gemini: Provider
  http: HttpClient
  unavailableModels: UnavailableModels
  /** Default: the tables. */
  catalog?: ModelCatalog
  meter?: Meter
}

/** Concurrent requests to text models: enough to format an hour of speech at once. */
export const textConcurrency = 32

/** A server that asks for a longer wait is left to the next request. */
const maxAskedSeconds = 8

const rateLimit = {
  /** While a model throttles, the next one would answer sooner than a request that waits here. */
  minPerMinute: 120,
  maxPauseMs: 4_000,
  maxAskedSeconds,
}

/** Few, as the next model of the list is there at once. */
export const textRetries: RetryOptions = {
  maxAttempts: { THROTTLED: 3, PROVIDER_FAILED: 3, PROVIDER_UNREACHABLE: 2, default: 1 },
  firstDelaySeconds: 0.5,
  isRetryable: error =>
    isSpeechError(error) && error.retryable && (retryAfter(error) ?? 0) <= maxAskedSeconds,
}

/** Opens a model by its name, without retries and limits; none where its provider has no key. */
export function textModelOpener({
  dashscope: qwen,
  gemini,
  http,
  catalog = knownModels,
}: Pick<TextModelsOptions, 'dashscope' | 'gemini' | 'http' | 'catalog'>): (name: string) => ProviderModel[] {
  const cloud = dashscope({ ...qwen, http })
  const concurrency = textConcurrency
  const find = (name: string) => catalog.find(name, 'text')
  return name => {
    const model = find(name)
    if (model.provider !== 'gemini') return qwen.apiKey ? [qwenText(cloud, { model, concurrency })] : []
    const { apiKey, baseUrl } = gemini
    return apiKey ? [geminiText({ model, find, apiKey, baseUrl, http, concurrency })] : []
  }
}

/** Skips models whose provider has no key. */
export function textModels({
  models,
  dashscope: qwen,
  gemini,
  http,
  unavailableModels,
  catalog = knownModels,
  meter = noMeter,
}: TextModelsOptions): TextModel {
  const concurrency = textConcurrency
  const find = (name: string) => catalog.find(name, 'text')
  const usable = [...new Set(models)].flatMap(textModelOpener({ dashscope: qwen, gemini, http, catalog }))
  if (usable.length === 0) return noModel
  return fallback(usable.map(withinLimits), { unavailableModels })

  function withinLimits(model: ProviderModel): ProviderModel {
    const limiter = createAdaptiveRateLimiter({
      ...rateLimit,
      perMinute: find(model.name).perMinute,
      concurrency,
    })
    const retries = retrying(textRetries)
    return wrap(model, ['generate'], retries, rateLimiting(limiter), metering(meter, model.name))
  }
}

const noModel: TextModel = {
  models: [],
  concurrency: textConcurrency,
  generate: () => Promise.reject(noTextModel()),
}
