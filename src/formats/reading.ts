// Which words of a transcript are shown: the formatted ones where there are some, otherwise those that were recognised.
import type { Segment, Transcript } from '../domain/transcript.ts'

/** As people want to read it. Every form but JSON, which has both, shows this. */
export function preferFormatted<T extends Transcript>(transcript: T): T {
  const { formatted } = transcript
  return formatted ? { ...transcript, segments: formatted.segments } : transcript
}

/** As it was heard, without what was made of it. */
export function asRecognised<T extends Transcript>(transcript: T): Omit<T, 'formatted'> {
  const { formatted: _, ...recognised } = transcript
  return recognised
}

/** With some of its segments only, both of those that were recognised and of those that were formatted. */
export function filterSegments<T extends Transcript>(
  transcript: T,
  isKept: (segment: Segment) => boolean,
): T {
  const { segments, formatted } = transcript
  return {
    ...transcript,
    segments: segments.filter(isKept),
    ...(formatted && { formatted: { ...formatted, segments: formatted.segments.filter(isKept) } }),
  }
}

/** Whatever the reader should know of it, with what is to be said of its formatting. */
export function allWarnings({ warnings, formatted }: Transcript): string[] {
  // They come first: a list of many is cut.
  return [...(formatted?.warnings ?? []), ...warnings]
}
