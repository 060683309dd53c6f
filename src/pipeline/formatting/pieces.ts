// A text to format, what is known of its places, and where it is cut into pieces.
import { tokenQuarters } from '../../domain/token-estimate.ts'
import type { Segment, Span } from '../../domain/transcript.ts'

/** A place where a piece may begin, and how good it is. */
export interface Place {
  /** Offset in the text (UTF-16 units). */
  at: number
  quality: 'paragraph' | 'sentence' | 'pause' | 'word'
}

export interface Source {
  text: string
  /** In order. */
  places: Place[]
}

/** Where the words of a segment lie in the text. */
export interface Lying {
  segment: Segment
  from: number
  to: number
  /** True where a turn begins with it. */
  turns: boolean
}

export interface SpokenSource extends Source {
  lying: Lying[]
}

/** Seconds of silence: nobody goes on with a sentence after the one, or with a subject after the other. */
const [shortPause, longPause] = [0.7, 5]

export function sourceOf(text: string): Source {
  return { text, places: placesIn(text, 0) }
}

/** Turns, a line each: whoever formats sees where another one speaks. */
export function sourceOfSegments(segments: Segment[]): SpokenSource {
  let text = ''
  const lying: Lying[] = []
  const places: Place[] = []
  for (const [i, segment] of segments.entries()) {
    const before = segments[i - 1]
    const said = segment.text.replace(/\s+/g, ' ').trim()
    const turns = !before || before.speaker !== segment.speaker || silence(before, segment) >= longPause
    if (before) {
      text += turns ? '\n' : ' '
      if (turns) places.push({ at: text.length, quality: 'paragraph' })
      else places.push({ at: text.length, quality: borderOf(before, segment) })
    }
    for (const place of placesIn(said, text.length)) places.push(place)
    lying.push({ segment, from: text.length, to: text.length + said.length, turns })
    text += said
  }
  return { text, places, lying }
}

function silence(before: Span, after: Span): number {
  return after.start - before.end
}

function borderOf(before: Segment, after: Segment): Place['quality'] {
  if (endsSentence(before.text)) return 'sentence'
  return silence(before, after) >= shortPause ? 'pause' : 'word'
}

