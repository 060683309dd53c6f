// Runs work one at a time; owners with waiting work take turns, so that many calls of one owner delay another's by one.

export type FairTurns = <T>(owner: string, work: () => Promise<T>) => Promise<T>

export function createFairTurns(): FairTurns {
  /** Waiting work by owner; the next owner comes first. */
  const waiting = new Map<string, (() => Promise<unknown>)[]>()
  let isRunning = false

  async function runAll(): Promise<void> {
    if (isRunning) return
    isRunning = true
    for (let [next] = waiting; next; [next] = waiting) {
      const [owner, [work, ...rest]] = next
      waiting.delete(owner)
      if (rest.length > 0) waiting.set(owner, rest)
      await work!()
    }
    isRunning = false
  }

  return (owner, work) =>
    new Promise((resolve, reject) => {
      const run = () => work().then(resolve, reject)
      waiting.set(owner, [...(waiting.get(owner) ?? []), run])
      void runAll()
    })
}
