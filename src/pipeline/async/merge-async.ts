// Merges several async streams into one.

/** Yields items of all streams as they arrive; the first error ends all streams and is thrown. */
export async function* mergeAsync<Item>(streams: readonly AsyncIterable<Item>[]): AsyncGenerator<Item> {
  type Event = { iterator: AsyncIterator<Item>; next: IteratorResult<Item> }
  const pulls = new Map<AsyncIterator<Item>, Promise<Event>>()
  const pull = (iterator: AsyncIterator<Item>) =>
    pulls.set(
      iterator,
      iterator.next().then(next => ({ iterator, next })),
    )
  try {
    for (const stream of streams) pull(stream[Symbol.asyncIterator]())
    while (pulls.size > 0) {
      const { iterator, next } = await Promise.race(pulls.values())
      // Deleted and added again, it is last in the map: a fast stream does not starve a slow one.
      pulls.delete(iterator)
      if (next.done) continue
      pull(iterator)
      yield next.value
    }
  } finally {
    for (const [iterator, pending] of pulls) {
      pending.catch(() => {})
      iterator.return?.()?.catch(() => {})
    }
  }
}
