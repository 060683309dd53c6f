// Fillers: which of them the answer has kept, which it has left out, and to which match those at a border belong.
import type { Match } from './chain.ts'
import type { Letters } from './normalized-text.ts'

/** A filler that was left out: where it stood in the original, and what it is counted as. */
export interface Removal {
  at: number
  length: number
  name: string
}

/** Letters of a text but for its fillers, and where those stand. */
export interface Reduced {
  letters: Letters
  fillers: Standing[]
}

/** A filler, and before which of the other letters it stands. */
export interface Standing {
  slot: number
  name: string
  /** As it stands in the stream. */
  letters: string
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

export interface Settled {
  matches: Match[]
  /** Fillers of the original that are in the answer, and where. */
  kept: Map<Standing, Standing>
  removals: Removal[]
}

/** Which fillers the answer has kept. A match that has one which was never said is none. */
export function settleFillers({ original, answer, matches: all, from }: Assembly): Settled {
  let matches = all
  for (;;) {
    const kept = new Map<Standing, Standing>()
    const wrong = new Set<Match>()
    for (const match of matches) {
      for (const filler of answer.fillers.filter(({ start }) => start >= match.from && start < match.to)) {
        const slot = match.at + filler.slot - match.first
        const said = original.fillers.find(
          one => one.slot === slot && one.letters === filler.letters && !kept.has(one) && isBehind(one, kept),
        )
        if (said) kept.set(said, filler)
        else wrong.add(match)
      }
    }
    if (wrong.size === 0) return { matches, kept, removals: removalsOf(original, matches, kept, from) }
    matches = matches.filter(match => !wrong.has(match))
  }
}

/** In order: none before one that is there already. */
function isBehind(one: Standing, kept: Map<Standing, Standing>): boolean {
  const last = [...kept.keys()].at(-1)
  return last === undefined || last.start < one.start
}

function removalsOf(
  { letters, fillers }: Reduced,
  matches: Match[],
  kept: Map<Standing, Standing>,
  from: number,
): Removal[] {
  const removals: Removal[] = []
  const size = letters.stream.length
  for (const filler of fillers) {
    if (kept.has(filler) || filler.start < from) continue
    const { slot } = filler
    const isInside = matches.some(({ at, length }) => slot > at && slot < at + length)
    const isLeft = matches.some(({ at, length }) => slot === at + length) || isFirst(letters, slot, from)
    const isRight = matches.some(({ at }) => slot === at) || slot === size
    const isBetween =
      isLeft && isRight && matches.some(({ at, length }) => slot === at || slot === at + length)
    const hasNeighbour = [...kept.keys()].some(
      one =>
        one.slot === slot && ((isRight && one.start < filler.start) || (isLeft && one.start > filler.start)),
    )
    const { start, end, name } = filler
    if (isInside || isBetween || hasNeighbour) removals.push({ at: start - from, length: end - start, name })
  }
  return removals
}

export function countsOf(removals: Removal[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { name } of removals) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/** True where no letter of what counts stands before it. */
export function isFirst({ start }: Letters, slot: number, from: number): boolean {
  return slot === 0 || start[slot - 1]! < from
}

/** How many of these go with the match before them: up to the last that its text has. */
export function trailing(match: Match, here: Standing[], kept: Map<Standing, Standing>): number {
  const isOwn = (one: Standing) =>
    (kept.get(one)?.start ?? -1) >= match.from && kept.get(one)!.start < match.to
  return here.findLastIndex(isOwn) + 1
}

/** Those that go with the match behind them: from the first that its text has. */
export function leading(match: Match, here: Standing[], kept: Map<Standing, Standing>): Standing[] {
  const first = here.findIndex(one => {
    const is = kept.get(one)
    return is !== undefined && is.start >= match.from && is.start < match.to
  })
  return first < 0 ? [] : here.slice(first)
}
