// Joins formatted pieces into one text: overlapping pieces meet where both agree on the sentence boundary.
import { joinText } from '../../domain/text.ts'
import type { Passage } from '../faithfulness/judge.ts'
import type { FormattedPiece } from './format-piece.ts'
import { endsSentence, type TextSource } from './pieces.ts'

/** A passage of the joined text. `tight`: no space separates it from the previous one. */
export interface JoinedPassage extends Passage {
  tight?: boolean
}

/** Joins pieces into passages that are in order, do not overlap, and cover the text. */
export function joinPieces(pieces: FormattedPiece[], source: TextSource): JoinedPassage[] {
  const seams = pieces.map((right, i) =>
    i === 0 ? right.piece.from : findSeam(pieces[i - 1]!, right, source),
  )
  const passages: JoinedPassage[] = []
  let wasTight = true
  for (const [i, { passages: own, piece }] of pieces.entries()) {
    const [from, to] = [seams[i]!, seams[i + 1] ?? piece.to]
    const clips = own.flatMap(passage => clip(passage, from, to) ?? [])
    const [begins] = clips
    if (begins && i > 0) {
      const tight = wasTight && begins.before === '' && !hasBlank(source.text, from)
      clips[0] = { ...begins, opens: opensAt(begins, pieces[i]!, passages), tight }
    }
    // A piece that is clipped to nothing still separates its neighbours.
    if (clips.length > 0) wasTight = clips.at(-1)!.after === ''
    passages.push(...clips)
  }
  return passages
}

function hasBlank(text: string, at: number): boolean {
  return /\s/.test(text.slice(at - 1, at + 1))
}

/** Joins passages up to the next paragraph start into paragraphs. */
export function joinParagraphs<T extends Pick<JoinedPassage, 'text' | 'opens' | 'tight'>>(parts: T[]): T[] {
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

/** A seam may begin a paragraph once the paragraph before it has this many characters. */
const minSeamParagraphChars = 250

/** True if the seam begins a paragraph: where the original does, or after a long paragraph that ends a sentence. */
function opensAt(begins: Clip, { piece }: FormattedPiece, before: Passage[]): boolean {
  if (piece.askFrom !== piece.from) return begins.opens
  if (piece.opens) return true
  const open = before.slice(before.findLastIndex(({ opens }) => opens))
  const length = open.reduce((sum, { text }) => sum + text.length, 0)
  return length >= minSeamParagraphChars && endsSentence(before.at(-1)?.text ?? '')
}

/** A clipped passage. */
interface Clip extends JoinedPassage {
  /** Characters between it and the part cut off before it. */
  before: string
  /** Characters between it and the part cut off after it. */
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

/** Returns the offset at which the left piece ends and the right one continues. */
function findSeam(left: FormattedPiece, right: FormattedPiece, { cutPoints }: TextSource): number {
  const { from: middle, askFrom } = right.piece
  const { askTo } = left.piece
  if (askFrom >= askTo) return middle
  let best = { at: middle, score: Number.NEGATIVE_INFINITY }
  for (const { at } of cutPoints) {
    if (at <= askFrom || at >= askTo) continue
    const [a, b] = [left, right].map(side => endsAt(side.passages, askFrom, at))
    // Best is a sentence end in both pieces; next best, mid-sentence in both.
    const agreement = a && b ? 4 : a === b ? 3 : 0
    const score = agreement - (2 * Math.abs(at - middle)) / (askTo - askFrom)
    if (score > best.score) best = { at, score }
  }
  return best.at
}

function endsAt(passages: Passage[], from: number, at: number): boolean {
  const last = passages.findLast(passage => passage.from < at)
  return last !== undefined && endsSentence(last.part(Math.max(from, last.from), at))
}
