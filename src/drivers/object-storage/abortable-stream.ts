// Makes the next chunk of a stream end as soon as a signal aborts.
import { unlessAborted } from '../../domain/waiting/unless-aborted.ts'

/** The chunks of a stream. Throws the reason of the signal without waiting for a chunk that may never arrive. */
export async function* abortableStream<T>(stream: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = stream[Symbol.asyncIterator]()
  try {
    for (;;) {
      signal.throwIfAborted()
      const next = await unlessAborted(Promise.resolve(iterator.next()), signal)
      if (next.done) return
      yield next.value
    }
  } finally {
    // Not awaited: a blocked stream ends when it can.
    Promise.resolve(iterator.return?.()).catch(() => {})
  }
}
