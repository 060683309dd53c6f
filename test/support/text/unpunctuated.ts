// Unpunctuated speech, as recognised.
import { tokens } from '../../../src/domain/tokens.ts'
import type { Segment, Transcript } from '../../../src/domain/transcript.ts'
import { segment, transcript } from '../transcripts.ts'

/** About 700 characters that differ for each number. */
export function numberedSentences(number: number): string {
  const turns = Array.from(
    { length: 10 },
    (_, i) => `then ${number + i} of them came back to say what they had seen at gate ${number * 31 + i}`,
  )
  return `the talk goes on with passage ${number} and ${turns.join(' and ')}`
}

/** Returns a text of many pieces. */
export function longText(passages = 30): string {
  return Array.from({ length: passages }, (_, i) => numberedSentences(i)).join('\n\n')
}

/** Returns a transcript of many pieces. */
export function longTranscript(id: string, passages = 30): Transcript {
  const segments = Array.from({ length: passages }, (_, i) =>
    segment(numberedSentences(i), i * 60, i * 60 + 55),
  )
  return transcript({ id, segments })
}

/** Returns the words of segments, without case and punctuation. */
export function wordsOf(segments: Segment[]): string[] {
  return segments.flatMap(({ text }) => tokens(text).map(({ key }) => key))
}
