// Work on long lists in short turns of the event loop, so that hours of speech do not block it.
import { setImmediate } from 'node:timers/promises'

/** Code that has not run yet is ten times slower, so that turns are measured. */
const maxTurnMs = 4
/** Takes a millisecond or two. */
const maxSortedAtOnce = 2_000

let turnBegan = Number.NEGATIVE_INFINITY
/** Works that wait for a turn, the first one first. */
const waiting: (() => void)[] = []
let isServing = false

/** Works that wait at once share a turn until it has lasted long. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => {
    waiting.push(resolve)
    if (!isServing) void serve()
  })
}

async function serve(): Promise<void> {
  isServing = true
  while (waiting.length > 0) {
    await setImmediate()
    turnBegan = performance.now()
    do {
      waiting.shift()!()
      // It has done its part by then.
      await new Promise<void>(resolve => process.nextTick(resolve))
    } while (waiting.length > 0 && !isTurnOver())
  }
  isServing = false
}

/** For loops over thousands of items: `if (isTurnOver()) await nextTurn()`. */
export function isTurnOver(): boolean {
  return performance.now() - turnBegan >= maxTurnMs
}

/** Items in order. A turn of the event loop ends where the work on them has lasted long. */
export async function* inTurns<T>(items: Iterable<T>): AsyncGenerator<T> {
  // Work before this one may have used up its turn.
  await nextTurn()
  for (const item of items) {
    yield item
    if (isTurnOver()) await nextTurn()
  }
}

/** Slices in order, each made and worked on within such turns. 250 segments are about 3,000 words. */
export async function* slices<T>(items: Iterable<T>, size = 250): AsyncGenerator<T[]> {
  let slice: T[] = []
  for await (const item of inTurns(items)) {
    slice.push(item)
    if (slice.length < size) continue
    yield slice
    slice = []
  }
  if (slice.length > 0) yield slice
}

/** Maps a long list in such turns. */
export async function mapInTurns<T, R>(items: Iterable<T>, map: (item: T, index: number) => R): Promise<R[]> {
  const mapped: R[] = []
  for await (const item of inTurns(items)) mapped.push(map(item, mapped.length))
  return mapped
}

/** Sorts a long list in such turns; equal items keep their order. */
export async function sortInTurns<T>(items: T[], compare: (a: T, b: T) => number): Promise<T[]> {
  let runs: T[][] = []
  for (let from = 0; from < items.length; from += maxSortedAtOnce) {
    if (isTurnOver()) await nextTurn()
    runs.push(items.slice(from, from + maxSortedAtOnce).sort(compare))
  }
  while (runs.length > 1) {
    const merged: T[][] = []
    for (let i = 0; i < runs.length; i += 2) merged.push(await merge(runs[i]!, runs[i + 1] ?? [], compare))
    runs = merged
  }
  return runs[0] ?? []
}

async function merge<T>(one: T[], other: T[], compare: (a: T, b: T) => number): Promise<T[]> {
  const merged: T[] = []
  let [i, j] = [0, 0]
  while (i < one.length || j < other.length) {
    if (merged.length % maxSortedAtOnce === 0 && isTurnOver()) await nextTurn()
    const isOne = j >= other.length || (i < one.length && compare(one[i]!, other[j]!) <= 0)
    merged.push(isOne ? one[i++]! : other[j++]!)
  }
  return merged
}