/** True where the last word before the end closes a sentence. */
export function endsSentence(text: string): boolean {
  return /[.!?…।؟۔。！？]["'”’»)\]」』）]*\s*$/.test(text)
}

const closeScript =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
let segmenter: Intl.Segmenter | undefined

/** Behind blanks, and in scripts without them between the words of a dictionary. */
function placesIn(text: string, offset: number): Place[] {
  const places: Place[] = []
  for (const { 0: gap, index } of text.matchAll(/\s+|(?<=[。！？]["”’」』）]*)(?=[^\s。！？”’」』）])/g)) {
    const at = index + gap.length
    if (index === 0 || at >= text.length) continue
    const quality = /\n/.test(gap)
      ? 'paragraph'
      : endsSentence(text.slice(Math.max(0, index - 8), index))
        ? 'sentence'
        : 'word'
    places.push({ at: offset + at, quality })
  }
  for (const { 0: run, index } of text.matchAll(/\S{40,}/g)) {
    if (!closeScript.test(run)) continue
    for (const inside of wordBorders(run)) places.push({ at: offset + index + inside, quality: 'word' })
  }
  return places.sort((a, b) => a.at - b.at)
}

/** Characters (UTF-16 units) that the dictionary is given at once: its time grows with the square of them. */
const stretch = 400

/** Where words of close scripts begin, but for the first. */
function* wordBorders(run: string): Generator<number> {
  segmenter ??= new Intl.Segmenter('ja', { granularity: 'word' })
  for (let from = 0; from < run.length; ) {
    const words = [...segmenter.segment(run.slice(from, from + stretch))]
    const isLast = from + stretch >= run.length
    // A word that the stretch has cut off is looked at again.
    const last = isLast || words.length < 2 ? undefined : words.pop()!
    for (const { index, segment } of words)
      if (from + index > 0 && closeScript.test(segment)) yield from + index
    from += last?.index ?? stretch
  }
}

/** What one request is about: the piece itself, and what goes with it. */
export interface Piece {
  /** `[from, to)` in the text, borders of the pieces. */
  from: number
  to: number
  /** What is asked for: over a border in mid-sentence it reaches into the neighbour, so that both have the sentence whole. */
  askFrom: number
  askTo: number
  /** What stands before it, to be read and not to be written. */
  before: string
  /** True where a paragraph of the original begins with it. */
  opens: boolean
}

/** Of a piece, in tokens as they are estimated: some 350 words of English. Short pieces are answered soon, and all at once. */
const usual = 480
const longest = 1_500
/** Tokens of the left neighbour that a piece is shown, and by how many two of them overlap where they are cut in mid-sentence. */
const [shown, overlap] = [60, 55]

/** How many pieces a text of so many tokens is cut into, where so many may be asked at once. */
export function pieceCount(tokens: number, concurrency: number): number {
  const many = Math.ceil(tokens / usual)
  return many <= concurrency ? Math.max(1, many) : Math.max(concurrency, Math.ceil(tokens / longest))
}

/** Even pieces, cut at the best place near where each should end. */
export function cutPieces(source: Source, count: number, from = 0, to = source.text.length): Piece[] {
  const { text, places } = source
  const weights = runningWeights(text)
  const [begin, whole] = [weights[from]!, weights[to]! - weights[from]!]
  const size = whole / count
  const cuts: Place[] = []
  for (let k = 1; k < count; k++) {
    const wanted = begin + k * size
    const last = cuts.at(-1)?.at ?? from
    const cost = ({ at, quality }: Place) => Math.abs(weights[at]! - wanted) / (0.35 * size) + costs[quality]
    let best: Place | undefined
    for (let i = firstBehind(places, at => weights[at]! >= wanted - 0.35 * size); i < places.length; i++) {
      const place = places[i]!
      if (place.at >= to || weights[place.at]! > wanted + 0.35 * size) break
      if (place.at > last && (!best || cost(place) < cost(best))) best = place
    }
    if (best) cuts.push(best)
  }
  const borders: Place[] = [{ at: from, quality: 'paragraph' }, ...cuts]
  return borders.map(({ at, quality }, i) => {
    const next = borders[i + 1]
    const end = next?.at ?? to
    const isBlind = (place: Place | undefined) => place?.quality === 'word' && place.at > from
    const askFrom = isBlind(borders[i]) ? reach(places, weights, at, -overlap, from) : at
    const askTo = isBlind(next) ? reach(places, weights, end, overlap, to) : end
    const before = text.slice(reach(places, weights, askFrom, -shown, 0), askFrom).trim()
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

const costs: Record<Place['quality'], number> = { paragraph: 0, sentence: 0.3, pause: 0.8, word: 2 }

/** Tokens before each place of the text. */
function runningWeights(text: string): Float64Array {
  const weights = new Float64Array(text.length + 1)
  let sum = 0
  for (let at = 0; at < text.length; ) {
    const sign = String.fromCodePoint(text.codePointAt(at)!)
    for (let i = 0; i < sign.length; i++) weights[at + i] = sum
    sum += tokenQuarters(sign) / 4
    at += sign.length
  }
  weights[text.length] = sum
  return weights
}

/** The first of the places, which are in order, from which on something holds. */
function firstBehind(places: Place[], holds: (at: number) => boolean): number {
  let [low, high] = [0, places.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(places[middle]!.at)) high = middle
    else low = middle + 1
  }
  return low
}

/** The place some tokens before or behind another, at a word border. */
function reach(places: Place[], weights: Float64Array, at: number, tokens: number, limit: number): number {
  const wanted = weights[at]! + tokens
  if (tokens < 0) {
    const first = places[firstBehind(places, place => place >= limit && weights[place]! >= wanted)]
    return first && first.at < at ? first.at : weights[limit]! >= wanted ? limit : at
  }
  const last = places[firstBehind(places, place => place > limit || weights[place]! > wanted) - 1]
  return last && last.at > at ? last.at : weights[limit]! <= wanted ? limit : at
}
