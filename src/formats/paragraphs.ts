// Groups segments into paragraphs that a person can read: of one speaker each, and never too long. Where the text was
// formatted they begin as it says, otherwise behind pauses.
import { joinText } from '../domain/text.ts'
import type { Segment, Span } from '../domain/transcript.ts'

export interface Paragraph extends Span {
  text: string
  /** As in its segments. */
  speaker?: string | null
}

/** A pause of this many seconds ends a paragraph; where the speaker is known to stay the same, or the text says where one begins, only a longer one does. */
const [pause, longPause] = [1.5, 5]
/** A sentence that would make it longer than this opens a new one; the text's own paragraphs may be longer. */
const [longest, longestFormatted] = [30, 60]

export function paragraphs(segments: Segment[]): Paragraph[] {
  const found: Paragraph[] = []
  let open: Paragraph | undefined
  for (const segment of segments) {
    const { start, end, text, speaker } = segment
    if (open && goesOn(open, segment)) {
      open.text = joinText(open.text, text)
      open.end = end
    } else {
      open = { start, end, text, ...(speaker !== undefined && { speaker }) }
      found.push(open)
    }
  }
  return found
}

function goesOn(open: Paragraph, { start, end, speaker, opens }: Segment): boolean {
  if (opens || speaker !== open.speaker) return false
  const isFormatted = opens !== undefined
  const mostPause = speaker || isFormatted ? longPause : pause
  return start - open.end < mostPause && end - open.start <= (isFormatted ? longestFormatted : longest)
}
