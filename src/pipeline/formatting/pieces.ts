// Cuts a text into pieces for formatting, one request each.
import { modelTokenQuarters } from '../../domain/models/model-tokens.ts'
import { unspacedScript, wordStarts } from '../../domain/reading/word-starts.ts'
import type { Segment, Span } from '../../domain/transcript.ts'

/** An offset at which a piece may begin. */
export interface CutPoint {
  /** Offset in the text (UTF-16 units). */
  at: number
  /** Kind of boundary there, the best kind first. */
  quality: 'paragraph' | 'sentence' | 'pause' | 'word'
}

export interface TextSource {
  text: string
  /** In order. */
  cutPoints: CutPoint[]
}

/** A segment, and its range in the text. */
export interface SegmentRange {
  segment: Segment
  /** `[from, to)` in UTF-16 units. */
  from: number
  to: number
  /** True where it begins a speaker turn. */
  beginsTurn: boolean
}

export interface TranscriptSource extends TextSource {
  ranges: SegmentRange[]
}

/** A pause this long ends a sentence. */
const minSentencePauseSeconds = 0.7
/** A pause this long begins a new turn, even of the same speaker. */
const minTurnPauseSeconds = 5

export function sourceOf(text: string): TextSource {
  return { text, cutPoints: findCutPoints(text, 0) }
}

/** Puts each speaker turn on a line of its own, so that the model sees where the speaker changes. */
export function sourceOfSegments(segments: Segment[]): TranscriptSource {
  let text = ''
  const ranges: SegmentRange[] = []
  const cutPoints: CutPoint[] = []
  for (const [i, segment] of segments.entries()) {
    const before = segments[i - 1]
    const spoken = segment.text.replace(/\s+/g, ' ').trim()
    const beginsTurn =
      !before || before.speaker !== segment.speaker || pauseBetween(before, segment) >= minTurnPauseSeconds
    if (before) {
      text += beginsTurn ? '\n' : ' '
      const quality = beginsTurn ? 'paragraph' : qualityBetween(before, segment)
      cutPoints.push({ at: text.length, quality })
    }
    for (const cutPoint of findCutPoints(spoken, text.length)) cutPoints.push(cutPoint)
    ranges.push({ segment, from: text.length, to: text.length + spoken.length, beginsTurn })
    text += spoken
  }
  return { text, cutPoints, ranges }
}

function pauseBetween(before: Span, after: Span): number {
  return after.start - before.end
}

function qualityBetween(before: Segment, after: Segment): CutPoint['quality'] {
  if (endsSentence(before.text)) return 'sentence'
  return pauseBetween(before, after) >= minSentencePauseSeconds ? 'pause' : 'word'
}

