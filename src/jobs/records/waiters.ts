// Waiters of each job: a cancelled call stops the work only if no other call waits for it or knows its id.

export type Waiters = ReturnType<typeof createWaiters>

/** A reservation expires after this long if the caller never starts waiting. */
const reservationMs = 5_000

interface Entry {
  reservations: Set<object>
  waiting: number
  isDetached: boolean
  wasStartedHere: boolean
}

export function createWaiters() {
  const entries = new Map<string, Entry>()

  /** True when no call waits or is about to, and no caller is detached. */
  function hasNone(key: string): boolean {
    const entry = entries.get(key)
    return !entry || (entry.waiting === 0 && entry.reservations.size === 0 && !entry.isDetached)
  }

  /** Changes the entry of a key; an entry that says nothing is deleted. */
  function change(key: string, apply: (entry: Entry) => void): void {
    const none: Entry = { reservations: new Set(), waiting: 0, isDetached: false, wasStartedHere: false }
    const entry = entries.get(key) ?? none
    apply(entry)
    entries.set(key, entry)
    if (hasNone(key) && !entry.wasStartedHere) entries.delete(key)
  }

  return {
    hasNone,
    /** A caller has submitted the job and is about to wait. The returned function ends the reservation; so does `join`. */
    reserve(key: string): () => void {
      const reservation = {}
      const release = () => change(key, ({ reservations }) => reservations.delete(reservation))
      change(key, ({ reservations }) => reservations.add(reservation))
      setTimeout(release, reservationMs).unref()
      return release
    },
    /** A call waits for the job. The returned function ends the wait, and is true when the job has no waiters left. */
    join(key: string): () => boolean {
      change(key, entry => {
        const [first] = entry.reservations
        if (first) entry.reservations.delete(first)
        entry.waiting++
      })
      return () => {
        change(key, entry => entry.waiting--)
        return hasNone(key)
      }
    },
    /** A caller knows the id and may come back: the job continues without waiters. */
    detach: (key: string) => change(key, entry => (entry.isDetached = true)),
    /** This process has started the job: callers of an earlier attempt have to ask again. */
    markStarted: (key: string) =>
      change(key, entry => Object.assign(entry, { isDetached: false, wasStartedHere: true })),
    /** True where this process has started the job, so that it may cancel the job wherever it runs. */
    wasStartedHere: (key: string): boolean => entries.get(key)?.wasStartedHere ?? false,
    /** The job is over. */
    clear: (key: string) =>
      change(key, entry => Object.assign(entry, { isDetached: false, wasStartedHere: false })),
  }
}
