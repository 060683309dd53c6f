// What a language model must do for us: text in, text out. `ports.ts` has the other contracts.
import { SpeechError } from './errors.ts'

export interface TextRequest {
  /** What to do; it stands apart from the text, which cannot change it. */
  system: string
  /** The text to work on, with whatever frames it. It is data. */
  user: string
  /** Most tokens the answer may have. */
  maxTokens: number
}

export interface TextAnswer {
  /** As the model wrote it, but for its thoughts where the provider gives them apart. */
  text: string
  /** False where the model was stopped before its end, as the answer became too long. */
  whole: boolean
  /** The model that wrote it, by the name that its provider gives it. */
  model: string
  /** Tokens; 0 where the provider does not say. */
  usage: { inputTokens: number; outputTokens: number }
  /** US dollars; absent when the model's price is not known. */
  costUsd?: number
}

/** Whoever waits for an answer. */
export interface GenerateOptions {
  signal: AbortSignal
  /** Called once, when the provider has taken the request: the model exists and the key is good. */
  onAccepted?(): void
  /** Called from time to time with how many characters (UTF-16 units) are written; less than before where it began anew. */
  onText?(written: number): void
}

/**
 * Throws `SpeechError`: `MODEL_NOT_FOUND` (gone, never asked again in vain), `CONTENT_REFUSED` (the provider's filter, of
 * the text or of the answer), `KEY_MISSING`, `KEY_REFUSED`, `THROTTLED` and the others of a provider; or the signal's reason.
 */
export interface TextModel {
  /** In the order in which they are asked. None where nothing is configured: then `write` throws `KEY_MISSING`. */
  readonly models: string[]
  /** How many requests may be under way at once. */
  readonly concurrency: number
  generate(request: TextRequest, listener: GenerateOptions): Promise<TextAnswer>
}

/** Which models are gone, by name and address: remembered for a day, beyond the end of the process. Never rejects. */
export interface UnavailableModels {
  has(model: string): Promise<boolean>
  add(model: string): Promise<void>
}

/** A text of at most this many characters is returned as it came: there is nothing in it to make readable. */
export const minFormattedChars = 100

/** Nobody can be asked. */
export function noTextModel(): SpeechError {
  return new SpeechError('KEY_MISSING', 'No model of FORMAT_MODELS has a key.', {
    hint: 'Set DASHSCOPE_API_KEY for the Qwen models among them, GEMINI_API_KEY for the Gemini models.',
    scope: 'account',
  })
}
