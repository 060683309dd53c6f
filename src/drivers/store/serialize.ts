// Serialises a transcript in slices, because four hours of words would block the event loop too long.
import { terms } from '../../domain/reading/search-terms.ts'
import { slices } from '../../domain/reading/turns.ts'
import type { Segment, Transcript, TranscriptSummary } from '../../domain/transcript.ts'

export interface SerializedTranscript {
  /** JSON of the whole transcript. */
  body: string
  /** Search terms of the title. */
  title: string
  /** Search terms of speaker names and text. */
  text: string
}

export async function serialize({ segments, ...rest }: Transcript): Promise<SerializedTranscript> {
  const head = JSON.stringify(rest).slice(0, -1)
  const title = terms(rest.title)
  const json: string[] = []
  const text = rest.speakers?.flatMap(({ name }) => (name ? [terms(name)] : [])) ?? []
  for await (const slice of slices(segments)) {
    json.push(JSON.stringify(slice).slice(1, -1))
    text.push(terms(slice.map(segment => segment.text).join(' ')))
  }
  return { body: `${head},"segments":[\n${json.join(',\n')}\n]}`, title, text: text.join(' ') }
}

/** Parses a body in slices: a line break, which is nowhere else in it, separates them. Throws `SyntaxError`. */
export async function parseBody(body: string): Promise<Transcript> {
  const [head, ...lines] = body.split('\n')
  if (lines.length === 0) return JSON.parse(body) as Transcript
  const segments: Segment[] = []
  for await (const [line] of slices(lines.slice(0, -1), 1))
    segments.push(...(JSON.parse(`[${line!.replace(/,$/, '')}]`) as Segment[]))
  return { ...(JSON.parse(`${head}${lines.at(-1)}`) as Transcript), segments }
}

/** The facts of a transcript that lists show. */
export function summaryOf({
  id,
  title,
  createdAt,
  status,
  language,
  duration,
}: Transcript): TranscriptSummary {
  return { id, title, createdAt, status, duration, ...(language && { language }) }
}
