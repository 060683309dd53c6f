// Markdown output of a transcript.
import { formatTime } from '../domain/format-time.ts'
import { languageName } from '../domain/languages.ts'
import type { TranscriptStatus } from '../domain/transcript.ts'
import { allWarnings } from './shown-segments.ts'
import { labelOf, speakerShares, unknownSpeakerNote } from './speakers.ts'
import { type FilteredTranscript, paragraphsWithGaps } from './text.ts'

/** Renders title, facts, warnings and timed paragraphs. */
export function markdown(transcript: FilteredTranscript): string {
  const { title, createdAt, duration, language, status, speakers, coverage, formatted } = transcript
  const note = statusNote(status)
  const gaps = coverage.gaps.length
  const facts = [
    `Transcript of ${formatTime(duration)}`,
    ...(language ? [languageName(language)] : []),
    `created ${createdAt.slice(0, 10)}`,
    ...(formatted?.models.length ? [`formatted by ${escapeMarkdown(formatted.models.join(', '))}`] : []),
    ...(note ? [`**${note}${gaps ? `: ${gaps} gap(s)` : ''}**`] : []),
  ]
  const speakerList = speakers?.length ? [`Speakers: ${escapeMarkdown(speakerShares(speakers))}`] : []
  const labelFor = labelOf(transcript)
  const body = paragraphsWithGaps(transcript).map(paragraph => {
    const label = labelFor(paragraph)
    const head = `[${formatTime(paragraph.start)}]${label === undefined ? '' : ` ${escapeMarkdown(label)}:`}`
    return `**${head}** ${escapeMarkdown(paragraph.text)}`
  })
  const notes = [...unknownSpeakerNote(transcript), ...allWarnings(transcript)].map(warning => `> ${warning}`)
  return `${[`# ${escapeMarkdown(title)}`, facts.join(' · '), ...speakerList, ...notes, ...body].join('\n\n')}\n`
}

const statusNotes: Record<TranscriptStatus, string | undefined> = {
  completed: undefined,
  partial: 'incomplete',
  running: 'still being transcribed',
  failed: 'incomplete, since it failed',
  cancelled: 'incomplete, since it was cancelled',
}

/** Says in a few words why a transcript is incomplete; undefined for a complete one. */
export function statusNote(status: TranscriptStatus): string | undefined {
  return statusNotes[status]
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_[\]<>#&~]/g, '\\$&').replace(/\s+/g, ' ')
}
