// Serialises a transcript in slices, because four hours of words would block the event loop too long.
import { terms } from '../../domain/reading/search-terms.ts'
import type { Segment, Transcript, TranscriptSummary } from '../../domain/transcript.ts'
import { inTurns, slices } from '../../domain/waiting/turns.ts'

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

/** Parses the lines of a body: each is a slice, as line breaks are nowhere else in it. Throws `SyntaxError`. */
export async function parseBody(lines: Iterable<string>): Promise<Transcript> {
  let head: string | undefined
  let last: string | undefined
  const segments: Segment[] = []
  for await (const line of inTurns(lines)) {
    if (last !== undefined) segments.push(...(JSON.parse(`[${last.replace(/,$/, '')}]`) as Segment[]))
    if (head === undefined) head = line
    else last = line
  }
  if (last === undefined) return JSON.parse(head ?? '') as Transcript
  return { ...(JSON.parse(`${head}${last}`) as Transcript), segments }
}

const maxItemsAtOnce = 250

/** JSON of a value whose lists may be long. */
export async function stringify(value: unknown): Promise<string> {
  if (Array.isArray(value) && value.length > maxItemsAtOnce) {
    const json: string[] = []
    for await (const slice of slices(value)) json.push(JSON.stringify(slice).slice(1, -1))
    return `[${json.join(',')}]`
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || 'toJSON' in value)
    return JSON.stringify(value)
  const members: string[] = []
  for (const [key, member] of Object.entries(value))
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${await stringify(member)}`)
  return `{${members.join(',')}}`
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
