// The language models that format, in the order of the settings, as one.
import { SpeechError } from '../../domain/errors.ts'
import type { Retirements, TextModel } from '../../domain/text-model.ts'
import type { HttpClient } from '../wire/http.ts'

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
  retirements: Retirements
}

/** Requests to text models at once: an hour of speech is formatted in one go. */
export const textConcurrency = 32

export function textModels(_options: TextModelsOptions): TextModel {
  return {
    models: [],
    concurrency: textConcurrency,
    async write() {
      throw new SpeechError('KEY_MISSING', 'No model that formats text has a key.', {
        hint: 'Set DASHSCOPE_API_KEY or GEMINI_API_KEY, and FORMAT_MODELS to models of that provider.',
        scope: 'account',
      })
    },
  }
}
