// Removes crosstalk: words of one voice that another one's channel or track picked up at the same time, far quieter.
import { joinText } from '../../domain/text.ts'
import { type Token, tokens } from '../../domain/tokens.ts'
import type { Segment, Span, Word } from '../../domain/transcript.ts'
import { minLevelDbfs } from '../audio/activity.ts'
import { blocksPerSecond } from './levels.ts'

interface Levels {
  /** dBFS of each tenth of a second. */
  levels: readonly number[]
}

export interface ChannelTranscript extends Levels {
  /** With times of words. */
  segments: Segment[]
}

/** A copy is this much quieter than its voice; with a smaller distance the call would howl. */
const minCopyDepthDb = 10
/** Microphones of one room are closer. So many equal words that both of them hear at once were said once. */
const minRoomWords = 5
/** The rest of a sentence that two microphones of a room heard is misrecognised where it is quieter by this. */
const minRoomDepthDb = 3
/** Fewer equal words in a row may be chance. */
const minCopyWords = 3
/** Times are estimated: equal runs lie this far apart at most, and further with each word. */
const minRunDistanceSeconds = 1
const maxRunDistanceSeconds = 5
const runDistancePerWordSeconds = 0.25
/** A longer run of equal words was said once, regardless of its estimated times. */
const certainCopyWords = 12
/** If this share of a quiet sentence is a copy, the rest of it is a misrecognised copy. */
const minCopyShare = 2 / 3
/** Blocks this far below the loudest are pauses. */
const maxBlockRangeDb = 20

/** The segments of each channel without copies. A few words about equally loud in two channels are kept in both. */
export function withoutCrosstalk(channels: readonly ChannelTranscript[]): Segment[][] {
  const words = channels.map(({ segments }) => segments.map(wordsOf))
  const usualPace = paceOf(words.flat(2))
  for (const [right, own] of channels.entries())
    for (const [left, other] of channels.slice(0, right).entries())
      markCopies([other, own], [words[left]!, words[right]!], usualPace)
  return channels.map((own, i) => removeCopies(own, words[i]!, loudestOf(channels.toSpliced(i, 1))))
}

type Pairwise<Item> = readonly [left: Item, right: Item]

function markCopies(
  sides: Pairwise<ChannelTranscript>,
  words: Pairwise<ChannelWord[][]>,
  usualPace: number,
): void {
  const isOwn = ({ isCopy }: ChannelWord) => !isCopy
  for (const run of equalRuns([words[0].flat().filter(isOwn), words[1].flat().filter(isOwn)])) {
    // Where both channels carry the whole call, a run spans several speakers; a sentence has one.
    for (const pairs of splitBySentence(run)) {
      const parts = [pairs.map(([left]) => left), pairs.map(([, right]) => right)] as const
      const depths = [depthOf(parts[0], sides[0], sides[1]), depthOf(parts[1], sides[1], sides[0])] as const
      const trusted = paceError(parts[0], usualPace) <= paceError(parts[1], usualPace) ? 0 : 1
      const found = findCopy(depths, { trusted, words: run.length })
      if (!found) continue
      for (const word of parts[found.side]) {
        word.isCopy = true
        word.ofRoom = found.ofRoom
      }
    }
  }
}

/** Levels of whichever of these channels is the loudest. */
function loudestOf([first, ...others]: readonly Levels[]): Levels {
  if (others.length === 0) return first ?? { levels: [] }
  const count = Math.max(...[first!, ...others].map(({ levels }) => levels.length))
  const at = (i: number) =>
    others.reduce(
      (most, { levels }) => Math.max(most, levels[i] ?? minLevelDbfs),
      first!.levels[i] ?? minLevelDbfs,
    )
  return { levels: Array.from({ length: count }, (_, i) => at(i)) }
}

/**
 * Which of two equal parts is the copy, by how far (dB) each lies below the other channel at its own times. Undefined
 * where both are kept, as when one speaker repeats the other. Where the two times contradict each other, those with the
 * more usual pace are trusted.
 */
function findCopy(
  [left, right]: readonly [number, number],
  { trusted, words }: { trusted: 0 | 1; words: number },
): { side: 0 | 1; ofRoom: boolean } | undefined {
  const isCertain = words >= certainCopyWords
  const byLeft = left >= minCopyDepthDb ? 0 : left <= -minCopyDepthDb ? 1 : undefined
  const byRight = right >= minCopyDepthDb ? 1 : right <= -minCopyDepthDb ? 0 : undefined
  if (byLeft === undefined && byRight === undefined) {
    // Two who speak in chorus are each the louder one at their own time.
    const isRoom = words >= minRoomWords && Math.max(left, right) > 0
    return isRoom ? { side: left > right ? 0 : 1, ofRoom: true } : undefined
  }
  const areBothQuiet = byLeft === 0 && byRight === 1
  const isContradictory = areBothQuiet || (isCertain && byLeft !== undefined && byRight !== undefined)
  const copy = isContradictory ? (trusted === 0 ? byLeft : byRight) : (byLeft ?? byRight)
  const isQuiet = (copy === 0 ? left : right) >= minCopyDepthDb
  return copy !== undefined && (isQuiet || isCertain) ? { side: copy, ofRoom: false } : undefined
}

