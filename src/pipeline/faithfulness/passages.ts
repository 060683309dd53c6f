// Puts the original together again: what was found in the answer as the answer has it, the rest as it was.

import {
  type Assembly,
  countsOf,
  isFirst,
  leading,
  type Reduced,
  type Removal,
  type Standing,
  settleFillers,
  trailing,
} from './align-fillers.ts'
import type { Match } from './chain.ts'
import { cutBetween, firstFrom } from './normalized-text.ts'

/** A stretch of the original, `[from, to)` in UTF-16 units, and how it reads now. */
export interface Passage {
  from: number
  to: number
  /** The answer's words where they are the original's, otherwise the original's own; without blanks at either end. */
  text: string
  /** True where the original stands because the words differ. */
  kept: boolean
  /** True where a paragraph begins with it. */
  opens: boolean
  /** What has become of a part of it, `[from, to)` in UTF-16 units of the original; marks go with the word before them, opening ones with the word behind. */
  part(from: number, to: number): string
}

/** A letter or a filler of the original, and what has become of it in the answer. */
interface Pair {
  original: number
  start: number
  end: number
}

export function assemble(wish: Assembly): {
  passages: Passage[]
  removed: Record<string, number>
  removals: Removal[]
} {
  const { text } = wish.original.letters
  const { matches, kept, removals } = settleFillers(wish)
  const passages: Passage[] = []
  const add = (passage: Passage) => {
    const clipped = clip(passage, wish.from)
    if (clipped.to > clipped.from && (clipped.text !== '' || !clipped.kept)) passages.push(clipped)
  }
  let at = 0
  let closed = true
  for (const [i, match] of matches.entries()) {
    const from = borderBefore(wish, match, matches[i - 1], kept)
    const to = borderAfter(wish, match, matches[i + 1], kept)
    if (from > at && holdsWords(wish.original, at, from)) {
      add(asItWas(text, at, from, closed))
      closed = match.opens
    }
    // Marks alone that lie between two of them belong to the first.
    const start = passages.length > 0 || from <= wish.from ? from : Math.max(at, Math.min(from, wish.from))
    add(asAnswered(wish, match, start, to, closed && match.opens, kept))
    at = to
    closed = match.closes
  }
  if (holdsWords(wish.original, at, text.length) || passages.length === 0)
    add(asItWas(text, at, text.length, closed))
  return { passages: seamless(passages, text.length - wish.from), removed: countsOf(removals), removals }
}

function holdsWords({ letters, fillers }: Reduced, from: number, to: number): boolean {
  const first = letters.start[firstFrom(letters.start, from)]
  return (first !== undefined && first < to) || fillers.some(({ start }) => start >= from && start < to)
}

function asItWas(text: string, from: number, to: number, opens: boolean): Passage {
  const part = (a: number, b: number) => text.slice(Math.max(a, from), Math.min(b, to)).trim()
  return { from, to, text: part(from, to), kept: true, opens, part }
}

function asAnswered(
  { original, answer }: Assembly,
  match: Match,
  from: number,
  to: number,
  opens: boolean,
  kept: Map<Standing, Standing>,
): Passage {
  const { text } = answer.letters
  const pairs = pairsOf(original, answer, match, kept)
  const cut = (i: number) =>
    i === 0 ? match.from : i >= pairs.length ? match.to : cutBetween(text, pairs[i - 1]!.end, pairs[i]!.start)
  const part = (a: number, b: number) => {
    const first = pairs.findIndex(({ original: at }) => at >= a)
    if (first < 0 || pairs[first]!.original >= b) return ''
    const after = pairs.findIndex(({ original: at }) => at >= b)
    return text.slice(cut(first), cut(after < 0 ? pairs.length : after)).trim()
  }
  return { from, to, text: text.slice(match.from, match.to).trim(), kept: false, opens, part }
}

function pairsOf(original: Reduced, answer: Reduced, match: Match, kept: Map<Standing, Standing>): Pair[] {
  const letters = Array.from({ length: match.length }, (_, i) => ({
    original: original.letters.start[match.at + i]!,
    start: answer.letters.start[match.first + i]!,
    end: answer.letters.end[match.first + i]!,
  }))
  const fillers = [...kept]
    .filter(([, { start }]) => start >= match.from && start < match.to)
    .map(([was, is]) => ({ original: was.start, start: is.start, end: is.end }))
  return [...letters, ...fillers].sort((a, b) => a.start - b.start)
}

/** Where a match begins in the original, with the fillers that go with it. */
function borderBefore(
  { original, from }: Assembly,
  match: Match,
  previous: Match | undefined,
  kept: Map<Standing, Standing>,
): number {
  const { letters } = original
  const here = original.fillers.filter(({ slot }) => slot === match.at)
  const isNext = previous && previous.at + previous.length === match.at
  const own =
    isNext || isFirst(letters, match.at, from)
      ? here.slice(isNext ? trailing(previous, here, kept) : 0)
      : leading(match, here, kept)
  const others = here.slice(0, here.length - own.length)
  const left = others.at(-1)?.end ?? (match.at > 0 ? letters.end[match.at - 1]! : 0)
  const right = own[0]?.start ?? letters.start[match.at]!
  return match.at === 0 && others.length === 0 ? 0 : cutBetween(letters.text, left, right)
}

function borderAfter(
  wish: Assembly,
  match: Match,
  next: Match | undefined,
  kept: Map<Standing, Standing>,
): number {
  const { letters, fillers } = wish.original
  const end = match.at + match.length
  if (next?.at === end) return borderBefore(wish, next, match, kept)
  const here = fillers.filter(({ slot }) => slot === end)
  const isLast = end === letters.stream.length
  const count = isLast ? here.length : trailing(match, here, kept)
  const left = here[count - 1]?.end ?? letters.end[end - 1]!
  const right = here[count]?.start ?? letters.start[end]
  return right === undefined ? letters.text.length : cutBetween(letters.text, left, right)
}

/** Without what was only shown, counted from the beginning of what was not. */
function clip(passage: Passage, shift: number): Passage {
  if (shift === 0) return passage
  const { from, to, part } = passage
  const text = from < shift ? part(shift, to) : passage.text
  return {
    ...passage,
    from: Math.max(0, from - shift),
    to: Math.max(0, to - shift),
    text,
    part: (a, b) => part(Math.max(a, 0) + shift, b + shift),
  }
}

/** Blanks and marks between two passages go with the first, so that together they are the whole. */
function seamless(passages: Passage[], length: number): Passage[] {
  return passages.map((passage, i) => ({
    ...passage,
    from: i === 0 ? 0 : passage.from,
    to: passages[i + 1]?.from ?? length,
    opens: i === 0 || passage.opens,
  }))
}
