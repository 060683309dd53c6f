// Makes a promise or the next chunk of a stream end as soon as a signal aborts.

/** Settles like the promise, or rejects early with the reason of the signal. The work behind the promise continues. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** The chunks of a stream. Throws the reason of the signal without waiting for a chunk that may never arrive. */
export async function* abortableStream<T>(stream: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = stream[Symbol.asyncIterator]()
  try {
    for (;;) {
      signal.throwIfAborted()
      const next = await abortable(Promise.resolve(iterator.next()), signal)
      if (next.done) return
      yield next.value
    }
  } finally {
    // Not awaited: a blocked stream ends when it can.
    Promise.resolve(iterator.return?.()).catch(() => {})
  }
}
