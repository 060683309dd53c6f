// Markdown output of a transcript.
import { formatTime } from '../domain/format-time.ts'
import { mapInTurns } from '../domain/waiting/turns.ts'
import { documentHead } from './head.ts'
import { labelOf } from './speakers.ts'
import { type FilteredTranscript, paragraphsWithGaps } from './text.ts'

/** Renders title, facts, warnings and timed paragraphs. */
export async function markdown(transcript: FilteredTranscript): Promise<string> {
  const { facts, missing, speakers, notes } = documentHead(transcript)
  const labelFor = labelOf(transcript)
  const body = await mapInTurns(paragraphsWithGaps(transcript), paragraph => {
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

const address = /\b(?:https?:\/\/|www\.)[^\s<>()[\]"'“”`*\\$]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g

/** `$`, `^` and `@` begin formulas, raised text and citations in pandoc. Escapes within an address would break its link. */
function escapeMarkdown(text: string): string {
  let from = 0
  let escaped = ''
  const escapeMarks = (part: string) => part.replace(/[\\`*_[\]<>#&~$^@]/g, '\\$&').replace(/\s+/g, ' ')
  for (const { 0: link, index } of text.matchAll(address)) {
    escaped += escapeMarks(text.slice(from, index)) + link
    from = index + link.length
  }
  return escaped + escapeMarks(text.slice(from))
}
