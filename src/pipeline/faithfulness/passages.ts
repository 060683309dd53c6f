// Assembles the judged text: matched passages as in the answer, the rest as in the original.
import {
  type AlignmentInput,
  alignFillers,
  countByName,
  type FillerPosition,
  isFirstSlot,
  leadingFillers,
  type Removal,
  trailingCount,
  type WithoutFillers,
} from './align-fillers.ts'
import type { Match } from './match.ts'
import { cutBetween, lowerBound } from './normalized-text.ts'

/** A range of the original, `[from, to)` in UTF-16 units, and its formatted text. */
export interface Passage {
  from: number
  to: number
  /** The answer's text where its words equal the original's, otherwise the original text; trimmed. */
  text: string
  /** True where the original is kept because the words differ. */
  kept: boolean
  /** True where it begins a paragraph. */
  opens: boolean
  /**
   * Formatted text of a range of the original, `[from, to)` in UTF-16 units. Punctuation stays with the word before it;
   * opening brackets and quotes go with the word after.
   */
  part(from: number, to: number): string
}

/** A character or a filler of the original, and its position in the answer. */
interface AlignedPair {
  originalOffset: number
  start: number
  end: number
}

export function assemble(input: AlignmentInput): {
  passages: Passage[]
  removed: Record<string, number>
  removals: Removal[]
} {
  const { original, contextLength } = input
  const { text } = original.normalized
  const { matches, kept, removals } = alignFillers(input)
  const passages: Passage[] = []
  const add = (passage: Passage) => {
    const clipped = clip(passage, contextLength)
    if (clipped.to > clipped.from && (clipped.text !== '' || !clipped.kept)) passages.push(clipped)
  }
  let at = 0
  let closed = true
  for (const [i, match] of matches.entries()) {
    const from = startOf(input, match, matches[i - 1], kept)
    const to = endOf(input, match, matches[i + 1], kept)
    if (from > at && hasWords(original, at, from)) {
      add(originalPassage(text, at, from, closed))
      closed = match.opens
    }
    // Punctuation alone between two matches belongs to the first.
    const start =
      passages.length > 0 || from <= contextLength ? from : Math.max(at, Math.min(from, contextLength))
    add(answeredPassage(input, match, start, to, closed && match.opens, kept))
    at = to
    closed = match.closes
  }
  if (hasWords(original, at, text.length) || passages.length === 0)
    add(originalPassage(text, at, text.length, closed))
  const covering = coverGaps(passages, text.length - contextLength)
  return { passages: covering, removed: countByName(removals), removals }
}

function hasWords({ normalized, fillers }: WithoutFillers, from: number, to: number): boolean {
  const first = normalized.start[lowerBound(normalized.start, from)]
  return (first !== undefined && first < to) || fillers.some(({ start }) => start >= from && start < to)
}

function originalPassage(text: string, from: number, to: number, opens: boolean): Passage {
  const part = (a: number, b: number) => text.slice(Math.max(a, from), Math.min(b, to)).trim()
  return { from, to, text: part(from, to), kept: true, opens, part }
}

function answeredPassage(
  { original, answer }: AlignmentInput,
  match: Match,
  from: number,
  to: number,
  opens: boolean,
  kept: Map<FillerPosition, FillerPosition>,
): Passage {
  const { text } = answer.normalized
  const pairs = alignedPairs(original, answer, match, kept)
  const cut = (i: number) =>
    i === 0 ? match.from : i >= pairs.length ? match.to : cutBetween(text, pairs[i - 1]!.end, pairs[i]!.start)
  const part = (a: number, b: number) => {
    const first = pairs.findIndex(({ originalOffset }) => originalOffset >= a)
    if (first < 0 || pairs[first]!.originalOffset >= b) return ''
    const after = pairs.findIndex(({ originalOffset }) => originalOffset >= b)
    return text.slice(cut(first), cut(after < 0 ? pairs.length : after)).trim()
  }
  return { from, to, text: text.slice(match.from, match.to).trim(), kept: false, opens, part }
}

function alignedPairs(
  original: WithoutFillers,
  answer: WithoutFillers,
  match: Match,
  kept: Map<FillerPosition, FillerPosition>,
): AlignedPair[] {
  const characters = Array.from({ length: match.length }, (_, i) => ({
    originalOffset: original.normalized.start[match.originalStart + i]!,
    start: answer.normalized.start[match.answerStart + i]!,
    end: answer.normalized.end[match.answerStart + i]!,
  }))
  const fillers = [...kept]
    .filter(([, { start }]) => start >= match.from && start < match.to)
    .map(([source, { start, end }]) => ({ originalOffset: source.start, start, end }))
  return [...characters, ...fillers].sort((a, b) => a.start - b.start)
}

/** Returns the offset in the original at which a match begins, fillers that belong to it included. */
function startOf(
  { original, contextLength }: AlignmentInput,
  match: Match,
  previous: Match | undefined,
  kept: Map<FillerPosition, FillerPosition>,
): number {
  const { normalized } = original
  const atSlot = original.fillers.filter(({ slot }) => slot === match.originalStart)
  const isNext = previous && previous.originalStart + previous.length === match.originalStart
  const own =
    isNext || isFirstSlot(normalized, match.originalStart, contextLength)
      ? atSlot.slice(isNext ? trailingCount(previous, atSlot, kept) : 0)
      : leadingFillers(match, atSlot, kept)
  const others = atSlot.slice(0, atSlot.length - own.length)
  const left = others.at(-1)?.end ?? (match.originalStart > 0 ? normalized.end[match.originalStart - 1]! : 0)
  const right = own[0]?.start ?? normalized.start[match.originalStart]!
  return match.originalStart === 0 && others.length === 0 ? 0 : cutBetween(normalized.text, left, right)
}

/** Returns the offset in the original at which a match ends, fillers that belong to it included. */
function endOf(
  input: AlignmentInput,
  match: Match,
  next: Match | undefined,
  kept: Map<FillerPosition, FillerPosition>,
): number {
  const { normalized, fillers } = input.original
  const end = match.originalStart + match.length
  if (next?.originalStart === end) return startOf(input, next, match, kept)
  const atSlot = fillers.filter(({ slot }) => slot === end)
  const isLast = end === normalized.chars.length
  const count = isLast ? atSlot.length : trailingCount(match, atSlot, kept)
  const left = atSlot[count - 1]?.end ?? normalized.end[end - 1]!
  const right = atSlot[count]?.start ?? normalized.start[end]
  return right === undefined ? normalized.text.length : cutBetween(normalized.text, left, right)
}

/** Cuts off the context, and counts offsets from its end. */
function clip(passage: Passage, contextLength: number): Passage {
  if (contextLength === 0) return passage
  const { from, to, part } = passage
  const text = from < contextLength ? part(contextLength, to) : passage.text
  return {
    ...passage,
    from: Math.max(0, from - contextLength),
    to: Math.max(0, to - contextLength),
    text,
    part: (a, b) => part(Math.max(a, 0) + contextLength, b + contextLength),
  }
}

/** Assigns whitespace and punctuation between two passages to the first, so that the passages cover the text. */
function coverGaps(passages: Passage[], length: number): Passage[] {
  return passages.map((passage, i) => ({
    ...passage,
    from: i === 0 ? 0 : passage.from,
    to: passages[i + 1]?.from ?? length,
    opens: i === 0 || passage.opens,
  }))
}
