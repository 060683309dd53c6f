// Scores of speaker assignment: WDER (words with the wrong speaker) and cpWER (edits of each speaker's text).
import type { Labels } from './baselines.ts'

/** Words with the wrong speaker, or with none, after the best pairing of speakers: WDER is their share. */
export function wrongWords(truth: number[], labels: Labels): number {
  const { real, found, size } = sidesOf(truth, labels)
  const counts = square(size, () => 0)
  for (const [w, speaker] of truth.entries()) {
    const label = labels[w]
    if (typeof label === 'number') counts[real.indexOf(speaker)]![found.indexOf(label)]!--
  }
  return truth.length + cheapest(counts)
}

/**
 * Insertions, deletions and substitutions over the texts of all speakers, after their best pairing. `words` are both
 * reference and hypothesis, so this cpWER measures the speakers alone. A speaker without a counterpart counts as
 * deletions or insertions; words without a speaker are insertions.
 */
export function edits(words: string[], truth: number[], labels: Labels): number {
  const { real, found, size } = sidesOf(truth, labels)
  const numbers = new Map([...new Set(words)].map((word, id) => [word, id]))
  const textOf = (speakers: Labels, one: number | undefined) =>
    words.flatMap((word, w) => (one !== undefined && speakers[w] === one ? numbers.get(word)! : []))
  const references = Array.from({ length: size }, (_, i) => textOf(truth, real[i]))
  const hypotheses = Array.from({ length: size }, (_, j) => textOf(labels, found[j]))
  const costs = square(size, (i, j) => distance(references[i]!, hypotheses[j]!))
  return cheapest(costs) + labels.filter(label => label === null).length
}

function sidesOf(truth: number[], labels: Labels) {
  const real = [...new Set(truth)]
  const found = [...new Set(labels)].filter(label => label !== null)
  return { real, found, size: Math.max(real.length, found.length) }
}

function square(size: number, value: (i: number, j: number) => number): number[][] {
  return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => value(i, j)))
}

/** Levenshtein distance; a common beginning and end need no table. */
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

/** Minimum sum with one value of each row and column (Hungarian algorithm with potentials). */
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
