// Markdown output of a transcript.
import { formatTime } from '../domain/format-time.ts'
import { documentHead } from './head.ts'
import { labelOf } from './speakers.ts'
import { type FilteredTranscript, paragraphsWithGaps } from './text.ts'

/** Renders title, facts, warnings and timed paragraphs. */
export function markdown(transcript: FilteredTranscript): string {
  const { facts, missing, speakers, notes } = documentHead(transcript)
  const labelFor = labelOf(transcript)
  const body = paragraphsWithGaps(transcript).map(paragraph => {
    const label = labelFor(paragraph)
    const head = `[${formatTime(paragraph.start)}]${label === undefined ? '' : ` ${escapeMarkdown(label)}:`}`
    return `**${head}** ${escapeMarkdown(paragraph.text)}`
  })
  const lines = [
    `# ${escapeMarkdown(transcript.title)}`,
    [...facts.map(escapeMarkdown), ...(missing ? [`**${missing}**`] : [])].join(' · '),
    ...(speakers ? [escapeMarkdown(speakers)] : []),
    ...notes.map(note => `> ${note}`),
    ...body,
  ]
  return `${lines.join('\n\n')}\n`
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_[\]<>#&~]/g, '\\$&').replace(/\s+/g, ' ')
}
