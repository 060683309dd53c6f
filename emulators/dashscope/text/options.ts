// Options of the text models, and their defaults.

export interface TextOptions {
  /** The only key that Gemini accepts; default: `AIza-emulator`. */
  geminiKey?: string
  /** Seconds before the first word, and seconds per word. */
  textLatency?: { base: number; perWord: number }
  /** Per model; default: no limit. */
  textRequestsPerMinute?: number
  /** Sends the headers of a stream with its first word, not on acceptance. */
  lateTextHeaders?: boolean
  /** Retired models; default: those retired as of 2026-07-14. */
  retiredTextModels?: string[]
  /** Error for a retired model: 400 "Model not exist." (default), or 404. */
  textModelGone?: 'InvalidParameter' | 'ModelNotFound'
  /** Models redirected to another; default: none. From 2026-12-01: `gemini-2.5-flash` → `gemini-3.5-flash-lite`. */
  redirectedTextModels?: Record<string, string>
  /** Gemini 3 ignores a thinking budget; default: it refuses one. */
  thinkingBudgetIgnored?: boolean
  /** Error of a stream: status 200 and an error frame, as captured (default), or the error's own status. */
  textErrorsAs?: 'frame' | 'status'
}

export type TextSettings = Required<Omit<TextOptions, 'textRequestsPerMinute'>>

export function textSettings(options: TextOptions): TextSettings {
  const { geminiKey = 'AIza-emulator', textLatency = { base: 0, perWord: 0 } } = options
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
