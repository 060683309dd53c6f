// Finds the answer's units in the original: exact runs of its letters, in order, that together cover the most of it.
import { sentencesOf, type Unit } from './answer.ts'
import { firstFrom, type Letters, line, sameWords } from './normalized-text.ts'

/** A unit, or sentences of one, that say what the original says from letter `at` on. */
export interface Match extends Unit {
  /** First letter in the original and in the answer, and how many. */
  at: number
  first: number
  length: number
}

export interface Chaining {
  original: Letters
  answer: Letters
  /** Letters that were shown to the model and are not part of the text: worth less, so that a doubtful unit is not lost to them. */
  shown: number
}

/** A word such as "yes" may be anywhere: so many places of a unit are looked at. */
const mostPlaces = 200
const mostTries = 2_000

/** In order of the original. */
export function chain(units: Unit[], wish: Chaining): Match[] {
  const runs = units.map(unit => ({ unit, ...lettersIn(wish.answer, unit.from, unit.to) }))
  const matched = longestChain(runs, wish)
  return withoutAdditions(runs, matched, wish).filter(
    (match, i, all) => !isChance(match, all[i - 1], all[i + 1], wish),
  )
}

/** Letters in a word or three, that any text may hold somewhere. */
const fewLetters = 16

/** An answer that is "No." is no part of a line with a "no" in it: so short a match counts only beside others, or as a line. */
function isChance(
  match: Match,
  before: Match | undefined,
  after: Match | undefined,
  { original }: Chaining,
): boolean {
  const { at, length } = match
  const [from, to] = [at, at + length]
  if (length > fewLetters) return false
  const begins = before?.at === undefined ? from === 0 : before.at + before.length === from
  const ends = after?.at === undefined ? to === original.stream.length : after.at === to
  return !begins && !ends && original.border[from] !== line && original.border[to] !== line
}

interface Run {
  unit: Unit
  first: number
  length: number
}

/** Which letters lie in a stretch of the text. */
function lettersIn({ start }: Letters, from: number, to: number): { first: number; length: number } {
  const first = firstFrom(start, from)
  return { first, length: firstFrom(start, to) - first }
}

interface Node {
  run: Run
  at: number
  score: number
  before: Node | undefined
}

function longestChain(runs: Run[], { original, answer, shown }: Chaining): Map<Unit, Match> {
  const size = original.stream.length
  /** Best chain that ends at or before a letter (a Fenwick tree), and exactly there. */
  const best: (Node | undefined)[] = new Array(size + 2)
  const exact = new Map<number, Node>()
  const worth = (at: number, length: number) =>
    4 * Math.max(0, at + length - Math.max(at, shown)) + Math.max(0, Math.min(at + length, shown) - at)

  function bestUpTo(at: number): Node | undefined {
    let found: Node | undefined
    for (let i = at + 1; i > 0; i -= i & -i) if ((best[i]?.score ?? 0) > (found?.score ?? 0)) found = best[i]
    return found
  }
  function enter(node: Node): void {
    const end = node.at + node.run.length
    if ((exact.get(end)?.score ?? 0) < node.score) exact.set(end, node)
    for (let i = end + 1; i < best.length; i += i & -i) if ((best[i]?.score ?? 0) < node.score) best[i] = node
  }

  const places = new Map<string, number[]>()
  for (const run of runs) {
    if (run.length === 0) continue
    const { first, length } = run
    const said = answer.stream.slice(first, first + length)
    const known = places.get(said) ?? placesOf(said, original)
    places.set(said, known)
    const nodes = known
      .filter(at => sameWords(original, at, answer, first, length))
      .map((at): Node => {
        const far = bestUpTo(at)
        const near = exact.get(at)
        // Where a unit may stand in several places it goes on from the one before.
        const before = near && near.score + 1 > (far?.score ?? 0) ? near : far
        const score = worth(at, length) + (before?.score ?? 0) + (before && before === near ? 1 : 0)
        return { run, at, score, before }
      })
    for (const node of nodes) enter(node)
  }

  const matched = new Map<Unit, Match>()
  for (let node = bestUpTo(size); node; node = node.before) {
    const { unit, first, length } = node.run
    matched.set(unit, { ...unit, at: node.at, first, length })
  }
  return matched
}

function placesOf(said: string, { stream }: Letters): number[] {
  const found: number[] = []
  let tries = 0
  for (
    let at = stream.indexOf(said);
    at >= 0 && tries < mostTries;
    at = stream.indexOf(said, at + 1), tries++
  )
    if (found.length < mostPlaces) found.push(at)
  return found
}

