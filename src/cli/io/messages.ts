// What a person is told beside the text, on stderr.
import { minFormattedChars } from '../../domain/text-model.ts'
import type { Formatting, Style, Transcript } from '../../domain/transcript.ts'
import { describeFormatting, retryAdvice } from '../../server/results/formatting.ts'

export function note(sentence: string): void {
  process.stderr.write(`Note: ${sentence}\n`)
}

/** By whom and how a text was made readable, and what is to be said of that. */
export function noteFormatting(formatting: Formatting): void {
  const described = describeFormatting(formatting)
  if (formatting.models.length > 0)
    process.stderr.write(`${described.charAt(0).toUpperCase()}${described.slice(1)}.\n`)
  const rest = retryAdvice(formatting, 'the same command')
  for (const sentence of [...formatting.warnings, ...(rest ? [rest] : [])]) note(sentence)
}

/** True where the text was to be formatted, and is not, or not all of it. */
export function isUnformatted({ formatted, segments }: Transcript, style: Style): boolean {
  const text = segments.map(segment => segment.text).join(' ')
  return isLacking(formatted?.style === style ? formatted : undefined, text)
}

/** The same of any text. */
export function isLacking(formatting: Formatting | undefined, text: string): boolean {
  if (formatting && formatting.pieces > 0) return formatting.failed > 0
  return [...text.trim()].length > minFormattedChars
}
