// Strikes out what one channel of a call heard of the other: the other's words, at the same time, and far quieter.
import { joinText } from '../../domain/text.ts'
import { type Token, tokens } from '../../domain/tokens.ts'
import type { Segment, Span, Word } from '../../domain/transcript.ts'
import { blocksPerSecond } from './levels.ts'

/** What was heard in a channel, with times of words, and how loud it is: dBFS of each tenth of a second. */
export interface ChannelTranscript {
  segments: Segment[]
  levels: readonly number[]
}

/** A copy is so much (dB) below the voice it is of; nobody hears an echo that is nearer to it, as the call would howl. */
const muchQuieter = 10
/** So many words in a row that are alike are no chance. */
const shortestCopy = 3
/** Times are estimated: the same words lie this far apart (seconds) at most, and further the more of them there are. */
const apart = { least: 1, perWord: 0.25, most: 5 }
/** So many words in a row that are alike were said once, whatever the estimated times may say. */
const oneSound = 12
/** Where so much of a sentence is a copy, the rest of it, as quiet, is a copy that was misheard. */
const mostlyCopy = 2 / 3

/** The segments of both channels, without the copies. What is about as loud in both channels is kept in both. */
export function withoutCrosstalk(
  sides: readonly [ChannelTranscript, ChannelTranscript],
): [Segment[], Segment[]] {
  const spoken = [sides[0].segments.map(wordsOf), sides[1].segments.map(wordsOf)] as const
  const all = [spoken[0].flat(), spoken[1].flat()] as const
  const usual = pace(all.flat())
  for (const run of runsAlike(all)) {
    // Where both hear all of a call, a run goes on from one speaker to the other; a sentence has one.
    for (const pairs of bySentence(run)) {
      const parts = [pairs.map(([left]) => left), pairs.map(([, right]) => right)] as const
      const depths = [depth(parts[0], sides[0], sides[1]), depth(parts[1], sides[1], sides[0])] as const
      const trusted = haste(parts[0], usual) <= haste(parts[1], usual) ? 0 : 1
      const copy = copyAmong(depths, { trusted, isOneSound: run.length >= oneSound })
      if (copy !== undefined) for (const word of parts[copy]) word.isCopy = true
    }
  }
  return [kept(sides[0], spoken[0], sides[1]), kept(sides[1], spoken[1], sides[0])]
}

/**
 * Which side of two like parts is the copy, by how far (dB) each lies below the other channel at its own times; undefined
 * where both are to be kept, as when one says again what the other has said. Where the times of the two contradict each
 * other, those count that make the speaker neither too fast nor too slow.
 */
function copyAmong(
  [left, right]: readonly [number, number],
  { trusted, isOneSound }: { trusted: 0 | 1; isOneSound: boolean },
): 0 | 1 | undefined {
  const byLeft = left >= muchQuieter ? 0 : left <= -muchQuieter ? 1 : undefined
  const byRight = right >= muchQuieter ? 1 : right <= -muchQuieter ? 0 : undefined
  const areBothQuiet = byLeft === 0 && byRight === 1
  const contradict = areBothQuiet || (isOneSound && byLeft !== undefined && byRight !== undefined)
  const copy = contradict ? (trusted === 0 ? byLeft : byRight) : (byLeft ?? byRight)
  const isQuiet = (copy === 0 ? left : right) >= muchQuieter
  return isQuiet || isOneSound ? copy : undefined
}

interface Spoken extends Word {
  segment: Segment
  token: Token
  isCopy: boolean
}

/** A word, as either channel has it. */
type Pair = readonly [left: Spoken, right: Spoken]

function wordsOf(segment: Segment): Spoken[] {
  const found = tokens(segment.text)
  const words = segment.words ?? []
  return words.flatMap((word, i) => (found[i] ? [{ ...word, segment, token: found[i], isCopy: false }] : []))
}