/** Units that found no place may still be good but for sentences which the model has added, or not ended. */
function withoutAdditions(runs: Run[], matched: Map<Unit, Match>, wish: Chaining): Match[] {
  const found: Match[] = []
  let waiting: Unit[] = []
  const end = () => (found.length > 0 ? found.at(-1)!.at + found.at(-1)!.length : wish.shown)
  const close = (to: number, isLast: boolean) => {
    const gap = { from: Math.max(end(), Math.min(wish.shown, to)), to }
    if (waiting.length > 0 && gap.to > gap.from) found.push(...atEdges(waiting, gap, isLast, wish))
    waiting = []
  }
  for (const { unit } of runs) {
    const match = matched.get(unit)
    if (!match) waiting.push(unit)
    else {
      close(match.at, false)
      found.push(match)
    }
  }
  close(wish.original.stream.length, true)
  return found
}

interface Gap {
  from: number
  to: number
}

/** What of these units stands at the edges of a gap of the original: all that they have beside it is an addition. */
function atEdges(units: Unit[], gap: Gap, isLast: boolean, wish: Chaining): Match[] {
  const [head, tail] = [units[0]!, units.at(-1)!]
  const isAlone = units.length === 1
  const whole = isAlone ? filling(head, gap, wish) : undefined
  if (whole) return [whole]
  const first = goingOn(head, gap, wish)
  if (isAlone && first) return [first]
  const rest = first ? { from: first.at + first.length, to: gap.to } : gap
  const last = ending(tail, rest, wish) ?? (isLast ? beginning(tail, rest, wish) : undefined)
  return [first, last].filter(match => match !== undefined)
}

/** Its sentences from one to another, where they are the whole gap. */
function filling(unit: Unit, gap: Gap, wish: Chaining): Match | undefined {
  const parts = partsOf(unit, wish.answer.text)
  for (let i = 0; i < parts.length; i++)
    for (let j = parts.length; j > i; j--) {
      const match = stands(parts.slice(i, j), unit, gap.from, wish)
      if (match && match.length === gap.to - gap.from) return match
    }
  return undefined
}

/** Its last sentences, where the gap begins with them. */
function goingOn(unit: Unit, gap: Gap, wish: Chaining): Match | undefined {
  const parts = partsOf(unit, wish.answer.text)
  return firstOf(parts.length - 1, i => {
    const match = stands(parts.slice(i + 1), unit, gap.from, wish)
    return match && match.at + match.length <= gap.to ? match : undefined
  })
}

function firstOf<T>(count: number, find: (i: number) => T | undefined): T | undefined {
  for (let i = 0; i < count; i++) {
    const found = find(i)
    if (found !== undefined) return found
  }
  return undefined
}

/** Its first sentences, where they end the gap. */
function ending(unit: Unit, gap: Gap, wish: Chaining): Match | undefined {
  const parts = partsOf(unit, wish.answer.text)
  return firstOf(parts.length - 1, i => {
    const some = parts.slice(0, parts.length - 1 - i)
    const { length } = lettersIn(wish.answer, some[0]!.from, some.at(-1)!.to)
    return gap.to - length < gap.from ? undefined : stands(some, unit, gap.to - length, wish)
  })
}

/** As many of its first sentences as the original goes on with: an answer that was cut off has no more. */
function beginning(unit: Unit, gap: Gap, wish: Chaining): Match | undefined {
  const parts = partsOf(unit, wish.answer.text)
  return firstOf(parts.length - 1, i => {
    const match = stands(parts.slice(0, parts.length - 1 - i), unit, gap.from, wish)
    return match && match.at + match.length <= gap.to ? match : undefined
  })
}

/** So many sentences may stand before what is wanted: "Sure! Here it is: …". */
const greetings = 3

/** Sentences; the first ones parted behind their colons, too. */
function partsOf({ from, to }: Unit, text: string): Gap[] {
  return sentencesOf(text, from, to).flatMap((sentence, i) =>
    i < greetings ? atColon(sentence, text) : [sentence],
  )
}

function atColon({ from, to }: Gap, text: string): Gap[] {
  const said = text.slice(from, to)
  const colon = said.search(/[:：]/)
  if (colon < 0) return [{ from, to }]
  const rest = said.slice(colon + 1)
  const begin = to - rest.trimStart().length
  return [{ from, to: from + colon + 1 }, ...(begin < to ? [{ from: begin, to }] : [])]
}

/** These sentences at this place of the original, if they say what it says. */
function stands(parts: Gap[], unit: Unit, at: number, { original, answer }: Chaining): Match | undefined {
  const { from } = parts[0]!
  const { to } = parts.at(-1)!
  const { first, length } = lettersIn(answer, from, to)
  if (length === 0 || !original.stream.startsWith(answer.stream.slice(first, first + length), at))
    return undefined
  if (!sameWords(original, at, answer, first, length)) return undefined
  const [opens, closes] = [unit.opens || from > unit.from, unit.closes || to < unit.to]
  return { from, to, opens, closes, at, first, length }
}
