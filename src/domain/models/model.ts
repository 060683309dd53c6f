// Facts about a model: who serves it, what it is asked for and how, what it costs, and when it ends.

/**
 * Purposes of a model: the text of a chunk, the timed words of a file, who speaks when in a file, or other text.
 * `one-pass`: it gives the words and the speakers of a file in one task.
 */
export type ModelRole = 'chunk' | 'words' | 'speakers' | 'one-pass' | 'text'

/** A service whose models share an address and a key. */
export type ModelProvider = 'dashscope' | 'gemini' | 'openai'

/** Shape of request and response. */
export type ModelForm =
  /** `multimodal-generation` with the audio as a message: `choices` in the response. */
  | 'dashscope-message'
  /** The same route with `input_audio`; the response has a text and no `choices`. */
  | 'dashscope-input-audio'
  /** A task on a list of addresses: `input.file_urls`, `output.results`. */
  | 'dashscope-file-list'
  /** A task on one address: `input.file_url`, `output.result`. */
  | 'dashscope-file'
  /** A form with the audio to `audio/transcriptions`; `openai:` before the name that the server knows. */
  | 'openai-transcription'
  | 'qwen-text'
  | 'qwen-multimodal'
  | 'gemini'

/** Where a model takes names and terms to expect. */
export type ContextForm =
  /** The text of a system message. */
  | 'system'
  /** `input.context` of at most 400 characters. */
  | 'input'
  /** `parameters.corpus.text`. */
  | 'corpus'
  /** The field `prompt`. */
  | 'prompt'

/** US dollars for a second of submitted audio. */
export interface SecondPrice {
  usdPerSecond: number
}

/** US dollars for a million tokens. */
export interface TokenPrice {
  usdPerMillionInput: number
  usdPerMillionOutput: number
  /** Requests with more input tokens cost more, by an unknown amount. */
  maxInputTokens?: number
}

export type Price = SecondPrice | TokenPrice

/** The announced end of a model. Regions differ, so it is a warning and no more. */
export interface Retirement {
  /** ISO date. */
  date: string
  /** The model that its provider recommends instead. */
  successor: string
}

export interface Model {
  /** As in the requests to its provider. */
  name: string
  provider: ModelProvider
  form: ModelForm
  roles: readonly ModelRole[]
  /** Absent if unknown. */
  price?: Price
  /** Requests a minute of one account (submits of a task). */
  perMinute: number
  /** ISO codes that it takes as a hint; absent: any. */
  hintLanguages?: readonly string[]
  /** Absent: it takes no context. */
  context?: ContextForm
  /** Takes terms with weights. */
  hotwords?: boolean
  /** Takes the number of speakers. */
  speakerCount?: boolean
  /** Tokens of the audio and of the answer per second of speech, to estimate a price by tokens: the upper end. */
  tokensPerSecond?: { input: number; output: number }
  /** Longest and largest recording of one request. */
  maxSeconds?: number
  maxBytes?: number
  /** Text models: most tokens of an answer; absent: unknown. */
  maxAnswerTokens?: number
  /** Text models: always thinks, or stops thinking with a budget of 0. */
  thinking?: 'always' | 'budget'
  retires?: Retirement
  /** The table has it for other work alone, so that it is asked as an unknown model. */
  unfit?: boolean
  /** Where these facts come from, and when they were read. */
  source: string
}

/** Models that an answer called gone, by name and address: remembered for a day, by all processes of a store. Never rejects. */
export interface UnavailableModels {
  has(model: string): Promise<boolean>
  add(model: string): Promise<void>
}

/** Identifies a model among the unavailable ones. */
export function modelKey(name: string, baseUrl: string): string {
  return `${name} at ${baseUrl}`
}
