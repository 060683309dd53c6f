// Matches an answer's units to the original by co-linear chaining with a Fenwick tree over exact character runs.
import { recoverFromAdditions } from './additions.ts'
import type { Unit } from './answer.ts'
import { type Candidate, type ChainInput, charsIn, type Match } from './match.ts'
import { lineBreak, type NormalizedText, sameWords } from './normalized-text.ts'

/** Limits of the search for a short unit, such as "yes", which may occur anywhere. */
const maxOccurrences = 200
const maxSearches = 2_000

/** Returns the best-scoring chain of matches, in the order of the original. */
export function chain(units: Unit[], input: ChainInput): Match[] {
  const candidates = units.map(unit => ({ unit, ...charsIn(input.answer, unit.from, unit.to) }))
  const matched = bestChain(candidates, input)
  return recoverFromAdditions(candidates, matched, input).filter(
    (match, i, all) => !isCoincidence(match, all[i - 1], all[i + 1], input),
  )
}

/** One to three words, which any text may contain by coincidence. */
const maxCoincidenceChars = 16

/** A short match counts only beside others or as a whole line: "No." does not match a line with a "no" in it. */
function isCoincidence(
  match: Match,
  before: Match | undefined,
  after: Match | undefined,
  { original }: ChainInput,
): boolean {
  const { originalStart: from, length } = match
  const to = from + length
  if (length > maxCoincidenceChars) return false
  const continues = before === undefined ? from === 0 : before.originalStart + before.length === from
  const isContinued = after === undefined ? to === original.chars.length : after.originalStart === to
  return (
    !continues &&
    !isContinued &&
    original.boundaries[from] !== lineBreak &&
    original.boundaries[to] !== lineBreak
  )
}

interface ChainNode {
  candidate: Candidate
  at: number
  score: number
  previous: ChainNode | undefined
}

function bestChain(
  candidates: Candidate[],
  { original, answer, contextChars }: ChainInput,
): Map<Unit, Match> {
  const size = original.chars.length
  /** Fenwick tree: the best chain that ends at or before a character. */
  const best: (ChainNode | undefined)[] = new Array(size + 2)
  /** The best chain that ends exactly at a character. */
  const exact = new Map<number, ChainNode>()
  const score = (at: number, length: number) =>
    4 * Math.max(0, at + length - Math.max(at, contextChars)) +
    Math.max(0, Math.min(at + length, contextChars) - at)

  function bestUpTo(at: number): ChainNode | undefined {
    let found: ChainNode | undefined
    for (let i = at + 1; i > 0; i -= i & -i) if ((best[i]?.score ?? 0) > (found?.score ?? 0)) found = best[i]
    return found
  }
  function insert(node: ChainNode): void {
    const end = node.at + node.candidate.length
    if ((exact.get(end)?.score ?? 0) < node.score) exact.set(end, node)
    for (let i = end + 1; i < best.length; i += i & -i) if ((best[i]?.score ?? 0) < node.score) best[i] = node
  }

  const occurrencesOf = new Map<string, number[]>()
  for (const candidate of candidates) {
    if (candidate.length === 0) continue
    const { start, length } = candidate
    const chars = answer.chars.slice(start, start + length)
    const found = occurrencesOf.get(chars) ?? occurrences(chars, original)
    occurrencesOf.set(chars, found)
    const nodes = found
      .filter(at => sameWords(original, at, answer, start, length))
      .map((at): ChainNode => {
        const distant = bestUpTo(at)
        const adjacent = exact.get(at)
        // Among several occurrences, the one that directly continues the previous unit wins.
        const isAdjacent = adjacent !== undefined && adjacent.score + 1 > (distant?.score ?? 0)
        const previous = isAdjacent ? adjacent : distant
        const bonus = previous && previous === adjacent ? 1 : 0
        return { candidate, at, score: score(at, length) + (previous?.score ?? 0) + bonus, previous }
      })
    for (const node of nodes) insert(node)
  }

  const matched = new Map<Unit, Match>()
  for (let node = bestUpTo(size); node; node = node.previous) {
    const { unit, start, length } = node.candidate
    matched.set(unit, { ...unit, originalStart: node.at, answerStart: start, length })
  }
  return matched
}

function occurrences(searched: string, { chars }: NormalizedText): number[] {
  const found: number[] = []
  let searches = 0
  for (
    let at = chars.indexOf(searched);
    at >= 0 && searches < maxSearches;
    at = chars.indexOf(searched, at + 1), searches++
  )
    if (found.length < maxOccurrences) found.push(at)
  return found
}
