// Limits how many works run at once; owners with waiting work take turns, so that many of one delay another's by few.
import { createFairQueue, type Waiting } from './fair-queue.ts'

/** Settles as the work does. */
export type FairLimit = <T>(owner: string, work: () => Promise<T>) => Promise<T>

interface Call extends Waiting {
  run(): Promise<void>
}

export function createFairLimit(maxAtOnce: number): FairLimit {
  const queue = createFairQueue<Call>()
  // Works of one owner begin in the order of their calls.
  const job = {}
  let running = 0

  async function run(call: Call): Promise<void> {
    running++
    await call.run()
    running--
    queue.end(call)
    next()
  }

  function next(): void {
    while (running < maxAtOnce) {
      const call = queue.take()
      if (!call) return
      void run(call)
    }
  }

  return (owner, work) =>
    new Promise((resolve, reject) => {
      // Also work that throws at once ends.
      const run = async () => work()
      queue.add({ owner, job, run: () => run().then(resolve, reject) })
      next()
    })
}
