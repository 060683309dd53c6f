// Selects the text of a transcript that is shown: formatted where present, otherwise as recognised.
import type { Segment, Span, Transcript } from '../domain/transcript.ts'

/** Replaces the segments by the formatted ones, if any. All output formats show these; JSON has both. */
export function preferFormatted<T extends Transcript>(transcript: T): T {
  const { formatted } = transcript
  return formatted ? { ...transcript, segments: formatted.segments } : transcript
}

/** Keeps some of the segments, recognised and formatted ones alike. */
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

/** The part of a transcript within a time range; sentences that overlap the range belong to it. */
export function withinRange(transcript: Transcript, from = 0, to = Number.POSITIVE_INFINITY): Transcript {
  const isWithin = ({ start, end }: Span) => end > from && start < to
  const { coverage } = transcript
  return {
    ...filterSegments(transcript, isWithin),
    coverage: { ...coverage, gaps: coverage.gaps.filter(isWithin) },
  }
}

/** Returns the warnings of the transcript and of its formatting. */
export function allWarnings({ warnings, formatted }: Transcript): string[] {
  // Those of the formatting come first, as results truncate long lists.
  return [...(formatted?.warnings ?? []), ...warnings]
}
