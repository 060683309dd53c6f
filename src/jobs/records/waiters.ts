// Who needs a job: a call that is cancelled stops the work only if nobody else waits for it or knows its id.

export interface Holders {
  /** Somebody has placed an order and is about to wait for it. The answer ends it, and so does `enter`. */
  expect(key: string): () => void
  /** A call waits for the job. The answer ends it, and is true when nobody needs the job any more. */
  enter(key: string): () => boolean
  /** Somebody has the id, so that the job goes on whoever goes. */
  handOut(key: string): void
  /** This process has ordered the job: who had the id of an attempt before has to ask again. */
  begin(key: string): void
  /** True where this process has ordered it, so that the work may be stopped wherever it is done. */
  hasBegun(key: string): boolean
  /** True when nobody waits or is about to, and nobody has the id. */
  isAlone(key: string): boolean
  /** The job is over. */
  forget(key: string): void
}

/** Who has placed an order and does not come within this time (milliseconds) is expected no more. */
const patience = 5_000

export function createHolders(): Holders {
  const waiting = new Map<string, number>()
  const expected = new Map<string, Set<object>>()
  const handedOut = new Set<string>()
  const begun = new Set<string>()
  const isAlone = (key: string) => !waiting.has(key) && !expected.has(key) && !handedOut.has(key)

  function arrive(key: string, one: object | undefined): void {
    const some = expected.get(key)
    if (one) some?.delete(one)
    if (some?.size === 0) expected.delete(key)
  }

  return {
    expect(key) {
      const one = {}
      expected.set(key, (expected.get(key) ?? new Set()).add(one))
      setTimeout(arrive, patience, key, one).unref()
      return () => arrive(key, one)
    },
    enter(key) {
      const [first] = expected.get(key) ?? []
      arrive(key, first)
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
    begin(key) {
      handedOut.delete(key)
      begun.add(key)
    },
    hasBegun: key => begun.has(key),
    forget(key) {
      handedOut.delete(key)
      begun.delete(key)
    },
  }
}
