// Who needs a job: a call that is cancelled stops the work only if nobody else waits for it or knows its id.

export interface Holders {
  /** A call waits for the job. The answer ends it, and is true when nobody needs the job any more. */
  enter(key: string): () => boolean
  /** Somebody has the id, so that the job goes on whoever goes. */
  handOut(key: string): void
  /** True when nobody waits and nobody has the id. */
  isAlone(key: string): boolean
  /** The job is over. */
  forget(key: string): void
}

export function createHolders(): Holders {
  const waiting = new Map<string, number>()
  const handedOut = new Set<string>()
  const isAlone = (key: string) => !waiting.has(key) && !handedOut.has(key)
  return {
    enter(key) {
      waiting.set(key, (waiting.get(key) ?? 0) + 1)
      return () => {
        const left = (waiting.get(key) ?? 1) - 1
        if (left > 0) waiting.set(key, left)
        else waiting.delete(key)
        return isAlone(key)
      }
    },
    handOut: key => void handedOut.add(key),
    isAlone,
    forget: key => void handedOut.delete(key),
  }
}
