// Text outputs of a transcript: with times, plain, and as an outline.
import { formatTime } from '../domain/format-time.ts'
import type { Gap, Segment, Transcript } from '../domain/transcript.ts'
import { mapInTurns } from '../domain/waiting/turns.ts'
import { type Paragraph, paragraphs } from './paragraphs.ts'
import { preferFormatted } from './shown-segments.ts'
import { labelOf } from './speakers.ts'

export interface FilteredTranscript extends Transcript {
  /** Ids of the speakers whose turns are shown; the turns of others still separate them. */
  onlySpeakers?: string[]
}

/** One line a paragraph, `[mm:ss] …` or `[mm:ss] S1: …`; a gap is a line of its own. */
export function timedText(transcript: FilteredTranscript): string {
  const textOf = createTextOf(transcript)
  return [...paragraphsWithGaps(transcript)]
    .map(paragraph => `[${formatTime(paragraph.start)}] ${textOf(paragraph)}`)
    .join('\n')
}

/** Paragraphs without times, separated by empty lines, with speakers where known; a gap is a paragraph of its own. */
export function plainText(transcript: FilteredTranscript): string {
  return [...paragraphsWithGaps(transcript)].map(createTextOf(transcript)).join('\n\n')
}

/** The same, without blocking the event loop for long. */
export async function renderPlainText(transcript: FilteredTranscript): Promise<string> {
  return (await mapInTurns(paragraphsWithGaps(transcript), createTextOf(transcript))).join('\n\n')
}

const maxOutlineLines = 30
const minOutlineStepSeconds = 30
const maxOutlineChars = 90

/** At most 30 lines for any length: times and first words of paragraphs at regular intervals. */
export function outline(transcript: FilteredTranscript): string {
  const { segments, onlySpeakers } = preferFormatted(transcript)
  const shown = [...shownParagraphs(segments, onlySpeakers)]
  const length = (shown.at(-1)?.start ?? 0) - (shown[0]?.start ?? 0)
  const step = Math.max(minOutlineStepSeconds, length / (maxOutlineLines - 1))
  const textOf = createTextOf(transcript)
  const lines: string[] = []
  let next = 0
  for (const paragraph of shown) {
    if (paragraph.start < next) continue
    const text = textOf({ ...paragraph, text: firstWords(paragraph.text) })
    lines.push(`[${formatTime(paragraph.start)}] ${text}`)
    next = paragraph.start + step
  }
  return lines.join('\n')
}

/** Returns a function that gives the text of a paragraph, after its speaker's label. */
function createTextOf(transcript: Transcript): (paragraph: Paragraph) => string {
  const labelFor = labelOf(transcript)
  return paragraph => {
    const label = labelFor(paragraph)
    return label === undefined ? paragraph.text : `${label}: ${paragraph.text}`
  }
}

/** Yields the shown paragraphs, with gaps as paragraphs of their own. */
export function* paragraphsWithGaps(transcript: FilteredTranscript): Generator<Paragraph> {
  const { segments, coverage, onlySpeakers } = preferFormatted(transcript)
  let from = 0
  for (const gap of coverage.gaps) {
    let to = from
    while (to < segments.length && segments[to]!.start < gap.start) to++
    yield* shownParagraphs(segments.slice(from, to), onlySpeakers)
    yield gapParagraph(gap)
    from = to
  }
  yield* shownParagraphs(segments.slice(from), onlySpeakers)
}

function* shownParagraphs(segments: Segment[], speakers: string[] | undefined): Generator<Paragraph> {
  for (const paragraph of paragraphs(segments))
    if (!speakers || (paragraph.speaker && speakers.includes(paragraph.speaker))) yield paragraph
}

function gapParagraph({ start, end, reason }: Gap): Paragraph {
  const text = `[no text from ${formatTime(start)} to ${formatTime(end)}: ${reason}]`
  return { start, end, text, isGap: true }
}

function firstWords(text: string): string {
  if (text.length <= maxOutlineChars) return text
  const cut = text.slice(0, maxOutlineChars).replace(/[\ud800-\udbff]$/, '')
  const space = cut.lastIndexOf(' ')
  return `${space > 50 ? cut.slice(0, space) : cut}…`
}