interface ChannelWord extends Word {
  segment: Segment
  token: Token
  isCopy: boolean
  /** True for a copy that is about as loud as what was said. */
  ofRoom: boolean
}

/** A word in both channels. */
type Pair = readonly [left: ChannelWord, right: ChannelWord]

function wordsOf(segment: Segment): ChannelWord[] {
  const found = tokens(segment.text)
  const words = segment.words ?? []
  return words.flatMap((word, i) =>
    found[i] ? [{ ...word, segment, token: found[i], isCopy: false, ofRoom: false }] : [],
  )
}

/** Runs of equal words at about the same time, each word in one run at most. */
function* equalRuns([left, right]: readonly [ChannelWord[], ChannelWord[]]): Generator<Pair[]> {
  const starts = new Map<string, number[]>()
  for (let i = 0; i + minCopyWords <= left.length; i++) {
    const key = runKey(left, i)
    const known = starts.get(key)
    if (known) known.push(i)
    else starts.set(key, [i])
  }
  const used = new Set<number>()
  for (let j = 0; j + minCopyWords <= right.length; ) {
    let best = { i: 0, length: 0, distance: 0 }
    for (const i of starts.get(runKey(right, j)) ?? []) {
      const distance = Math.abs(left[i]!.start - right[j]!.start)
      if (distance > maxRunDistanceSeconds) continue
      let length = 0
      while (isEqual(left[i + length], right[j + length]) && !used.has(i + length)) length++
      const limit = minRunDistanceSeconds + (length - minCopyWords) * runDistancePerWordSeconds
      const isBetter = length > best.length || (length === best.length && distance < best.distance)
      if (length >= minCopyWords && distance <= limit && isBetter) best = { i, length, distance }
    }
    for (let n = 0; n < best.length; n++) used.add(best.i + n)
    if (best.length > 0)
      yield Array.from({ length: best.length }, (_, n) => [left[best.i + n]!, right[j + n]!] as const)
    j += Math.max(1, best.length)
  }
}

/** Splits a run at the ends of sentences of either channel. */
function splitBySentence(run: Pair[]): Pair[][] {
  const parts: Pair[][] = []
  for (const [i, pair] of run.entries()) {
    const before = run[i - 1]
    if (before?.every((word, side) => word.segment === pair[side]!.segment)) parts.at(-1)!.push(pair)
    else parts.push([pair])
  }
  return parts
}

function isEqual(left: ChannelWord | undefined, right: ChannelWord | undefined): boolean {
  return left !== undefined && left.token.key === right?.token.key
}

function runKey(words: ChannelWord[], from: number): string {
  return words
    .slice(from, from + minCopyWords)
    .map(({ token }) => token.key)
    .join(' ')
}

/** Characters a second. */
function paceOf(words: readonly ChannelWord[]): number {
  const chars = words.reduce((sum, { token }) => sum + token.key.length, 0)
  const length = words.reduce((sum, { start, end }) => sum + end - start, 0)
  return chars / Math.max(0.01, length)
}

/** Deviation of the pace of these words from the usual one, in either direction. */
function paceError(words: readonly ChannelWord[], usualPace: number): number {
  return Math.abs(Math.log(paceOf(words) / usualPace))
}

/** How far (dB) a channel is below the other during these words. */
function depthOf(words: readonly ChannelWord[], own: Levels, other: Levels): number {
  return depthIn({ start: words[0]!.start, end: words.at(-1)!.end }, own, other)
}

/** The median level difference of the blocks with speech. */
function depthIn({ start, end }: Span, own: Levels, other: Levels): number {
  const [from, to] = [Math.floor(start * blocksPerSecond), Math.ceil(end * blocksPerSecond)]
  const otherLevel = (i: number) => other.levels[from + i] ?? minLevelDbfs
  const blocks = own.levels
    .slice(from, to)
    .map((level, i) => ({ louder: Math.max(level, otherLevel(i)), level, i }))
  const loudest = Math.max(...blocks.map(({ louder }) => louder))
  const differences = blocks
    .filter(({ louder }) => louder > loudest - maxBlockRangeDb)
    .map(({ level, i }) => otherLevel(i) - level)
    .sort((a, b) => a - b)
  return differences[differences.length >> 1] ?? 0
}

function removeCopies(own: ChannelTranscript, words: ChannelWord[][], other: Levels): Segment[] {
  return own.segments.flatMap((segment, i) => {
    const all = words[i]!
    const rest = all.filter(({ isCopy }) => !isCopy)
    if (rest.length === all.length) return [segment]
    const minDepthDb = all.some(({ ofRoom }) => ofRoom) ? minRoomDepthDb : minCopyDepthDb
    const isMisrecognised =
      all.length - rest.length >= minCopyShare * all.length && depthIn(segment, own, other) >= minDepthDb
    return rest.length === 0 || isMisrecognised ? [] : [shorten(segment, all, rest)]
  })
}

function shorten(segment: Segment, words: ChannelWord[], rest: ChannelWord[]): Segment {
  let text = ''
  for (const [i, { token, isCopy }] of words.entries()) {
    if (isCopy) continue
    const part = segment.text.slice(token.start, token.end)
    const touches = i > 0 && !words[i - 1]!.isCopy && words[i - 1]!.token.end === token.start
    text = touches ? text + part : joinText(text, part)
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
