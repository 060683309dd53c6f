// Finds the words of scripts that put no spaces between them.

export const unspacedScript =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u

/** Length of text that is segmented at once (UTF-16 units): the time grows with its square. */
const maxSegmenterChars = 400
let segmenter: Intl.Segmenter | undefined

/** Yields the offsets at which words of unspaced scripts begin, except the first. */
export function* wordStarts(run: string): Generator<number> {
  segmenter ??= new Intl.Segmenter('ja', { granularity: 'word' })
  for (let from = 0; from < run.length; ) {
    const words = [...segmenter.segment(run.slice(from, from + maxSegmenterChars))]
    const isLast = from + maxSegmenterChars >= run.length
    // The last word may be cut off, and is segmented again.
    const last = isLast || words.length < 2 ? undefined : words.pop()!
    for (const { index, segment } of words)
      if (from + index > 0 && unspacedScript.test(segment)) yield from + index
    from += last?.index ?? maxSegmenterChars
  }
}
