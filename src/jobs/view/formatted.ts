// Formatted text of a transcript: stored beside it, and added for readers while it still matches the words.
import { minFormattedChars } from '../../domain/text-model.ts'
import type { FormattedSegments, Formatting, Style, Transcript } from '../../domain/transcript.ts'
import { segmentsHash } from '../../pipeline/formatting/format-text.ts'
import { isUnformattedWarning } from './format-warnings.ts'

/** The stored part of a formatting. */
export interface StoredFormat {
  formatted: FormattedSegments
  /** ISO code that the model was given; absent where none was known. */
  language?: string
}

/** It is stored as a checkpoint of the transcript, and deleted with the others. */
export function formatCheckpointKey(id: string): string {
  return `formatted:${id}`
}

export function isStoredFormat(value: unknown): value is StoredFormat {
  const { of, segments } = (value as Partial<StoredFormat> | undefined)?.formatted ?? {}
  return typeof of === 'string' && Array.isArray(segments)
}

/** False where no model has answered. */
export function isWorthStoring({ models }: Formatting): boolean {
  return models.length > 0
}

/** True where the text is too short to be formatted. */
export function isTooShort({ segments }: Pick<Transcript, 'segments'>): boolean {
  let left = minFormattedChars
  return segments.every(({ text }) => {
    left -= [...text.trim()].length + 1
    return left >= -1
  })
}

/** True where the formatted text has this style and matches the current words. */
export function isCurrent(
  stored: StoredFormat | undefined,
  { segments }: Pick<Transcript, 'segments'>,
  style: Style,
): stored is StoredFormat {
  return stored?.formatted.style === style && stored.formatted.of === segmentsHash(segments)
}

const outdated = 'The words have changed since the text was formatted; format_text formats it again.'

/** Adds the formatted text if it matches the words. The words of a running job still change. */
export function withFormatted(transcript: Transcript, stored: StoredFormat | undefined): Transcript {
  if (!stored || transcript.status === 'running') return transcript
  const { formatted } = stored
  if (formatted.of !== segmentsHash(transcript.segments))
    return { ...transcript, warnings: [...transcript.warnings, outdated] }
  const warnings = transcript.warnings.filter(warning => !isUnformattedWarning(warning))
  return { ...transcript, formatted, warnings }
}
