// Talk without a mark or a capital, as recognisers write it.
import { tokens } from '../../../src/domain/tokens.ts'
import type { Segment, Transcript } from '../../../src/domain/transcript.ts'
import { segment, transcript } from '../transcripts.ts'

/** Some seven hundred characters, unlike those of any other number. */
export function numberedSentences(number: number): string {
  const turns = Array.from(
    { length: 10 },
    (_, i) => `then ${number + i} of them came back to say what they had seen at gate ${number * 31 + i}`,
  )
  return `the talk goes on with passage ${number} and ${turns.join(' and ')}`
}

/** A text of many pieces. */
export function longText(passages = 30): string {
  return Array.from({ length: passages }, (_, i) => numberedSentences(i)).join('\n\n')
}

/** A transcript of many pieces. */
export function longTranscript(id: string, passages = 30): Transcript {
  const segments = Array.from({ length: passages }, (_, i) =>
    segment(numberedSentences(i), i * 60, i * 60 + 55),
  )
  return transcript({ id, segments })
}

/** What is said, whatever it looks like. */
export function wordsOf(segments: Segment[]): string[] {
  return segments.flatMap(({ text }) => tokens(text).map(({ key }) => key))
}