/** True if the text ends with the end of a sentence. */
export function endsSentence(text: string): boolean {
  return /[.!?…।؟۔。！？]["'”’»)\]」』）]*\s*$/.test(text)
}

/** Finds cut points after whitespace and, in unspaced scripts, between dictionary words. */
function findCutPoints(text: string, offset: number): CutPoint[] {
  const found: CutPoint[] = []
  for (const { 0: gap, index } of text.matchAll(/\s+|(?<=[。！？]["”’」』）]*)(?=[^\s。！？”’」』）])/g)) {
    const at = index + gap.length
    if (index === 0 || at >= text.length) continue
    const quality = /\n/.test(gap)
      ? 'paragraph'
      : endsSentence(text.slice(Math.max(0, index - 8), index))
        ? 'sentence'
        : 'word'
    found.push({ at: offset + at, quality })
  }
  for (const { 0: run, index } of text.matchAll(/\S{40,}/g)) {
    if (!unspacedScript.test(run)) continue
    for (const inside of wordStarts(run)) found.push({ at: offset + index + inside, quality: 'word' })
  }
  return found.sort((a, b) => a.at - b.at)
}

/** The part of a text that one request formats, and its context. */
export interface Piece {
  /** `[from, to)` in the text; pieces do not overlap. */
  from: number
  to: number
  /** Range sent to the model. It overlaps the neighbour at a cut in mid-sentence, so that both have that sentence. */
  askFrom: number
  askTo: number
  /** Context before it, for the model to read but not to write. */
  before: string
  /** True where it begins a paragraph of the original. */
  opens: boolean
}

/** Usual size of a piece, about 350 English words: short pieces are answered fast, and in parallel. */
const usualTokens = 480
const maxPieceTokens = 1_500
/** Size of the context before a piece. */
const contextTokens = 60
/** Overlap of two pieces that are cut in mid-sentence. */
const overlapTokens = 55

/** Returns the number of pieces for a text of this many tokens, with this many concurrent requests. */
export function pieceCount(tokens: number, concurrency: number): number {
  const usual = Math.ceil(tokens / usualTokens)
  return usual <= concurrency ? Math.max(1, usual) : Math.max(concurrency, Math.ceil(tokens / maxPieceTokens))
}

/** Cuts a text into pieces of similar size, at the best cut point near the end of each. */
export function cutPieces(source: TextSource, count: number, from = 0, to = source.text.length): Piece[] {
  const { text, cutPoints } = source
  const tokensBefore = cumulativeTokens(text)
  const [begin, total] = [tokensBefore[from]!, tokensBefore[to]! - tokensBefore[from]!]
  const size = total / count
  const tolerance = 0.35 * size
  const cuts: CutPoint[] = []
  for (let k = 1; k < count; k++) {
    const ideal = begin + k * size
    const last = cuts.at(-1)?.at ?? from
    const cost = ({ at, quality }: CutPoint) =>
      Math.abs(tokensBefore[at]! - ideal) / tolerance + qualityCosts[quality]
    let best: CutPoint | undefined
    const first = firstIndexWhere(cutPoints, at => tokensBefore[at]! >= ideal - tolerance)
    for (let i = first; i < cutPoints.length; i++) {
      const cutPoint = cutPoints[i]!
      if (cutPoint.at >= to || tokensBefore[cutPoint.at]! > ideal + tolerance) break
      if (cutPoint.at > last && (!best || cost(cutPoint) < cost(best))) best = cutPoint
    }
    if (best) cuts.push(best)
  }
  const starts: CutPoint[] = [{ at: from, quality: 'paragraph' }, ...cuts]
  return starts.map(({ at, quality }, i) => {
    const next = starts[i + 1]
    const end = next?.at ?? to
    const isMidSentence = (cutPoint: CutPoint | undefined) =>
      cutPoint?.quality === 'word' && cutPoint.at > from
    const askFrom = isMidSentence(starts[i]) ? move(cutPoints, tokensBefore, at, -overlapTokens, from) : at
    const askTo = isMidSentence(next) ? move(cutPoints, tokensBefore, end, overlapTokens, to) : end
    const before = text.slice(move(cutPoints, tokensBefore, askFrom, -contextTokens, 0), askFrom).trim()
    return {
      from: at,
      to: end,
      askFrom,
      askTo,
      before,
      opens: quality === 'paragraph' && (at > 0 || i === 0),
    }
  })
}

const qualityCosts: Record<CutPoint['quality'], number> = { paragraph: 0, sentence: 0.3, pause: 0.8, word: 2 }

/** Returns the estimated tokens before each offset of the text. */
function cumulativeTokens(text: string): Float64Array {
  const tokensBefore = new Float64Array(text.length + 1)
  let sum = 0
  for (let at = 0; at < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(at)!)
    for (let i = 0; i < character.length; i++) tokensBefore[at + i] = sum
    sum += modelTokenQuarters(character) / 4
    at += character.length
  }
  tokensBefore[text.length] = sum
  return tokensBefore
}

/** Returns the index of the first cut point from which on `holds` is true, by binary search. */
function firstIndexWhere(cutPoints: CutPoint[], holds: (at: number) => boolean): number {
  let [low, high] = [0, cutPoints.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(cutPoints[middle]!.at)) high = middle
    else low = middle + 1
  }
  return low
}

/** Returns the cut point at most this many tokens before (negative) or after an offset, within the limit. */
function move(
  cutPoints: CutPoint[],
  tokensBefore: Float64Array,
  at: number,
  tokens: number,
  limit: number,
): number {
  const target = tokensBefore[at]! + tokens
  if (tokens < 0) {
    const first = cutPoints[firstIndexWhere(cutPoints, x => x >= limit && tokensBefore[x]! >= target)]
    return first && first.at < at ? first.at : tokensBefore[limit]! >= target ? limit : at
  }
  const last = cutPoints[firstIndexWhere(cutPoints, x => x > limit || tokensBefore[x]! > target) - 1]
  return last && last.at > at ? last.at : tokensBefore[limit]! <= target ? limit : at
}
