// Options of the text models, and their defaults.
import type { Forms } from '../forms.ts'
import type { GoneSettings } from '../models/gone.ts'

export interface TextOptions {
  /** The only key that Gemini accepts; default: `AIza-emulator`. */
  geminiKey?: string
  /** Seconds before the first word, and seconds per word. */
  textLatency?: { base: number; perWord: number }
  /** Per model; default: no limit. */
  textRequestsPerMinute?: number
  /** Sends the headers of a stream with its first word, not on acceptance. */
  lateTextHeaders?: boolean
  /** Models redirected to another; default: none. From 2026-12-01: `gemini-2.5-flash` → `gemini-3.5-flash-lite`. */
  redirectedTextModels?: Record<string, string>
  /** Gemini 3 ignores a thinking budget; default: it refuses one. */
  thinkingBudgetIgnored?: boolean
  /**
   * Error of a stream. `framed` (default): its own status, labelled JSON, but its body is an error frame. `frame`: status
   * 200 and an error frame. `status`: its own status and JSON. The first two were recorded.
   */
  textErrorsAs?: 'framed' | 'frame' | 'status'
}

export interface TextSettings extends Required<Omit<TextOptions, 'textRequestsPerMinute'>> {
  gone: GoneSettings
  forms: Forms
}

export function textSettings(
  options: TextOptions,
  account: Pick<TextSettings, 'gone' | 'forms'>,
): TextSettings {
  const { geminiKey = 'AIza-emulator', textLatency = { base: 0, perWord: 0 } } = options
  const { lateTextHeaders = false, redirectedTextModels = {} } = options
  const { thinkingBudgetIgnored = false, textErrorsAs = 'framed' } = options
  return {
    ...account,
    geminiKey,
    textLatency,
    lateTextHeaders,
    redirectedTextModels,
    thinkingBudgetIgnored,
    textErrorsAs,
  }
}
