// Subtitles: segments become cues of at most two lines that can be read in their time.
import { tokenQuarters, tokens } from '../domain/text.ts'
import { type Segment, type Span, seconds, type Transcript } from '../domain/transcript.ts'

export interface Cue extends Span {
  lines: string[]
}

/** Columns of one line: 42 of Latin script; an ideograph fills more than two, so 18 of those. */
const columns = 42
const longest = 7
const shortest = 1

export function cues({ segments }: Transcript): Cue[] {
  const all = segments.flatMap(cuesOf)
  return all.map((cue, i) => {
    // A short cue stays up a little longer where the next one leaves room.
    const room = all[i + 1]?.start ?? Number.POSITIVE_INFINITY
    const end = Math.max(cue.end, Math.min(cue.start + shortest, room))
    return { ...cue, end: seconds(Math.max(end, cue.start + 0.001)) }
  })
}

function cuesOf(segment: Segment): Cue[] {
  const { text, start, end } = segment
  const total = Math.max(1, width(text))
  const count = Math.max(Math.ceil(total / (2 * columns)), Math.ceil((end - start) / longest))
  const parts = part(text, total / count)
  let done = 0
  return parts.map(piece => {
    const from = start + ((end - start) * done) / total
    done += width(piece)
    const lines = width(piece) > columns ? part(piece, width(piece) / 2) : [piece]
    return {
      start: seconds(from),
      end: seconds(Math.min(end, start + ((end - start) * done) / total)),
      lines: lines.map(line => line.trim()),
    }
  })
}

/** Parts a text between tokens into pieces of about this width. */
function part(text: string, wanted: number): string[] {
  const pieces: string[] = []
  let from = 0
  for (const token of tokens(text)) {
    if (token.start > from && width(text.slice(from, token.end)) > wanted * 1.15) {
      pieces.push(text.slice(from, token.start))
      from = token.start
    }
  }
  return [...pieces, text.slice(from)].filter(piece => piece.trim() !== '')
}

function width(text: string): number {
  let sum = 0
  for (const character of text) sum += tokenQuarters(character) === 4 ? columns / 18 : 1
  return sum
}
