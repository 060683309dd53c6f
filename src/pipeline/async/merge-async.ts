// Merges several async streams into one.

/**
 * Yields items of all streams as they arrive; the first error ends all streams and is thrown. At most `limit` streams are
 * read at once, and the next one starts when one has ended.
 */
export async function* mergeAsync<Item>(
  streams: readonly AsyncIterable<Item>[],
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<Item> {
  type Event = { iterator: AsyncIterator<Item>; next: IteratorResult<Item> }
  const pulls = new Map<AsyncIterator<Item>, Promise<Event>>()
  const waiting = streams.map(stream => () => stream[Symbol.asyncIterator]())
  const pull = (iterator: AsyncIterator<Item>) => {
    const pending = iterator.next().then(next => ({ iterator, next }))
    // It is awaited when the consumer asks for the next item: until then its failure must not end the process.
    pending.catch(() => {})
    pulls.set(iterator, pending)
  }
  try {
    for (const open of waiting.splice(0, limit)) pull(open())
    while (pulls.size > 0) {
      const { iterator, next } = await Promise.race(pulls.values())
      // Deleted and added again, it is last in the map: a fast stream does not starve a slow one.
      pulls.delete(iterator)
      const following = next.done ? waiting.shift()?.() : iterator
      if (following) pull(following)
      if (!next.done) yield next.value
    }
  } finally {
    for (const iterator of pulls.keys()) iterator.return?.()?.catch(() => {})
  }
}
