// Makes one stream of several.

/** Yields what each stream yields, as it comes; the first error ends all of them and is thrown. */
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
      // Behind the others in the map, so that a quick stream does not keep a slow one waiting.
      pulls.delete(iterator)
      if (next.done) continue
      pull(iterator)
      yield next.value
    }
  } finally {
    for (const [iterator, loose] of pulls) {
      loose.catch(() => {})
      iterator.return?.()?.catch(() => {})
    }
  }
}
