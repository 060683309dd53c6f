// Finds the rows of a long list that are in view: heights are estimated until a row was drawn, and summed in a Fenwick tree.

export interface Heights {
  readonly total: number
  /** Distance of a row from the top of the list. */
  top(index: number): number
  height(index: number): number
  /** Returns by how much the row has grown. */
  set(index: number, height: number): number
  /** The row at a distance from the top. */
  at(distance: number): number
}

export function createHeights(estimates: readonly number[]): Heights {
  const heights = Float64Array.from(estimates)
  const sums = new Float64Array(heights.length + 1)
  let total = 0
  const add = (index: number, delta: number) => {
    total += delta
    for (let i = index + 1; i < sums.length; i += i & -i) sums[i]! += delta
  }
  heights.forEach((height, i) => {
    add(i, height)
  })
  const highestBit = heights.length === 0 ? 0 : 2 ** Math.floor(Math.log2(heights.length))
  return {
    get total() {
      return total
    },
    top(index) {
      let sum = 0
      for (let i = index; i > 0; i -= i & -i) sum += sums[i]!
      return sum
    },
    height: index => heights[index] ?? 0,
    set(index, height) {
      const delta = height - heights[index]!
      if (delta !== 0) {
        heights[index] = height
        add(index, delta)
      }
      return delta
    },
    at(distance) {
      let [index, left] = [0, distance]
      for (let bit = highestBit; bit >= 1; bit /= 2) {
        const next = index + bit
        if (next >= sums.length || sums[next]! > left) continue
        index = next
        left -= sums[next]!
      }
      return Math.max(0, Math.min(index, heights.length - 1))
    },
  }
}

/** Rows `[first, last]` that are in view, and some more on both sides; `last` is −1 for an empty list. */
export function rowsInView(
  heights: Heights,
  count: number,
  { top, height, more }: { top: number; height: number; more: number },
): { first: number; last: number } {
  if (count === 0) return { first: 0, last: -1 }
  return {
    first: heights.at(Math.max(0, top - more)),
    last: heights.at(Math.min(heights.total, top + height + more)),
  }
}

/** Pixels that a text probably takes. Letters of scripts without spaces are twice as wide. */
export function estimateHeight(
  text: string,
  width: number,
  { line, rest }: { line: number; rest: number },
): number {
  const wide = /[\u1100-\uffdc]/.test(text) ? 2 : 1
  const perLine = Math.max(8, width / (8 * wide))
  return rest + Math.max(1, Math.ceil(text.length / perLine)) * line
}
