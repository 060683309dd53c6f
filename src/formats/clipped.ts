// The text of a clip: sentences that are in it, and of those at its ends the words that are.
import { joinText } from '../domain/text.ts'
import type { Segment, Span, Transcript } from '../domain/transcript.ts'
import { preferFormatted, withinRange } from './shown-segments.ts'
import { timedWords } from './timed-words.ts'

/** A sentence that is longer by no more was cut in the pause beside it. */
const toleranceSeconds = 0.3

export function clipped(transcript: Transcript, { start, end }: Span): Transcript {
  const { formatted: _, ...shown } = preferFormatted(transcript)
  const within = withinRange(shown, start, end)
  const isInside = (middle: number) => middle >= start && middle < end
  const segments = within.segments.flatMap((segment): Segment[] => {
    if (segment.start >= start - toleranceSeconds && segment.end <= end + toleranceSeconds)
      return isInside((segment.start + segment.end) / 2) ? [segment] : []
    const words = timedWords(segment).filter(word => isInside((word.start + word.end) / 2))
    const [first, last] = [words[0], words.at(-1)]
    if (!first || !last) return []
    const text = words.map(word => word.text).reduce(joinText)
    return [{ ...segment, start: first.start, end: last.end, text, words: undefined }]
  })
  return { ...within, segments }
}
