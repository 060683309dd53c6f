// The language models that format, in the order of the settings, as one.
import { type Meter, noMeter } from '../../domain/meter.ts'
import { noTextModel, type TextModel, type UnavailableModels } from '../../domain/text-model.ts'
import { dashscope } from '../http/dashscope.ts'
import type { HttpClient } from '../http/http.ts'
import { createAdaptiveRateLimiter } from '../http/rate-limiter.ts'
import { fallback } from './fallback.ts'
import { geminiText } from './gemini/text.ts'
import type { ProviderModel } from './model-key.ts'
import { isGemini } from './models.ts'
import { qwenText } from './qwen/text.ts'
import { counted, limited, retrying } from './wrappers.ts'

/** Where models of one provider are asked. */
export interface Provider {
  /** Absent: its models are passed over. */
  apiKey: string | undefined
  /** Without a slash at the end. */
  baseUrl: string
}

export interface TextModelsOptions {
  /** Names, in the order in which they are asked. */
  models: string[]
  dashscope: Provider
  gemini: Provider
  http: HttpClient
  unavailableModels: UnavailableModels
  meter?: Meter
}

/** Requests to text models at once: an hour of speech is formatted in one go. */
export const textConcurrency = 32

/** Seconds without a byte: they do not think, and another model is there. */
export const textTimeoutSeconds = 60

/** The provider's limit for one account and model (international region); Gemini's depends on the account. */
const requestsPerMinute = 600

/** Requests a minute that a model may have while it throttles: whoever waits for a turn might have been answered by the next. */
const slowest = 120

/** Milliseconds: where a model throttles for longer than a moment, the next one is asked. */
const longestPause = 4_000

/** Models whose provider has no key are passed over. */
export function textModels({
  models,
  dashscope: qwen,
  gemini,
  http,
  unavailableModels,
  meter = noMeter,
}: TextModelsOptions): TextModel {
  const cloud = dashscope({ ...qwen, http })
  const concurrency = textConcurrency

  function open(model: string): ProviderModel[] {
    if (!isGemini(model)) return qwen.apiKey ? [qwenText(cloud, { model, concurrency })] : []
    const { apiKey, baseUrl } = gemini
    return apiKey ? [geminiText({ model, apiKey, baseUrl, http, concurrency })] : []
  }

  const usable = [...new Set(models)].flatMap(open)
  if (usable.length === 0) return noModel
  return fallback(
    usable.map(model =>
      retrying(
        limited(
          counted(model, meter),
          createAdaptiveRateLimiter({
            perMinute: requestsPerMinute,
            minPerMinute: slowest,
            concurrency,
            maxPauseMs: longestPause,
          }),
        ),
      ),
    ),
    { unavailableModels },
  )
}

const noModel: TextModel = {
  models: [],
  concurrency: textConcurrency,
  generate: () => Promise.reject(noTextModel()),
}
