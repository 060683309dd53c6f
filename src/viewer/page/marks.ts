// Marks words and hits in the text by ranges over it: they add no elements, and split no text.
import type { List } from './list.ts'

export interface MarkedRange {
  row: number
  from: number
  to: number
}

type Kind = 'hit' | 'best' | 'said'

/** Priority of each kind, where they meet. */
const kinds: Kind[] = ['hit', 'best', 'said']

export function createMarks(list: List) {
  const marked: Record<Kind, readonly MarkedRange[]> = { hit: [], best: [], said: [] }
  const highlights = new Map(
    'highlights' in CSS ? kinds.map((kind, i) => [kind, withPriority(i)] as const) : [],
  )
  for (const [kind, highlight] of highlights) CSS.highlights.set(kind, highlight)

  function update(kind: Kind): void {
    const highlight = highlights.get(kind)
    if (!highlight) return
    highlight.clear()
    // Hits are in order of their rows, and may be thousands.
    const ranges = marked[kind]
    for (const [index, { text }] of list.drawn)
      for (let i = firstOf(ranges, index); ranges[i]?.row === index; i++) {
        const range = new Range()
        range.setStart(text, Math.min(ranges[i]!.from, text.length))
        range.setEnd(text, Math.min(ranges[i]!.to, text.length))
        highlight.add(range)
      }
  }

  list.onDrawn(() => kinds.forEach(update))
  return {
    set(kind: Kind, ranges: readonly MarkedRange[]): void {
      marked[kind] = ranges
      update(kind)
    },
  }
}

function withPriority(priority: number): Highlight {
  return Object.assign(new Highlight(), { priority })
}

function firstOf(ranges: readonly MarkedRange[], row: number): number {
  let [low, high] = [0, ranges.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (ranges[middle]!.row < row) low = middle + 1
    else high = middle
  }
  return low
}
