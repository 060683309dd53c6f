// The texts that people and models read: with times, plain, as an outline, as Markdown.
import { languageName } from '../domain/languages.ts'
import { clock } from '../domain/text.ts'
import type { Gap, Transcript, TranscriptStatus } from '../domain/transcript.ts'
import { type Paragraph, paragraphs } from './paragraphs.ts'

/** `[mm:ss] …`, a paragraph a line; a gap has a line of its own where it lies. */
export function timedText(transcript: Transcript): string {
  return withGaps(transcript)
    .map(({ start, text }) => `[${clock(start)}] ${text}`)
    .join('\n')
}

/** The words alone, a paragraph a block; a hole shows as a hole. */
export function plainText(transcript: Transcript): string {
  return withGaps(transcript)
    .map(({ text }) => text)
    .join('\n\n')
}

/** About thirty lines whatever the length: where in the recording what is said, by the first words of each part. */
export function outline({ segments, duration }: Transcript): string {
  const step = Math.max(30, duration / 30)
  const lines: string[] = []
  let next = 0
  for (const { start, text } of paragraphs(segments)) {
    if (start < next) continue
    lines.push(`[${clock(start)}] ${firstWords(text)}`)
    next = start + step
  }
  return lines.join('\n')
}

export function markdown(transcript: Transcript): string {
  const { title, createdAt, duration, language, status, coverage, warnings } = transcript
  const lack = shortfall(status)
  const facts = [
    `Recorded text of ${clock(duration)}`,
    ...(language ? [languageName(language)] : []),
    `made ${createdAt.slice(0, 10)}`,
    ...(lack ? [`**${lack}: ${coverage.gaps.length} gap(s)**`] : []),
  ]
  const body = withGaps(transcript).map(({ start, text }) => `**[${clock(start)}]** ${escapeMarkdown(text)}`)
  const notes = warnings.map(warning => `> ${warning}`)
  return `${[`# ${escapeMarkdown(title)}`, facts.join(' · '), ...notes, ...body].join('\n\n')}\n`
}

const shortfalls: Record<TranscriptStatus, string | undefined> = {
  completed: undefined,
  partial: 'incomplete',
  running: 'still being transcribed',
  failed: 'incomplete, as it failed',
  cancelled: 'incomplete, as it was cancelled',
}

/** In what a transcript falls short, in a few words; undefined where it is whole. */
export function shortfall(status: TranscriptStatus): string | undefined {
  return shortfalls[status]
}

/** Paragraphs, parted by a hole where one lies. */
function withGaps({ segments, coverage }: Transcript): Paragraph[] {
  const found: Paragraph[] = []
  let from = 0
  for (const gap of coverage.gaps) {
    const after = segments.findIndex(({ start }, i) => i >= from && start >= gap.start)
    const to = after < 0 ? segments.length : after
    found.push(...paragraphs(segments.slice(from, to)), hole(gap))
    from = to
  }
  return [...found, ...paragraphs(segments.slice(from))]
}

function hole({ start, end, reason }: Gap): Paragraph {
  return { start, end, text: `[no text from ${clock(start)} to ${clock(end)}: ${reason}]` }
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
