// Makes a promise, the next chunk of a stream or a wait end as soon as a signal aborts.
import { setTimeout as sleep } from 'node:timers/promises'

/** A controller that follows the signal but can abort earlier; `unlink` removes its listener from the signal. */
export function linkedController(signal: AbortSignal): { controller: AbortController; unlink(): void } {
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  return { controller, unlink: () => signal.removeEventListener('abort', onAbort) }
}

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

/** Resolves when the promise has settled, or after this many seconds. */
export async function settledWithin(promise: Promise<unknown>, seconds: number): Promise<void> {
  const timer = new AbortController()
  const timeout = sleep(seconds * 1000, undefined, { signal: timer.signal }).catch(() => {})
  await Promise.race([
    promise.then(
      () => {},
      () => {},
    ),
    timeout,
  ])
  timer.abort()
}
