// Warnings of a transcript about its formatting. The tools add them, so this file needs none of the formatting itself.
import type { Transcript } from '../../domain/transcript.ts'
import { textUnchanged } from '../../pipeline/formatting/summary.ts'

const unformatted = 'The text was not formatted:'

/** Warning of a job whose text could not be formatted; a later formatting removes it. */
export function unformattedWarning(reason: string): string {
  return `${unformatted} ${reason.replace(`${textUnchanged} `, '')}`
}

export function isUnformattedWarning(warning: string): boolean {
  return warning.startsWith(unformatted)
}

/** The warnings of that kind in a transcript. */
export function unformattedWarnings({ warnings }: Pick<Transcript, 'warnings'>): string[] {
  return warnings.filter(isUnformattedWarning)
}

/** Replaces the job's warnings about formatting with newer ones. */
export function withFormatWarnings<T extends Pick<Transcript, 'warnings'>>(
  transcript: T,
  newer: string[],
): T {
  if (newer.length === 0) return transcript
  const others = transcript.warnings.filter(one => !isUnformattedWarning(one) && !newer.includes(one))
  return { ...transcript, warnings: [...newer, ...others] }
}
