// Joins the texts of two chunks that overlap: what both heard is kept once, what a cut went through is dropped.
import { tokens } from '../../domain/tokens.ts'

/** Words spoken in a second at most, which bounds where in the texts the overlap can lie. */
const wordsPerSecond = 6
/** At each end of an overlap a cut may have spoilt this many words. */
const spoilt = 2

/**
 * Cuts the end of `left` and the start of `right` so that together they say each word once. `overlap` is the length in
 * seconds of what both were made from, `expected` about how many words that is: in a refrain every place looks alike.
 * Where the two have no word in common both are kept whole: better a word twice than a word lost.
 */
export function joinOverlap(
  left: string,
  right: string,
  overlap: number,
  expected = Number.POSITIVE_INFINITY,
): [left: string, right: string] {
  const reach = Math.ceil(overlap * wordsPerSecond) + spoilt
  const tail = tokens(left).slice(-reach)
  const head = tokens(right).slice(0, reach)
  let best: { tail: number; head: number; length: number; score: number } | undefined
  for (let i = 0; i < tail.length; i++) {
    for (let j = 0; j < head.length; j++) {
      let length = 0
      while (tail[i + length] && tail[i + length]!.key === head[j + length]?.key) length++
      if (length === 0) continue
      // Long runs speak for a place; words left over beside the run, beyond the spoilt ones, speak against it. Of
      // equals the one that drops the fewest words is right.
      const [after, before] = [tail.length - i - length, j]
      const leftOver = Math.max(0, after - spoilt) + Math.max(0, before - spoilt)
      const far = Number.isFinite(expected) ? Math.abs(tail.length - i + j - expected) : 0
      const score = 2 * Math.min(length, expected) - leftOver - far / 10 - (after + before) / 100
      if (score > (best?.score ?? 0)) best = { tail: i, head: j, length, score }
    }
  }
  if (!best) return [left, right]
  // The first words of the run as the left text has them, where no capital letter opens the chunk; the last as the
  // right text has them, where no full stop closes it.
  const fromLeft = Math.ceil(best.length / 2)
  return [
    left.slice(0, tail[best.tail + fromLeft - 1]!.end),
    right.slice(head[best.head + fromLeft - 1]!.end).trimStart(),
  ]
}
