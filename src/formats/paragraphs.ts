// Groups segments into readable paragraphs: by formatted paragraph starts or pauses, by speaker, and by length.
import { joinText } from '../domain/text.ts'
import type { Segment, Span } from '../domain/transcript.ts'

export interface Paragraph extends Span {
  text: string
  /** The speaker of its segments. */
  speaker?: string | null
  /** True where the text stands for a stretch without text. */
  isGap?: true
}

/** A pause that ends a paragraph. */
const minPauseSeconds = 1.5
/** The same where the speaker is known to continue, or the formatted text marks its paragraphs. */
const minLongPauseSeconds = 5
/** A paragraph this long takes no further sentence. */
const maxParagraphSeconds = 30
/** The same for paragraphs of formatted text. */
const maxFormattedSeconds = 60

/** Groups segments, which are in order, into paragraphs of one speaker each. */
export function* paragraphs(segments: Iterable<Segment>): Generator<Paragraph> {
  let open: Paragraph | undefined
  for (const segment of segments) {
    const { start, end, text, speaker } = segment
    if (open && continues(open, segment)) {
      open.text = joinText(open.text, text)
      open.end = end
    } else {
      if (open) yield open
      open = { start, end, text, ...(speaker !== undefined && { speaker }) }
    }
  }
  if (open) yield open
}

function continues(open: Paragraph, { start, end, speaker, opens }: Segment): boolean {
  if (opens || speaker !== open.speaker) return false
  const isFormatted = opens !== undefined
  const maxPause = speaker || isFormatted ? minLongPauseSeconds : minPauseSeconds
  const maxLength = isFormatted ? maxFormattedSeconds : maxParagraphSeconds
  return start - open.end < maxPause && end - open.start <= maxLength
}
