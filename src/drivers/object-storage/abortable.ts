// Waits that a signal ends: for a promise, for the next piece of a stream, for another attempt.
import { setTimeout as sleep } from 'node:timers/promises'

/** A controller that is aborted with the signal, or sooner by those who hold it; `release` lets go of the signal. */
export function stoppable(signal: AbortSignal): { stop: AbortController; release(): void } {
  const stop = new AbortController()
  const leave = () => stop.abort(signal.reason)
  if (signal.aborted) leave()
  signal.addEventListener('abort', leave)
  return { stop, release: () => signal.removeEventListener('abort', leave) }
}

/** Settles as the promise does, or rejects with the signal's reason if that comes first. The promise itself goes on. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason)
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}

/** The pieces of a stream; throws the signal's reason without waiting for a piece that may never come. */
export async function* untilAborted<T>(stream: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = stream[Symbol.asyncIterator]()
  try {
    for (;;) {
      signal.throwIfAborted()
      const piece = await orAborted(Promise.resolve(iterator.next()), signal)
      if (piece.done) return
      yield piece.value
    }
  } finally {
    // Not awaited: a stream that is stuck ends when it can.
    Promise.resolve(iterator.return?.()).catch(() => {})
  }
}

/** Resolves when the promise is settled or so many seconds are over, whichever comes first. */
export async function settled(promise: Promise<unknown>, seconds: number): Promise<void> {
  const time = new AbortController()
  const timeUp = sleep(seconds * 1000, undefined, { signal: time.signal }).catch(() => {})
  await Promise.race([
    promise.then(
      () => {},
      () => {},
    ),
    timeUp,
  ])
  time.abort()
}

/** The pause before another attempt, doubled for each one and jittered. Rejects with the signal's reason. */
export async function pause(attempt: number, firstDelay: number, signal: AbortSignal): Promise<void> {
  const delay = Math.min(longestDelay, firstDelay * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)
  await sleep(delay * 1000, undefined, { signal }).catch(() => signal.throwIfAborted())
}

const longestDelay = 8
