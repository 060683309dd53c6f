// Work on long lists in short turns of the event loop, so that hours of speech do not block it.
import { setImmediate } from 'node:timers/promises'

/** Code that has not run yet is ten times slower, so that turns are measured. */
const maxTurnMs = 4

let lastTurn: Promise<unknown> = Promise.resolve()

/** Works that wait at once take one turn each, so that no turn is longer than the part of one of them. */
function nextTurn(): Promise<unknown> {
  lastTurn = lastTurn.then(() => setImmediate())
  return lastTurn
}

/** Items in order. A turn of the event loop ends where the work on them has lasted long. */
export async function* inTurns<T>(items: Iterable<T>): AsyncGenerator<T> {
  // Work before this one may have used up its turn.
  await nextTurn()
  let began = performance.now()
  for (const item of items) {
    yield item
    if (performance.now() - began < maxTurnMs) continue
    await nextTurn()
    began = performance.now()
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
