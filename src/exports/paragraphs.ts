// Groups segments into paragraphs that a person can read: of one speaker each, broken at pauses, and never too long.
import { joinText } from '../domain/text.ts'
import type { Segment, Span } from '../domain/transcript.ts'

export interface Paragraph extends Span {
  text: string
  /** As in its segments. */
  speaker?: string | null
}

/** A pause of this many seconds ends a paragraph; where the speaker is known to stay the same, only a longer one does. */
const [pause, pauseOfOne] = [1.5, 5]
/** A sentence that would make it longer than this opens a new one. */
const longest = 30

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

function goesOn(open: Paragraph, { start, end, speaker }: Segment): boolean {
  const most = speaker ? pauseOfOne : pause
  return speaker === open.speaker && start - open.end < most && end - open.start <= longest
}
