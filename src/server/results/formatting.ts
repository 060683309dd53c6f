// The part of a result that describes formatted text: style, models, cost, and how to retry failed parts.
import * as z from 'zod/v4'
import { SpeechError } from '../../domain/errors.ts'
import { isAutoDetect, languageCode } from '../../domain/languages.ts'
import type { Formatting, Style } from '../../domain/transcript.ts'

/** Loose to save tokens: every transcript tool has it, so its fields are described in words only. */
export const formattedOutput = z
  .looseObject({})
  .describe('Style, models, share of words changed, failed parts, fillers, usage')

/** Arguments of format_text other than the text. */
export interface FormatSettings {
  style: Style
  language?: string
}

/** Parses a language name or code. Formatting accepts more languages than recognition. Throws `BAD_INPUT`. */
export function parseLanguage(given: string | undefined): Pick<FormatSettings, 'language'> {
  const name = given?.trim() ?? ''
  if (name === '' || isAutoDetect(name)) return {}
  // Models write many more languages than the table of names has.
  const code = languageCode(name) ?? /^([a-z]{2,3})(?:[-_][a-z0-9]+)*$/i.exec(name)?.[1]?.toLowerCase()
  if (code) return { language: code }
  throw new SpeechError('BAD_INPUT', 'Unknown language name.', {
    hint: 'Use the ISO code, such as nl, or omit it.',
  })
}

/** Formats an amount with four decimals, or below one cent with two significant digits. */
export function usd(amount: number): string {
  if (amount <= 0) return '$0'
  const digits = amount < 0.01 ? Math.min(12, 1 - Math.floor(Math.log10(amount))) : 4
  return `$${amount.toFixed(digits)}`
}

export function describeFormatting(formatting: Formatting): string {
  // The warnings give the reason.
  if (formatting.models.length === 0) return 'formatted: no'
  const { style, models, changed, paragraphs, kept, pieces, failed, removed, usage } = formatting
  const fillers = Object.entries(removed).map(([filler, count]) => `${filler} ${count}`)
  const cost = usage.costUsd === undefined ? '' : `, ${usd(usage.costUsd)}`
  const facts = [
    `${style}, by ${models.join(', ')}`,
    `${Math.round(100 * changed)} % of words changed in appearance`,
    `paragraphs ${paragraphs}, left unformatted ${kept}`,
    ...(failed > 0 ? [`failed parts ${failed} of ${pieces}`] : []),
    ...(fillers.length > 0 ? [`removed: ${fillers.join(', ')}`] : []),
    `tokens in ${usage.inputTokens}, out ${usage.outputTokens}${cost}`,
  ]
  return `formatted: ${facts.join('; ')}`
}

/** Says how to retry failed parts; undefined if there are none. `call` names the call that retries them. */
export function retryAdvice({ pieces, failed }: Formatting, call: string): string | undefined {
  if (failed === 0) return undefined
  if (failed === pieces) return `The text is unformatted. Once the cause is fixed, ${call} formats it.`
  return `${failed} of ${pieces} parts are unformatted; ${call} retries only those.`
}

export function formatCall(id: string, { style, language }: FormatSettings): string {
  const settings = [
    `transcript_id=${id}`,
    ...(style === 'faithful' ? [] : [`style=${style}`]),
    ...(language === undefined ? [] : [`language=${JSON.stringify(language)}`]),
  ]
  return `format_text with ${settings.join(', ')}`
}
