// The texts that people and models read: with times, plain, as an outline, as Markdown.

import { formatTime } from '../domain/format-time.ts'
import { languageName } from '../domain/languages.ts'
import type { Gap, Segment, Transcript, TranscriptStatus } from '../domain/transcript.ts'
import { type Paragraph, paragraphs } from './paragraphs.ts'
import { allWarnings, preferFormatted } from './reading.ts'
import { labelOf, speakerShares, unknownSpeakerNote } from './speakers.ts'

export interface FilteredTranscript extends Transcript {
  /** Ids of those whose turns alone are shown; the turns of others still part them. */
  onlySpeakers?: string[]
}

/** `[mm:ss] …` or `[mm:ss] S1: …`, a paragraph a line; a gap has a line of its own where it lies. */
export function timedText(transcript: FilteredTranscript): string {
  const said = sayer(transcript)
  return withGaps(transcript)
    .map(paragraph => `[${formatTime(paragraph.start)}] ${said(paragraph)}`)
    .join('\n')
}

/** The words without times, a paragraph a block, and who says it where that is known; a hole shows as a hole. */
export function plainText(transcript: FilteredTranscript): string {
  return withGaps(transcript).map(sayer(transcript)).join('\n\n')
}

/** At most thirty lines whatever the length: where in what is shown what is said, by the first words of each part. */
export function outline(transcript: FilteredTranscript): string {
  const { segments, onlySpeakers } = preferFormatted(transcript)
  const parts = shown(segments, onlySpeakers)
  const length = (parts.at(-1)?.start ?? 0) - (parts[0]?.start ?? 0)
  const step = Math.max(30, length / 29)
  const said = sayer(transcript)
  const lines: string[] = []
  let next = 0
  for (const paragraph of parts) {
    if (paragraph.start < next) continue
    lines.push(`[${formatTime(paragraph.start)}] ${said({ ...paragraph, text: firstWords(paragraph.text) })}`)
    next = paragraph.start + step
  }
  return lines.join('\n')
}

export function markdown(transcript: FilteredTranscript): string {
  const { title, createdAt, duration, language, status, speakers, coverage, formatted } = transcript
  const lack = statusNote(status)
  const gaps = coverage.gaps.length
  const facts = [
    `Recorded text of ${formatTime(duration)}`,
    ...(language ? [languageName(language)] : []),
    `made ${createdAt.slice(0, 10)}`,
    ...(formatted?.models.length ? [`formatted by ${escapeMarkdown(formatted.models.join(', '))}`] : []),
    ...(lack ? [`**${lack}${gaps ? `: ${gaps} gap(s)` : ''}**`] : []),
  ]
  const who = speakers?.length ? [`Speakers: ${escapeMarkdown(speakerShares(speakers))}`] : []
  const label = labelOf(transcript)
  const body = withGaps(transcript).map(paragraph => {
    const by = label(paragraph)
    const head = `[${formatTime(paragraph.start)}]${by === undefined ? '' : ` ${escapeMarkdown(by)}:`}`
    return `**${head}** ${escapeMarkdown(paragraph.text)}`
  })
  const notes = [...unknownSpeakerNote(transcript), ...allWarnings(transcript)].map(warning => `> ${warning}`)
  return `${[`# ${escapeMarkdown(title)}`, facts.join(' · '), ...who, ...notes, ...body].join('\n\n')}\n`
}

const shortfalls: Record<TranscriptStatus, string | undefined> = {
  completed: undefined,
  partial: 'incomplete',
  running: 'still being transcribed',
  failed: 'incomplete, as it failed',
  cancelled: 'incomplete, as it was cancelled',
}

/** In what a transcript falls short, in a few words; undefined where it is whole. */
export function statusNote(status: TranscriptStatus): string | undefined {
  return shortfalls[status]
}

/** A paragraph's text, behind the one who says it. */
function sayer(transcript: Transcript): (paragraph: Paragraph) => string {
  const label = labelOf(transcript)
  return paragraph => {
    const by = label(paragraph)
    return by === undefined ? paragraph.text : `${by}: ${paragraph.text}`
  }
}

/** Paragraphs, parted by a hole where one lies. */
function withGaps(transcript: FilteredTranscript): Paragraph[] {
  const { segments, coverage, onlySpeakers } = preferFormatted(transcript)
  const found: Paragraph[] = []
  let from = 0
  for (const gap of coverage.gaps) {
    const after = segments.findIndex(({ start }, i) => i >= from && start >= gap.start)
    const to = after < 0 ? segments.length : after
    found.push(...shown(segments.slice(from, to), onlySpeakers), hole(gap))
    from = to
  }
  return [...found, ...shown(segments.slice(from), onlySpeakers)]
}

function shown(segments: Segment[], only: string[] | undefined): Paragraph[] {
  return paragraphs(segments).filter(({ speaker }) => !only || (speaker && only.includes(speaker)))
}

function hole({ start, end, reason }: Gap): Paragraph {
  return { start, end, text: `[no text from ${formatTime(start)} to ${formatTime(end)}: ${reason}]` }
}

function firstWords(text: string): string {
  if (text.length <= 90) return text
  const cut = text.slice(0, 90).replace(/[\ud800-\udbff]$/, '')
  const blank = cut.lastIndexOf(' ')
  return `${blank > 50 ? cut.slice(0, blank) : cut}…`
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_[\]<>#&~]/g, '\\$&').replace(/\s+/g, ' ')
}
