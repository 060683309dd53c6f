// Compares two spellings of a sentence letter by letter: which letters of one are which letters of the other.

/** A letter, digit or asterisk with its combining marks. */
export interface Letter {
  /** Equal for upper and lower case, wide and narrow, composed and decomposed forms. */
  key: string
  /** `[start, end)` in the text, in UTF-16 units. */
  start: number
  end: number
}

const letterPattern = /[\p{L}\p{N}*]\p{M}*/gu
/** More differences than this are not worth their search: the spellings have little in common. */
const maxDifferences = 1000

/** Leaves out spaces, punctuation and symbols, except the asterisks in place of censored words. */
export function lettersOf(text: string): Letter[] {
  const letters: Letter[] = []
  for (const { 0: letter, index } of text.matchAll(letterPattern))
    letters.push({ key: keyOf(letter), start: index, end: index + letter.length })
  return letters
}

function keyOf(letter: string): string {
  return letter < '\u0080' ? letter.toLowerCase() : letter.normalize('NFKC').toLowerCase()
}

/**
 * For each letter of one spelling the index of the same letter in the other one, or -1. The indices ascend, and as few
 * letters as possible have none (Myers, "An O(ND) difference algorithm", 1986). All are -1 where too many differ.
 */
export function sameLetters(one: Letter[], other: Letter[]): Int32Array {
  const found = new Int32Array(one.length).fill(-1)
  const shorter = Math.min(one.length, other.length)
  let head = 0
  while (head < shorter && one[head]!.key === other[head]!.key) found[head] = head++
  let tail = 0
  while (tail < shorter - head && one.at(-1 - tail)!.key === other.at(-1 - tail)!.key) tail++
  for (let i = 1; i <= tail; i++) found[one.length - i] = other.length - i
  const middle = (letters: Letter[]) => letters.slice(head, letters.length - tail)
  for (const [i, j] of samePairs(middle(one), middle(other))) found[head + i] = head + j
  return found
}

/** Pairs of equal letters, the last one first. */
function* samePairs(one: Letter[], other: Letter[]): Generator<[number, number]> {
  const history = one.length > 0 && other.length > 0 ? furthestPaths(one, other) : undefined
  if (!history) return
  let [i, j] = [one.length, other.length]
  for (let edits = history.length - 1; i > 0 && j > 0; edits--) {
    const diagonal = i - j
    const reached = history[edits - 1]
    const from = reached ? startOf(reached, diagonal, edits) : 0
    while (i > from && i > 0 && j > 0) yield [--i, --j]
    if (!reached) return
    // One letter of one spelling, or of the other, is missing before.
    if (skipsOther(reached, diagonal, edits)) j--
    else i--
  }
}

/**
 * For each number of edits the furthest index in `one` on each diagonal (offset by that number). Ends with the number that
 * suffices; undefined if that is too large.
 */
function furthestPaths(one: Letter[], other: Letter[]): Int32Array[] | undefined {
  const history: Int32Array[] = []
  for (let edits = 0; edits <= maxDifferences; edits++) {
    const reached = new Int32Array(2 * edits + 1)
    const before = history.at(-1)
    history.push(reached)
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let i = before ? startOf(before, diagonal, edits) : 0
      while (i < one.length && i - diagonal < other.length && one[i]!.key === other[i - diagonal]!.key) i++
      reached[diagonal + edits] = i
      if (i >= one.length && i - diagonal >= other.length) return history
    }
  }
  return undefined
}

/** True where the path to this diagonal comes by a letter of `other` alone. `before`: paths with one edit less. */
function skipsOther(before: Int32Array, diagonal: number, edits: number): boolean {
  const at = diagonal + edits - 1
  return diagonal === -edits || (diagonal !== edits && before[at - 1]! < before[at + 1]!)
}

/** Where the run of equal letters on this diagonal begins, after its last edit. */
function startOf(before: Int32Array, diagonal: number, edits: number): number {
  const at = diagonal + edits - 1
  return skipsOther(before, diagonal, edits) ? before[at + 1]! : before[at - 1]! + 1
}
