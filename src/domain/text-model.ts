// Contract of a language model: text in, text out. `ports.ts` has the other contracts.
import { SpeechError } from './errors.ts'
import type { TokenPrice } from './models/model.ts'
import type { Owned } from './waiting/fair-queue.ts'

export interface TextRequest {
  /** The instructions, separate from the text, which cannot change them. */
  system: string
  /** The text to work on, with its delimiters; it is data, never instructions. */
  user: string
  /** The longest answer. */
  maxTokens: number
}

export interface TextAnswer {
  /** The model's text, without thoughts that the provider marks as such. */
  text: string
  /** False if the answer was cut at its token limit. */
  whole: boolean
  /** The model that generated it, by its provider's name for it. */
  model: string
  /** Tokens; 0 if the provider does not report them. */
  usage: { inputTokens: number; outputTokens: number }
  /** US dollars; absent if the model's price is unknown. */
  costUsd?: number
}

export interface GenerateOptions extends Owned {
  signal: AbortSignal
  /** Called once, when the provider has accepted the request: the model exists and the key is valid. */
  onAccepted?(): void
  /** Called from time to time with the length so far (UTF-16 units); it drops when a retry starts over. */
  onText?(written: number): void
  /** Called by a list of models before it asks one of them; with an error, the next one is asked instead. */
  refuse?(one: Pick<TextModel, 'models' | 'price'>): Promise<SpeechError | undefined>
}

/**
 * Throws `SpeechError`: `MODEL_NOT_FOUND` (skipped for a day), `CONTENT_REFUSED` (the provider's filter, of the text or of
 * the answer), `KEY_MISSING`, `KEY_REFUSED`, `THROTTLED` and the others of a provider; or the signal's reason.
 */
export interface TextModel {
  /** In the order of preference. Empty if none is configured: `generate` then throws `KEY_MISSING`. */
  readonly models: string[]
  /** The number of concurrent requests. */
  readonly concurrency: number
  /** Price of the first model; absent if unknown. */
  readonly price?: TokenPrice
  generate(request: TextRequest, options: GenerateOptions): Promise<TextAnswer>
}

/** A text of at most this many characters is returned unchanged: it is readable already. */
export const minFormattedChars = 100

/** The error when no model has a key. */
export function noTextModel(): SpeechError {
  return new SpeechError('KEY_MISSING', 'No model of FORMAT_MODELS has a key.', {
    hint: 'Set DASHSCOPE_API_KEY for the Qwen models among them, GEMINI_API_KEY for the Gemini models.',
    scope: 'account',
  })
}
