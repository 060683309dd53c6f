// What results say of a text that was made readable: how, by whom, and what there is to do about the rest.
import * as z from 'zod/v4'
import { SpeechError } from '../../domain/errors.ts'
import { isAutoDetect, languageCode } from '../../domain/languages.ts'
import type { Formatting, Style } from '../../domain/transcript.ts'

/** Loose, as it comes with each of the transcript tools: its fields are told in words. */
export const formattedOutput = z
  .looseObject({})
  .describe(
    'Of formatted text: style, models, changed (share of words), paragraphs, kept (unchanged ones), failed parts, removed fillers, usage',
  )

/** What a call of format_text takes beside its text. */
export interface FormatSettings {
  style: Style
  language?: string
}

/** What a person or a model calls a language, as formatting knows it: texts may be in more than are recognised. */
export function languageNamed(given: string | undefined): Pick<FormatSettings, 'language'> {
  const name = given?.trim() ?? ''
  if (name === '' || isAutoDetect(name)) return {}
  // Models write many more languages than we have names for.
  const code = languageCode(name) ?? /^([a-z]{2,3})(?:[-_][a-z0-9]+)*$/i.exec(name)?.[1]?.toLowerCase()
  if (code) return { language: code }
  throw new SpeechError('BAD_INPUT', 'The language is not known by that name.', {
    hint: 'Give its ISO code, such as nl, or leave it out.',
  })
}

/** What little money there is to tell is told with two digits that say something. */
export function usd(amount: number): string {
  if (amount <= 0) return '$0'
  const digits = amount < 0.01 ? Math.min(12, 1 - Math.floor(Math.log10(amount))) : 4
  return `$${amount.toFixed(digits)}`
}

export function describeFormatting(formatting: Formatting): string {
  // The warnings say why.
  if (formatting.models.length === 0) return 'formatted: no'
  const { style, models, changed, paragraphs, kept, pieces, failed, removed, usage } = formatting
  const gone = Object.entries(removed).map(([filler, count]) => `${filler} ${count}`)
  const cost = usage.costUsd === undefined ? '' : `, ${usd(usage.costUsd)}`
  const facts = [
    `${style}, by ${models.join(', ')}`,
    `${Math.round(100 * changed)} % of the words look otherwise`,
    `paragraphs ${paragraphs}, of them left as they were ${kept}`,
    ...(failed > 0 ? [`parts without an answer ${failed} of ${pieces}`] : []),
    ...(gone.length > 0 ? [`left out: ${gone.join(', ')}`] : []),
    `tokens in ${usage.inputTokens}, out ${usage.outputTokens}${cost}`,
  ]
  return `formatted: ${facts.join('; ')}`
}

/** Undefined where every part got its answer. `call` says how to ask again. */
export function askForTheRest({ pieces, failed }: Formatting, call: string): string | undefined {
  if (failed === 0) return undefined
  if (failed === pieces) return `The text stands as it came; once the reason is gone, ${call} asks for it.`
  return `${failed} of ${pieces} parts stand as they came; ${call} asks only for those.`
}

export function callFor(id: string, { style, language }: FormatSettings): string {
  const settings = [
    `transcript_id=${id}`,
    ...(style === 'faithful' ? [] : [`style=${style}`]),
    ...(language === undefined ? [] : [`language=${JSON.stringify(language)}`]),
  ]
  return `format_text with ${settings.join(', ')}`
}
