// Strikes out what one channel of a call heard of the other: the other's words, at the same time, and far quieter.
import { joinText, type Token, tokens } from '../domain/text.ts'
import type { Segment, Span, Word } from '../domain/transcript.ts'
import { blocksPerSecond } from './levels.ts'

/** What was heard in a channel, with times of words, and how loud it is: dBFS of each tenth of a second. */
export interface Heard {
  segments: Segment[]
  levels: readonly number[]
}

/** A copy is so much (dB) below the voice it is of; nobody hears an echo that is nearer to it, as the call would howl. */
const muchQuieter = 10
/** So many words in a row that are alike are no chance. */
const shortestCopy = 3
/** Times are estimated: the same words lie this far apart (seconds) at most, and further the more of them there are. */
const apart = { least: 1, perWord: 0.25, most: 5 }
/** Where so much of a sentence is a copy, the rest of it, as quiet, is a copy that was misheard. */
const mostlyCopy = 2 / 3

/** The segments of both channels, without the copies. What is about as loud in both channels is kept in both. */
export function withoutLeakage(sides: readonly [Heard, Heard]): [Segment[], Segment[]] {
  const spoken = [sides[0].segments.map(wordsOf), sides[1].segments.map(wordsOf)] as const
  const all = [spoken[0].flat(), spoken[1].flat()] as const
  for (const { at, length } of runsAlike(all)) {
    const runs = all.map((words, side) => words.slice(at[side], at[side]! + length)) as [Spoken[], Spoken[]]
    const below = [depth(runs[0], sides[0], sides[1]), depth(runs[1], sides[1], sides[0])] as const
    const quiet = below[0] > below[1] ? 0 : 1
    if (below[quiet] < muchQuieter) continue
    for (const word of runs[quiet]) word.isCopy = true
  }
  return [kept(sides[0], spoken[0], sides[1]), kept(sides[1], spoken[1], sides[0])]
}

interface Spoken extends Word {
  token: Token
  isCopy: boolean
}

function wordsOf({ text, words = [] }: Segment): Spoken[] {
  const found = tokens(text)
  return words.flatMap((word, i) => (found[i] ? [{ ...word, token: found[i], isCopy: false }] : []))
}

/** Runs of words that both have at about the same time, each word in one run at most; `at` is where a run begins. */
function* runsAlike([left, right]: readonly [Spoken[], Spoken[]]) {
  const places = new Map<string, number[]>()
  for (let i = 0; i + shortestCopy <= left.length; i++) {
    const opening = openingAt(left, i)
    const known = places.get(opening)
    if (known) known.push(i)
    else places.set(opening, [i])
  }
  const taken = new Set<number>()
  for (let j = 0; j + shortestCopy <= right.length; ) {
    let best = { i: 0, length: 0 }
    for (const i of places.get(openingAt(right, j)) ?? []) {
      const distance = Math.abs(left[i]!.start - right[j]!.start)
      if (distance > apart.most) continue
      let length = 0
      while (isAlike(left[i + length], right[j + length]) && !taken.has(i + length)) length++
      const isNear = distance <= apart.least + (length - shortestCopy) * apart.perWord
      if (length >= shortestCopy && isNear && length > best.length) best = { i, length }
    }
    for (let n = 0; n < best.length; n++) taken.add(best.i + n)
    if (best.length > 0) yield { at: [best.i, j] as const, length: best.length }
    j += Math.max(1, best.length)
  }
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

/** By how much (dB) a channel is below the other while these words are said in it. */
function depth(words: Spoken[], mine: Heard, other: Heard): number {
  return depthIn({ start: words[0]!.start, end: words.at(-1)!.end }, mine, other)
}

/** The middle one of the differences wherever somebody is heard at all. */
function depthIn({ start, end }: Span, mine: Heard, other: Heard): number {
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

function kept(mine: Heard, spoken: Spoken[][], other: Heard): Segment[] {
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
