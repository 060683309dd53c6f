// How the text models of the stand-in are set, and what they are when nothing is said.

export interface TextOptions {
  /** The one key that Gemini accepts. */
  geminiKey?: string
  /** Seconds before the first word, and seconds for each. */
  textLatency?: { base: number; perWord: number }
  /** Of each model; default: no limit. */
  textRequestsPerMinute?: number
  /** The head of a stream comes with its first word, not when the request is accepted. */
  lateTextHeaders?: boolean
  /** Models that are gone; default: those that are as of 2026-07-14. */
  retiredTextModels?: string[]
  /** How DashScope says that: 400 "Model not exist." (default), or 404. */
  textModelGone?: 'InvalidParameter' | 'ModelNotFound'
  /** Models that another one answers for; default none. As of 2026-12-01: `gemini-2.5-flash` → `gemini-3.5-flash-lite`. */
  redirectedTextModels?: Record<string, string>
  /** Gemini 3 lets a thinking budget pass in silence; default false: it is refused. */
  thinkingBudgetIgnored?: boolean
  /** A stream is refused with 200 and an error frame, as was captured (default), or with the status of the error. */
  textErrorsAs?: 'frame' | 'status'
}

export type TextSettings = Required<Omit<TextOptions, 'textRequestsPerMinute'>>

export function textSettings(options: TextOptions): TextSettings {
  const { geminiKey = 'AIza-standin', textLatency = { base: 0, perWord: 0 } } = options
  const { lateTextHeaders = false, retiredTextModels = ['qwen-turbo', 'qwen-turbo-latest'] } = options
  const { textModelGone = 'InvalidParameter', redirectedTextModels = {} } = options
  const { thinkingBudgetIgnored = false, textErrorsAs = 'frame' } = options
  return {
    geminiKey,
    textLatency,
    lateTextHeaders,
    retiredTextModels,
    textModelGone,
    redirectedTextModels,
    thinkingBudgetIgnored,
    textErrorsAs,
  }
}