/** Runs of words that both have at about the same time, each word in one run at most. */
function* runsAlike([left, right]: readonly [Spoken[], Spoken[]]): Generator<Pair[]> {
  const places = new Map<string, number[]>()
  for (let i = 0; i + shortestCopy <= left.length; i++) {
    const opening = openingAt(left, i)
    const known = places.get(opening)
    if (known) known.push(i)
    else places.set(opening, [i])
  }
  const taken = new Set<number>()
  for (let j = 0; j + shortestCopy <= right.length; ) {
    let best = { i: 0, length: 0, distance: 0 }
    for (const i of places.get(openingAt(right, j)) ?? []) {
      const distance = Math.abs(left[i]!.start - right[j]!.start)
      if (distance > apart.most) continue
      let length = 0
      while (isAlike(left[i + length], right[j + length]) && !taken.has(i + length)) length++
      const isNear = distance <= apart.least + (length - shortestCopy) * apart.perWord
      const isBetter = length > best.length || (length === best.length && distance < best.distance)
      if (length >= shortestCopy && isNear && isBetter) best = { i, length, distance }
    }
    for (let n = 0; n < best.length; n++) taken.add(best.i + n)
    if (best.length > 0)
      yield Array.from({ length: best.length }, (_, n) => [left[best.i + n]!, right[j + n]!] as const)
    j += Math.max(1, best.length)
  }
}

/** Parts a run wherever a sentence of either channel ends. */
function bySentence(run: Pair[]): Pair[][] {
  const parts: Pair[][] = []
  for (const [i, pair] of run.entries()) {
    const before = run[i - 1]
    if (before?.every((word, side) => word.segment === pair[side]!.segment)) parts.at(-1)!.push(pair)
    else parts.push([pair])
  }
  return parts
}

function isAlike(left: Spoken | undefined, right: Spoken | undefined): boolean {
  return left !== undefined && left.token.key === right?.token.key
}

function openingAt(words: Spoken[], place: number): string {
  return words
    .slice(place, place + shortestCopy)
    .map(({ token }) => token.key)
    .join(' ')
}

/** Letters a second. */
function pace(words: readonly Spoken[]): number {
  const letters = words.reduce((sum, { token }) => sum + token.key.length, 0)
  const length = words.reduce((sum, { start, end }) => sum + end - start, 0)
  return letters / Math.max(0.01, length)
}

/** How far the pace of these words is from the usual one, in either direction. */
function haste(words: readonly Spoken[], usual: number): number {
  return Math.abs(Math.log(pace(words) / usual))
}

/** By how much (dB) a channel is below the other while these words are said in it. */
function depth(words: readonly Spoken[], mine: ChannelTranscript, other: ChannelTranscript): number {
  return depthIn({ start: words[0]!.start, end: words.at(-1)!.end }, mine, other)
}

/** The middle one of the differences wherever somebody is heard at all. */
function depthIn({ start, end }: Span, mine: ChannelTranscript, other: ChannelTranscript): number {
  const [from, to] = [Math.floor(start * blocksPerSecond), Math.ceil(end * blocksPerSecond)]
  const blocks = mine.levels
    .slice(from, to)
    .map((level, i) => ({ louder: Math.max(level, other.levels[from + i] ?? -100), level, i }))
  const loudest = Math.max(...blocks.map(({ louder }) => louder))
  const differences = blocks
    .filter(({ louder }) => louder > loudest - 20)
    .map(({ level, i }) => (other.levels[from + i] ?? -100) - level)
    .sort((a, b) => a - b)
  return differences[differences.length >> 1] ?? 0
}

function kept(mine: ChannelTranscript, spoken: Spoken[][], other: ChannelTranscript): Segment[] {
  return mine.segments.flatMap((segment, i) => {
    const words = spoken[i]!
    const rest = words.filter(({ isCopy }) => !isCopy)
    if (rest.length === words.length) return [segment]
    const isMisheard =
      words.length - rest.length >= mostlyCopy * words.length && depthIn(segment, mine, other) >= muchQuieter
    return rest.length === 0 || isMisheard ? [] : [shortened(segment, words, rest)]
  })
}

function shortened(segment: Segment, words: Spoken[], rest: Spoken[]): Segment {
  let text = ''
  for (const [i, { token, isCopy }] of words.entries()) {
    if (isCopy) continue
    const piece = segment.text.slice(token.start, token.end)
    const touches = i > 0 && !words[i - 1]!.isCopy && words[i - 1]!.token.end === token.start
    text = touches ? text + piece : joinText(text, piece)
  }
  const [first, last] = [rest[0]!, rest.at(-1)!]
  return {
    ...segment,
    start: first === words[0] ? segment.start : first.start,
    end: last === words.at(-1) ? segment.end : last.end,
    text,
    words: rest.map(({ text, start, end }) => ({ text, start, end })),
  }
}
