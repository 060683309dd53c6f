// A match: a stretch of the answer that has the same words as a run of the original.
import type { Unit } from './answer.ts'
import { lowerBound, type NormalizedText } from './normalized-text.ts'

/** A unit, or some of its sentences, with the same words as a run of the original. */
export interface Match extends Unit {
  /** Index of its first character in the normalised original. */
  originalStart: number
  /** Index of its first character in the normalised answer. */
  answerStart: number
  /** Number of normalised characters, the same in both. */
  length: number
}

export interface ChainInput {
  original: NormalizedText
  answer: NormalizedText
  /**
   * Number of leading characters of the original that are context, not part of the text. They score less, so that an
   * ambiguous unit is matched to the text rather than to the context.
   */
  contextChars: number
}

/** A unit, and its characters in the normalised answer. */
export interface Candidate {
  unit: Unit
  start: number
  length: number
}

/** Returns the normalised characters within a range of the text. */
export function charsIn(
  { start: starts }: NormalizedText,
  from: number,
  to: number,
): { start: number; length: number } {
  const start = lowerBound(starts, from)
  return { start, length: lowerBound(starts, to) - start }
}
