// Pieces become one text again: where two of them overlap the seam lies where both read on in the same way.
import type { Passage } from '../faithful.ts'
import type { Formatted } from './ask.ts'
import { endsSentence, type Source } from './places.ts'

/** In order and without overlap; together they are the text. */
export function join(pieces: Formatted[], source: Source): Passage[] {
  const seams = pieces.map((right, i) => (i === 0 ? right.piece.from : seamOf(pieces[i - 1]!, right, source)))
  const passages: Passage[] = []
  for (const [i, { passages: own, piece }] of pieces.entries()) {
    const [from, to] = [seams[i]!, seams[i + 1] ?? piece.to]
    const first = passages.length
    for (const passage of own) {
      const clipped = clip(passage, from, to)
      if (clipped) passages.push(clipped)
    }
    const begins = passages[first]
    if (begins && i > 0)
      passages[first] = { ...begins, opens: opensAt(begins, pieces[i]!, from, passages.slice(0, first)) }
  }
  return passages
}

/** A piece that ends a long paragraph in the middle of nothing better may as well end it. */
const longParagraph = 250

/** A seam begins a paragraph where the original does, or where the paragraph before has become long enough. */
function opensAt(begins: Passage, { piece }: Formatted, seam: number, before: Passage[]): boolean {
  if (seam !== piece.from) return begins.opens && begins.from === seam
  if (piece.opens) return true
  const open = before.slice(before.findLastIndex(({ opens }) => opens))
  const length = open.reduce((sum, { text }) => sum + text.length, 0)
  return length >= longParagraph && endsSentence(before.at(-1)?.text ?? '') && piece.askFrom === piece.from
}

function clip(passage: Passage, from: number, to: number): Passage | undefined {
  if (passage.from >= from && passage.to <= to) return passage
  const [start, end] = [Math.max(from, passage.from), Math.min(to, passage.to)]
  if (start >= end) return undefined
  const part = (a: number, b: number) => passage.part(Math.max(a, start), Math.min(b, end))
  return {
    ...passage,
    from: start,
    to: end,
    text: part(start, end),
    opens: passage.opens && start === passage.from,
    part,
  }
}

/** Where the left piece ends and the right one goes on. */
function seamOf(left: Formatted, right: Formatted, { places }: Source): number {
  const { from: border, askFrom } = right.piece
  const { askTo } = left.piece
  if (askFrom >= askTo) return border
  let best = { at: border, score: Number.NEGATIVE_INFINITY }
  for (const { at } of places) {
    if (at <= askFrom || at >= askTo) continue
    const [a, b] = [left, right].map(side => endsAt(side.passages, askFrom, at))
    // What both take for the end of a sentence is one; in the middle of a sentence of both nothing shows either.
    const agreement = a && b ? 4 : a === b ? 3 : 0
    const score = agreement - (2 * Math.abs(at - border)) / (askTo - askFrom)
    if (score > best.score) best = { at, score }
  }
  return best.at
}

function endsAt(passages: Passage[], from: number, at: number): boolean {
  const last = passages.findLast(passage => passage.from < at)
  return last !== undefined && endsSentence(last.part(Math.max(from, last.from), at))
}
