// What lies beside a transcript whose text was made readable, and how a reader gets it.
import { minFormattedChars } from '../../domain/text-model.ts'
import type { FormattedSegments, Formatting, Style, Transcript } from '../../domain/transcript.ts'
import { segmentsHash } from '../../pipeline/formatting/format-text.ts'
import { textUnchanged } from '../../pipeline/formatting/summary.ts'

/** What is kept of a formatting, apart from the transcript. */
export interface KeptFormat {
  formatted: FormattedSegments
  /** ISO code by which it was made; absent where none was known. */
  language?: string
}

/** It is kept as one of the transcript's checkpoints, and goes with them. */
export function formatKey(id: string): string {
  return `formatted:${id}`
}

export function isKeptFormat(value: unknown): value is KeptFormat {
  const { of, segments } = (value as Partial<KeptFormat> | undefined)?.formatted ?? {}
  return typeof of === 'string' && Array.isArray(segments)
}

/** False where no model has answered: there is nothing to keep. */
export function isWorthKeeping({ models }: Formatting): boolean {
  return models.length > 0
}

/** True where the text is too short to be formatted. */
export function isShort({ segments }: Pick<Transcript, 'segments'>): boolean {
  let left = minFormattedChars
  return segments.every(({ text }) => {
    left -= [...text.trim()].length + 1
    return left >= -1
  })
}

/** True where it is of the words as they are now. */
export function isCurrent(
  kept: KeptFormat | undefined,
  { segments }: Pick<Transcript, 'segments'>,
  style: Style,
): kept is KeptFormat {
  return kept?.formatted.style === style && kept.formatted.of === segmentsHash(segments)
}

const unformatted = 'The text was not formatted:'
const outdated = 'The words have changed since the text was formatted; format_text formats it again.'

/** What a job says that could not have its text formatted; when it is formatted later, that is no longer said. */
export function tellUnformatted(reason: string): string {
  return `${unformatted} ${reason.replace(`${textUnchanged} `, '')}`
}

/** What the job of a transcript has said of that. */
export function toldUnformatted({ warnings }: Pick<Transcript, 'warnings'>): string[] {
  return warnings.filter(warning => warning.startsWith(unformatted))
}

/** The transcript with the newest reasons why it is not formatted, in the place of what its job has said of that. */
export function withFormatWarnings<T extends Pick<Transcript, 'warnings'>>(
  transcript: T,
  reasons: string[],
): T {
  if (reasons.length === 0) return transcript
  const others = transcript.warnings.filter(one => !one.startsWith(unformatted) && !reasons.includes(one))
  return { ...transcript, warnings: [...reasons, ...others] }
}

/** The transcript with its formatted text, if that is of its words. While it is made its words come and go. */
export function withFormatted(transcript: Transcript, kept: KeptFormat | undefined): Transcript {
  if (!kept || transcript.status === 'running') return transcript
  const { formatted } = kept
  if (formatted.of !== segmentsHash(transcript.segments))
    return { ...transcript, warnings: [...transcript.warnings, outdated] }
  const warnings = transcript.warnings.filter(warning => !warning.startsWith(unformatted))
  return { ...transcript, formatted, warnings }
}

/** As it is to be stored. */
export function withoutFormatted({ formatted: _, ...transcript }: Transcript): Transcript {
  return transcript
}
