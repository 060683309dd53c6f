// Aligns the fillers of the original with those of the answer: which are kept, and which are removed.
import type { Match } from './match.ts'
import type { NormalizedText } from './normalized-text.ts'

/** A removed filler: its range in the original (UTF-16 units), and the name under which it is counted. */
export interface Removal {
  at: number
  length: number
  name: string
}

/** A normalised text without its fillers, and the positions of those. */
export interface WithoutFillers {
  normalized: NormalizedText
  fillers: FillerPosition[]
}

export interface FillerPosition {
  /** Index of the character that follows it in the text without fillers. */
  slot: number
  name: string
  /** Its normalised characters. */
  chars: string
  /** `[start, end)` in the text. */
  start: number
  end: number
}

export interface AlignmentInput {
  original: WithoutFillers
  answer: WithoutFillers
  matches: Match[]
  /** Length of the context before the text proper; the model was shown it, and it is not part of the result. */
  contextLength: number
}

export interface AlignedFillers {
  matches: Match[]
  /** Fillers of the original that are in the answer, with their positions there. */
  kept: Map<FillerPosition, FillerPosition>
  removals: Removal[]
}

/** Finds the fillers that the answer kept. Drops matches with a filler that the original does not have. */
export function alignFillers({
  original,
  answer,
  matches: all,
  contextLength,
}: AlignmentInput): AlignedFillers {
  let matches = all
  for (;;) {
    const kept = new Map<FillerPosition, FillerPosition>()
    const wrong = new Set<Match>()
    for (const match of matches) {
      for (const filler of answer.fillers.filter(({ start }) => start >= match.from && start < match.to)) {
        const slot = match.originalStart + filler.slot - match.answerStart
        const source = original.fillers.find(
          one => one.slot === slot && one.chars === filler.chars && !kept.has(one) && isAfterLast(one, kept),
        )
        if (source) kept.set(source, filler)
        else wrong.add(match)
      }
    }
    if (wrong.size === 0)
      return { matches, kept, removals: findRemovals(original, matches, kept, contextLength) }
    matches = matches.filter(match => !wrong.has(match))
  }
}

/** Keeps the alignment in order: no filler before one that is aligned already. */
function isAfterLast(one: FillerPosition, kept: Map<FillerPosition, FillerPosition>): boolean {
  const last = [...kept.keys()].at(-1)
  return last === undefined || last.start < one.start
}

function findRemovals(
  { normalized, fillers }: WithoutFillers,
  matches: Match[],
  kept: Map<FillerPosition, FillerPosition>,
  contextLength: number,
): Removal[] {
  const removals: Removal[] = []
  const size = normalized.chars.length
  for (const filler of fillers) {
    if (kept.has(filler) || filler.start < contextLength) continue
    const { slot } = filler
    const isInside = matches.some(
      ({ originalStart, length }) => slot > originalStart && slot < originalStart + length,
    )
    const isLeft =
      matches.some(({ originalStart, length }) => slot === originalStart + length) ||
      isFirstSlot(normalized, slot, contextLength)
    const isRight = matches.some(({ originalStart }) => slot === originalStart) || slot === size
    const isBetween =
      isLeft &&
      isRight &&
      matches.some(({ originalStart, length }) => slot === originalStart || slot === originalStart + length)
    const hasNeighbour = [...kept.keys()].some(
      one =>
        one.slot === slot && ((isRight && one.start < filler.start) || (isLeft && one.start > filler.start)),
    )
    const { start, end, name } = filler
    if (isInside || isBetween || hasNeighbour)
      removals.push({ at: start - contextLength, length: end - start, name })
  }
  return removals
}

export function countByName(removals: Removal[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { name } of removals) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/** True if no character of the text proper precedes the slot. */
export function isFirstSlot({ start }: NormalizedText, slot: number, contextLength: number): boolean {
  return slot === 0 || start[slot - 1]! < contextLength
}

/** Counts the fillers of a slot that belong to the match before it: up to the last one in its answer text. */
export function trailingCount(
  match: Match,
  atSlot: FillerPosition[],
  kept: Map<FillerPosition, FillerPosition>,
): number {
  const isOwn = (one: FillerPosition) =>
    (kept.get(one)?.start ?? -1) >= match.from && kept.get(one)!.start < match.to
  return atSlot.findLastIndex(isOwn) + 1
}

/** Returns the fillers of a slot that belong to the match after it: from the first one in its answer text. */
export function leadingFillers(
  match: Match,
  atSlot: FillerPosition[],
  kept: Map<FillerPosition, FillerPosition>,
): FillerPosition[] {
  const first = atSlot.findIndex(one => {
    const found = kept.get(one)
    return found !== undefined && found.start >= match.from && found.start < match.to
  })
  return first < 0 ? [] : atSlot.slice(first)
}
