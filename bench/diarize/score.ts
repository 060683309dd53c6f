// WDER and cpWER: how many words have the wrong speaker, and what that does to each speaker's text.
import type { Labels } from './baselines.ts'

export interface Score {
  /** Words with the wrong speaker, or with none, after the best pairing of speakers. */
  wrong: number
  /** Insertions, deletions and substitutions over the texts of all speakers, after the best pairing of those. */
  edits: number
}

/**
 * `words` are the reference and, as the text is not in question here, what was heard too: cpWER is of the speakers
 * alone. A speaker without a counterpart counts as deletions or insertions; words of nobody are insertions.
 */
export function score(words: string[], truth: number[], labels: Labels): Score {
  const real = [...new Set(truth)]
  const found = [...new Set(labels)].filter(label => label !== null)
  const size = Math.max(real.length, found.length)
  const counts = square(size, () => 0)
  const references: number[][] = Array.from({ length: size }, () => [])
  const heard: number[][] = Array.from({ length: size }, () => [])
  const ids = new Map<string, number>()
  for (const [w, word] of words.entries()) {
    const [i, j] = [real.indexOf(truth[w]!), labels[w] === null ? -1 : found.indexOf(labels[w]!)]
    const id = ids.get(word) ?? ids.size
    ids.set(word, id)
    references[i]!.push(id)
    if (j < 0) continue
    heard[j]!.push(id)
    counts[i]![j]!++
  }
  const edits = square(size, (i, j) => distance(references[i]!, heard[j]!))
  return {
    wrong: words.length + cheapest(counts.map(row => row.map(count => -count))),
    edits: cheapest(edits) + labels.filter(label => label === null).length,
  }
}

function square(size: number, value: (i: number, j: number) => number): number[][] {
  return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => value(i, j)))
}

/** Levenshtein; what both begin and end with alike needs no table. */
export function distance(one: number[], other: number[]): number {
  const shorter = Math.min(one.length, other.length)
  let [head, tail] = [0, 0]
  while (head < shorter && one[head] === other[head]) head++
  while (tail < shorter - head && one.at(-1 - tail) === other.at(-1 - tail)) tail++
  return tableDistance(one.slice(head, one.length - tail), other.slice(head, other.length - tail))
}

function tableDistance(one: number[], other: number[]): number {
  if (!one.length || !other.length) return one.length + other.length
  const row = Int32Array.from({ length: other.length + 1 }, (_, j) => j)
  for (let i = 1; i <= one.length; i++) {
    const here = one[i - 1]!
    let [diagonal, left] = [i - 1, i]
    for (let j = 1; j <= other.length; j++) {
      const above = row[j]!
      const swap = here === other[j - 1] ? diagonal : diagonal + 1
      left = Math.min(swap, above + 1, left + 1)
      diagonal = above
      row[j] = left
    }
  }
  return row[other.length]!
}

/** The least sum with one value of each row and column (Hungarian method, with potentials). */
export function cheapest(costs: number[][]): number {
  const size = costs.length
  const [rows, columns] = [Array(size + 1).fill(0), Array(size + 1).fill(0)]
  const rowOf: number[] = Array(size + 1).fill(0)
  for (let row = 1; row <= size; row++) {
    rowOf[0] = row
    const least: number[] = Array(size + 1).fill(Number.POSITIVE_INFINITY)
    const from: number[] = Array(size + 1).fill(0)
    const isUsed: boolean[] = Array(size + 1).fill(false)
    let column = 0
    do {
      isUsed[column] = true
      let [delta, following] = [Number.POSITIVE_INFINITY, 0]
      for (let j = 1; j <= size; j++) {
        if (isUsed[j]) continue
        const cost = costs[rowOf[column]! - 1]![j - 1]! - rows[rowOf[column]!]! - columns[j]!
        if (cost < least[j]!) {
          least[j] = cost
          from[j] = column
        }
        if (least[j]! < delta) [delta, following] = [least[j]!, j]
      }
      for (let j = 0; j <= size; j++) {
        if (isUsed[j]) {
          rows[rowOf[j]!]! += delta
          columns[j]! -= delta
        } else least[j]! -= delta
      }
      column = following
    } while (rowOf[column] !== 0)
    while (column !== 0) {
      rowOf[column] = rowOf[from[column]!]!
      column = from[column]!
    }
  }
  return rowOf.slice(1).reduce((sum, row, j) => sum + costs[row - 1]![j]!, 0)
}
