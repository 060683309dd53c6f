// Groups segments into paragraphs that a person can read: broken at pauses, and never too long.
import { joinText } from '../domain/text.ts'
import type { Segment, Span } from '../domain/transcript.ts'

export interface Paragraph extends Span {
  text: string
}

/** A pause of this many seconds ends a paragraph; after this many seconds the next sentence opens a new one. */
const pause = 1.5
const longest = 30

export function paragraphs(segments: Segment[]): Paragraph[] {
  const found: Paragraph[] = []
  let open: Paragraph | undefined
  for (const { start, end, text } of segments) {
    if (open && start - open.end < pause && end - open.start <= longest) {
      open.text = joinText(open.text, text)
      open.end = end
    } else {
      open = { start, end, text }
      found.push(open)
    }
  }
  return found
}
