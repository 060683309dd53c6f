// Detects times that a server did not measure: spread evenly or by letters, one for all, or none at all.
import type { GivenTime } from './times.ts'

/** Fewer are as regular by chance. */
const minSegments = 3
const minWords = 6
const minWordsOfSegment = 4
/** Servers round times to hundredths. */
const toleranceSeconds = 0.015
const toleranceShare = 0.02
/** A single item this close to both ends says nothing. */
const endSeconds = 0.3

/** Ways to measure a text by which servers have spread times. */
const measures: ((text: string) => number)[] = [
  // An equal length for each.
  () => 1,
  // All characters, with the space that may come before a word.
  text => text.length,
  // All characters but the spaces around it.
  text => text.trim().length,
  // All characters but spaces, as for languages that write none.
  text => text.replace(/\s/g, '').length,
  // Letters and digits, without marks.
  text => text.match(/[\p{L}\p{N}]/gu)?.length ?? 0,
]

/** True for placeholders, and for lengths that follow from the text alone. A true measurement is never so regular. */
export function areInvented(segments: readonly GivenTime[], seconds: number): boolean {
  return isPlaceholder(segments, seconds) || isSpread(segments, minSegments)
}

/** The same for words, also where those of each segment are spread over it. */
export function areWordsInvented(
  words: readonly GivenTime[],
  segments: readonly GivenTime[],
  seconds: number,
): boolean {
  if (isPlaceholder(words, seconds) || isSpread(words, minWords)) return true
  const groups = segments
    .map(({ start, end }) => words.filter(word => word.start >= start - 0.001 && word.start < end))
    .filter(group => group.length >= minWordsOfSegment)
  return groups.length > 0 && groups.every(group => isSpread(group, minWordsOfSegment))
}

function isPlaceholder(items: readonly GivenTime[], seconds: number): boolean {
  const [first] = items
  if (!first) return false
  if (items.every(({ start, end }) => end <= start)) return true
  if (items.length === 1) return first.start <= endSeconds && first.end >= seconds - endSeconds
  return items.every(({ start }) => start === first.start)
}

function isSpread(items: readonly GivenTime[], minItems: number): boolean {
  if (items.length < minItems) return false
  return measures.some(measure => {
    const sizes = items.map(({ text }) => measure(text))
    const total = sizes.reduce((sum, size) => sum + size, 0)
    const lengths = items.map(({ start, end }) => end - start)
    const perSize = lengths.reduce((sum, length) => sum + length, 0) / total
    return lengths.every((length, i) => {
      const expected = sizes[i]! * perSize
      return Math.abs(length - expected) <= toleranceSeconds + toleranceShare * expected
    })
  })
}
