// Joins the texts of two overlapping chunks at their best common run of words, without the words that a cut broke.
import { tokens } from '../../domain/tokens.ts'

/** Bounds where in the texts the overlap can lie. */
const maxWordsPerSecond = 6
/** At each end of an overlap a cut may have broken this many words. */
const maxBrokenWords = 2

/**
 * Cuts the end of `left` and the start of `right` so that together they have each word once. `overlap` is the length in
 * seconds of the common audio, `expected` the approximate number of words in it: in a refrain every position looks
 * alike. Where the two have no word in common both are kept whole: a doubled word is better than a lost one.
 */
export function joinOverlap(
  left: string,
  right: string,
  overlap: number,
  expected = Number.POSITIVE_INFINITY,
): [left: string, right: string] {
  const maxWords = Math.ceil(overlap * maxWordsPerSecond) + maxBrokenWords
  const tail = tokens(left).slice(-maxWords)
  const head = tokens(right).slice(0, maxWords)
  let best: { tail: number; head: number; length: number; score: number } | undefined
  for (let i = 0; i < tail.length; i++) {
    for (let j = 0; j < head.length; j++) {
      let length = 0
      while (tail[i + length] && tail[i + length]!.key === head[j + length]?.key) length++
      if (length === 0) continue
      // A long run counts for a position; words left over beside it, beyond the broken ones, count against it. Of
      // equal positions the one that drops the fewest words wins.
      const [after, before] = [tail.length - i - length, j]
      const leftOver = Math.max(0, after - maxBrokenWords) + Math.max(0, before - maxBrokenWords)
      const deviation = Number.isFinite(expected) ? Math.abs(tail.length - i + j - expected) : 0
      const score = 2 * Math.min(length, expected) - leftOver - deviation / 10 - (after + before) / 100
      if (score > (best?.score ?? 0)) best = { tail: i, head: j, length, score }
    }
  }
  if (!best) return [left, right]
  // The first words of the run come from the left text, where no capital opens the chunk; the last from the right
  // text, where no full stop closes it.
  const fromLeft = Math.ceil(best.length / 2)
  return [
    left.slice(0, tail[best.tail + fromLeft - 1]!.end),
    right.slice(head[best.head + fromLeft - 1]!.end).trimStart(),
  ]
}
