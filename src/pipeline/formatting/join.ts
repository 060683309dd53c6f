// Pieces become one text again: where two of them overlap the seam lies where both read on in the same way.
import { joinText } from '../../domain/text.ts'
import type { Passage } from '../faithfulness/judge.ts'
import type { Formatted } from './ask.ts'
import { endsSentence, type Source } from './pieces.ts'

/** A passage, and whether it stands close to the one before it, as its script has no blank there. */
export interface Joined extends Passage {
  tight?: boolean
}

/** In order and without overlap; together they are the text. */
export function join(pieces: Formatted[], source: Source): Joined[] {
  const seams = pieces.map((right, i) => (i === 0 ? right.piece.from : seamOf(pieces[i - 1]!, right, source)))
  const passages: Joined[] = []
  let wasTight = true
  for (const [i, { passages: own, piece }] of pieces.entries()) {
    const [from, to] = [seams[i]!, seams[i + 1] ?? piece.to]
    const clips = own.flatMap(passage => clip(passage, from, to) ?? [])
    const [begins] = clips
    if (begins && i > 0) {
      const tight = wasTight && begins.before === '' && !hasBlank(source.text, from)
      clips[0] = { ...begins, opens: opensAt(begins, pieces[i]!, passages), tight }
    }
    // Where a piece has nothing left, its neighbours are parted by what was there.
    if (clips.length > 0) wasTight = clips.at(-1)!.after === ''
    passages.push(...clips)
  }
  return passages
}

function hasBlank(text: string, at: number): boolean {
  return /\s/.test(text.slice(at - 1, at + 1))
}

/** Paragraphs of what reads on from passage to passage. */
export function paragraphsOf<T extends Pick<Joined, 'text' | 'opens' | 'tight'>>(parts: T[]): T[] {
  const paragraphs: T[] = []
  for (const part of parts) {
    if (part.text === '') continue
    const open = paragraphs.at(-1)
    if (part.opens || !open) paragraphs.push(part)
    else {
      const text = part.tight ? open.text + part.text : joinText(open.text, part.text)
      paragraphs[paragraphs.length - 1] = { ...open, text }
    }
  }
  return paragraphs
}

/** A piece that ends a long paragraph in the middle of nothing better may as well end it. */
const longParagraph = 250

/** A seam begins a paragraph where the original does, or where the paragraph before has become long enough. */
function opensAt(begins: Clip, { piece }: Formatted, before: Passage[]): boolean {
  if (piece.askFrom !== piece.from) return begins.opens
  if (piece.opens) return true
  const open = before.slice(before.findLastIndex(({ opens }) => opens))
  const length = open.reduce((sum, { text }) => sum + text.length, 0)
  return length >= longParagraph && endsSentence(before.at(-1)?.text ?? '')
}

/** What is left of a passage, and what stood between it and what was cut off. */
interface Clip extends Joined {
  before: string
  after: string
}

function clip(passage: Passage, from: number, to: number): Clip | undefined {
  const [start, end] = [Math.max(from, passage.from), Math.min(to, passage.to)]
  if (start >= end) return undefined
  if (start === passage.from && end === passage.to) return { ...passage, before: '', after: '' }
  const part = (a: number, b: number) => passage.part(Math.max(a, start), Math.min(b, end))
  const between = (at: number) => {
    const [head, tail] = [passage.part(passage.from, at), passage.part(at, passage.to)]
    return passage.text.slice(head.length, passage.text.length - tail.length)
  }
  return {
    from: start,
    to: end,
    text: part(start, end),
    part,
    kept: passage.kept,
    opens: passage.opens && start === passage.from,
    before: between(start),
    after: between(end),
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
