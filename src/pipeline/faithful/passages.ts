// Puts the original together again: what was found in the answer as the answer has it, the rest as it was.
import type { Passage } from '../faithful.ts'
import type { Match } from './chain.ts'
import { cutBetween, type Letters } from './letters.ts'

/** Letters of a text but for its fillers, and where those stand. */
export interface Reduced {
  letters: Letters
  fillers: Standing[]
}

/** A filler, and before which of the other letters it stands. */
export interface Standing {
  slot: number
  name: string
  /** In the text. */
  start: number
  end: number
}

export interface Assembly {
  original: Reduced
  answer: Reduced
  matches: Match[]
  /** Offset in the text at which what counts begins: what lies before was only shown. */
  from: number
}

/** A letter or a filler of the original, and what has become of it in the answer. */
interface Pair {
  original: number
  start: number
  end: number
}

export function assemble(wish: Assembly): { passages: Passage[]; removed: Record<string, number> } {
  const { text } = wish.original.letters
  const { matches, kept, removed } = settleFillers(wish)
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
  return { passages: seamless(passages, text.length - wish.from), removed }
}

function holdsWords({ letters, fillers }: Reduced, from: number, to: number): boolean {
  const inside = (start: number) => start >= from && start < to
  return letters.start.some(inside) || fillers.some(({ start }) => inside(start))
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

interface Settled {
  matches: Match[]
  /** Fillers of the original that are in the answer, and where. */
  kept: Map<Standing, Standing>
  removed: Record<string, number>
}

/** Which fillers the answer has kept. A match that has one which was never said is none. */
function settleFillers({ original, answer, matches: all, from }: Assembly): Settled {
  let matches = all
  for (;;) {
    const kept = new Map<Standing, Standing>()
    const wrong = new Set<Match>()
    for (const match of matches) {
      for (const filler of answer.fillers.filter(({ start }) => start >= match.from && start < match.to)) {
        const slot = match.at + filler.slot - match.first
        const said = original.fillers.find(
          one => one.slot === slot && one.name === filler.name && !kept.has(one) && isBehind(one, kept),
        )
        if (said) kept.set(said, filler)
        else wrong.add(match)
      }
    }
    if (wrong.size === 0) return { matches, kept, removed: removedOf(original, matches, kept, from) }
    matches = matches.filter(match => !wrong.has(match))
  }
}

/** In order: none before one that is there already. */
function isBehind(one: Standing, kept: Map<Standing, Standing>): boolean {
  const last = [...kept.keys()].at(-1)
  return last === undefined || last.start < one.start
}

function removedOf(
  { letters, fillers }: Reduced,
  matches: Match[],
  kept: Map<Standing, Standing>,
  from: number,
): Record<string, number> {
  const removed: Record<string, number> = {}
  const size = letters.stream.length
  for (const filler of fillers) {
    if (kept.has(filler) || filler.start < from) continue
    const { slot } = filler
    const isInside = matches.some(({ at, length }) => slot > at && slot < at + length)
    const isLeft = matches.some(({ at, length }) => slot === at + length) || isFirst(letters, slot, from)
    const isRight = matches.some(({ at }) => slot === at) || slot === size
    const isBetween = isLeft && isRight
    const hasNeighbour = [...kept.keys()].some(
      one =>
        one.slot === slot && ((isRight && one.start < filler.start) || (isLeft && one.start > filler.start)),
    )
    if (isInside || isBetween || hasNeighbour) removed[filler.name] = (removed[filler.name] ?? 0) + 1
  }
  return removed
}

/** True where no letter of what counts stands before it. */
function isFirst({ start }: Letters, slot: number, from: number): boolean {
  return slot === 0 || start[slot - 1]! < from
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

/** How many of these go with the match before them: up to the last that its text has. */
function trailing(match: Match, here: Standing[], kept: Map<Standing, Standing>): number {
  const isOwn = (one: Standing) =>
    (kept.get(one)?.start ?? -1) >= match.from && kept.get(one)!.start < match.to
  return here.findLastIndex(isOwn) + 1
}

/** Those that go with the match behind them: from the first that its text has. */
function leading(match: Match, here: Standing[], kept: Map<Standing, Standing>): Standing[] {
  const first = here.findIndex(one => {
    const is = kept.get(one)
    return is !== undefined && is.start >= match.from && is.start < match.to
  })
  return first < 0 ? [] : here.slice(first)
}

/** Without what was only shown, counted from the beginning of what was not. */
function clip(passage: Passage, shift: number): Passage {
  if (shift === 0) return passage
  const { from, to, part } = passage
  const text = from < shift ? part(shift, to) : passage.text
  return {
    ...passage,
    ...{ from: Math.max(0, from - shift), to: Math.max(0, to - shift), text },
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
