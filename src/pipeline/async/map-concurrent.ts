// Maps an async stream with bounded concurrency and back-pressure.

/**
 * Yields each result as soon as it is ready, in completion order. At most `limit` items are in progress, and the next
 * item is pulled only when there is a free slot. The first error ends everything and is thrown.
 */
export async function* mapConcurrent<Item, Result>(
  items: AsyncIterable<Item>,
  limit: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  type Event = { next: IteratorResult<Item> } | { result: Result; worker: Promise<Event> }
  const iterator = items[Symbol.asyncIterator]()
  const workers = new Set<Promise<Event>>()
  let pull: Promise<Event> | undefined
  let ended = false
  try {
    while (!ended || workers.size > 0) {
      if (!ended && workers.size < limit) pull ??= iterator.next().then(next => ({ next }))
      const event: Event = await Promise.race(pull ? [pull, ...workers] : workers)
      if ('next' in event) {
        pull = undefined
        if (event.next.done) {
          ended = true
          continue
        }
        const worker: Promise<Event> = work(event.next.value).then(result => ({ result, worker }))
        workers.add(worker)
      } else {
        workers.delete(event.worker)
        yield event.result
      }
    }
  } finally {
    for (const pending of [...workers, ...(pull ? [pull] : [])]) pending.catch(() => {})
    if (!ended) iterator.return?.()?.catch(() => {})
  }
}
