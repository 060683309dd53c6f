// Serialises a transcript in slices, because four hours of words would block the event loop too long.
import { setImmediate } from 'node:timers/promises'
import { terms } from '../../domain/reading/search-terms.ts'
import type { Segment, Transcript, TranscriptSummary } from '../../domain/transcript.ts'

export interface SerializedTranscript {
  /** JSON of the whole transcript. */
  body: string
  /** Search terms of the title. */
  title: string
  /** Search terms of speaker names and text. */
  text: string
}

/** About 3,000 words, which take 3 ms. */
const segmentsPerSlice = 250

export async function serialize({ segments, ...rest }: Transcript): Promise<SerializedTranscript> {
  const head = JSON.stringify(rest).slice(0, -1)
  const title = terms(rest.title)
  const json: string[] = []
  const text = rest.speakers?.flatMap(({ name }) => (name ? [terms(name)] : [])) ?? []
  for (const [i, slice] of slicesOf(segments).entries()) {
    if (i > 0) await setImmediate()
    json.push(JSON.stringify(slice).slice(1, -1))
    text.push(terms(slice.map(segment => segment.text).join(' ')))
  }
  return { body: `${head},"segments":[${json.join(',')}]}`, title, text: text.join(' ') }
}

function slicesOf(segments: Segment[]): Segment[][] {
  return Array.from({ length: Math.ceil(segments.length / segmentsPerSlice) }, (_, i) =>
    segments.slice(i * segmentsPerSlice, (i + 1) * segmentsPerSlice),
  )
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
