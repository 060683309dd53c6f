// A gate for work that all orders of a process share: so many at once, in the order in which they came.

/** Runs the work when there is room for it. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>

export function createGate(limit: number): Gate {
  const waiting: (() => void)[] = []
  let running = 0
  return async work => {
    if (running >= limit) await new Promise<void>(enter => waiting.push(enter))
    else running++
    try {
      return await work()
    } finally {
      // Whoever waits takes over the place; it is never free in between.
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
