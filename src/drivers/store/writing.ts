// A transcript as the strings of its rows, made a slice at a time: four hours of words take longer than others may wait.
import { setImmediate } from 'node:timers/promises'
import type { Segment, Transcript } from '../../domain/transcript.ts'
import { terms } from './terms.ts'

export interface Written {
  /** JSON of the whole. */
  body: string
  /** What it is found by. */
  title: string
  text: string
}

/** About 3,000 words, and 3 ms. */
const sliceLength = 250

export async function write({ segments, ...rest }: Transcript): Promise<Written> {
  const facts = JSON.stringify(rest).slice(0, -1)
  const title = terms(rest.title)
  const json: string[] = []
  // Whoever speaks is found by name, too.
  const text = rest.speakers?.flatMap(({ name }) => (name ? [terms(name)] : [])) ?? []
  for (const [i, slice] of slices(segments).entries()) {
    if (i > 0) await setImmediate()
    json.push(JSON.stringify(slice).slice(1, -1))
    text.push(terms(slice.map(segment => segment.text).join(' ')))
  }
  return { body: `${facts},"segments":[${json.join(',')}]}`, title, text: text.join(' ') }
}

function slices(segments: Segment[]): Segment[][] {
  return Array.from({ length: Math.ceil(segments.length / sliceLength) }, (_, i) =>
    segments.slice(i * sliceLength, (i + 1) * sliceLength),
  )
}
