// Notes and summaries that commands print to stderr, beside the text on stdout.
import { asLine } from '../../domain/text.ts'
import { minFormattedChars } from '../../domain/text-model.ts'
import type { Formatting, Style, Transcript } from '../../domain/transcript.ts'
import { describeFormatting, retryAdvice } from '../../server/results/formatting.ts'

export function printLine(line: string): void {
  process.stderr.write(`${asLine(line)}\n`)
}

export function printNote(sentence: string): void {
  printLine(`Note: ${sentence}`)
}

/** Prints how a text was formatted, with its warnings and how to retry failed parts. */
export function printFormatting(formatting: Formatting): void {
  const described = describeFormatting(formatting)
  if (formatting.models.length > 0) printLine(`${described.charAt(0).toUpperCase()}${described.slice(1)}.`)
  const advice = retryAdvice(formatting, 'the same command')
  for (const sentence of [...formatting.warnings, ...(advice ? [advice] : [])]) printNote(sentence)
}

/** True if the transcript is not completely formatted in this style. */
export function isUnformatted({ formatted, segments }: Transcript, style: Style): boolean {
  const text = segments.map(segment => segment.text).join(' ')
  return isIncomplete(formatted?.style === style ? formatted : undefined, text)
}

/** True if parts of a text failed, or a text long enough to format was not formatted. */
export function isIncomplete(formatting: Formatting | undefined, text: string): boolean {
  if (formatting && formatting.pieces > 0) return formatting.failed > 0
  return [...text.trim()].length > minFormattedChars
}
