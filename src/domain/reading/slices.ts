// Long lists in slices, so that work on hours of speech does not block the event loop.
import { setImmediate } from 'node:timers/promises'

/** Slices in order, with a turn of the event loop between them. 250 segments are about 3,000 words. */
export async function* slices<T>(items: readonly T[], size = 250): AsyncGenerator<T[]> {
  for (let from = 0; from < items.length; from += size) {
    if (from > 0) await setImmediate()
    yield items.slice(from, from + size)
  }
}

/** Maps a long list in slices. */
export async function mapSlices<T, R>(
  items: readonly T[],
  map: (item: T, index: number) => R,
  size?: number,
): Promise<R[]> {
  const mapped: R[] = []
  for await (const slice of slices(items, size))
    for (const item of slice) mapped.push(map(item, mapped.length))
  return mapped
}
