// The words of a segment with their times: measured where the model gave them, otherwise by length.
import { tokens } from '../domain/tokens.ts'
import { roundToMs, type Segment, type Span } from '../domain/transcript.ts'

export interface TimedWord extends Span {
  /** As written, with the punctuation that follows. */
  text: string
  /** True where the time is spread by length over a longer stretch, or that stretch's own time is estimated. */
  isEstimated: boolean
}

/** Words in order; in scripts without spaces each ideograph is one. */
export function timedWords({ words, estimated, ...whole }: Segment): TimedWord[] {
  return (words?.length ? words : [whole]).flatMap(stretch => {
    const { text, start, end } = stretch
    const found = tokens(text)
    const from = found.map((_, i) => (i === 0 ? 0 : found[i]!.start))
    const timeAt = (offset: number) => roundToMs(start + ((end - start) * offset) / text.length)
    return found.map((_, i) => {
      const to = from[i + 1] ?? text.length
      return {
        text: text.slice(from[i], to).trim(),
        start: timeAt(from[i]!),
        end: timeAt(to),
        isEstimated: estimated || found.length > 1,
      }
    })
  })
}
