// Waiters of each job: a cancelled call stops the work only if no other call waits for it or knows its id.

export interface Waiters {
  /** A caller has submitted the job and is about to wait. The returned function ends the reservation; so does `join`. */
  reserve(key: string): () => void
  /** A call waits for the job. The returned function ends the wait, and is true when the job has no waiters left. */
  join(key: string): () => boolean
  /** A caller knows the id and may come back: the job continues without waiters. */
  detach(key: string): void
  /** This process has started the job: callers of an earlier attempt have to ask again. */
  markStarted(key: string): void
  /** True where this process has started the job, so that it may cancel the job wherever it runs. */
  wasStartedHere(key: string): boolean
  /** True when no call waits or is about to, and no caller is detached. */
  hasNone(key: string): boolean
  /** The job is over. */
  clear(key: string): void
}

/** A reservation expires after this long if the caller never starts waiting. */
const reservationMs = 5_000

interface Entry {
  reservations: Set<object>
  waiting: number
  isDetached: boolean
  wasStartedHere: boolean
}

type State = 'none' | 'reserved' | 'waited' | 'detached'

export function createWaiters(): Waiters {
  const entries = new Map<string, Entry>()

  function stateOf(key: string): State {
    const entry = entries.get(key)
    if (!entry) return 'none'
    if (entry.waiting > 0) return 'waited'
    if (entry.reservations.size > 0) return 'reserved'
    return entry.isDetached ? 'detached' : 'none'
  }

  /** Changes the entry of a key; an entry that says nothing is deleted. */
  function change(key: string, apply: (entry: Entry) => void): void {
    const entry = entries.get(key) ?? {
      reservations: new Set(),
      waiting: 0,
      isDetached: false,
      wasStartedHere: false,
    }
    apply(entry)
    entries.set(key, entry)
    if (stateOf(key) === 'none' && !entry.wasStartedHere) entries.delete(key)
  }

  return {
    reserve(key) {
      const reservation = {}
      const release = () => change(key, ({ reservations }) => reservations.delete(reservation))
      change(key, ({ reservations }) => reservations.add(reservation))
      setTimeout(release, reservationMs).unref()
      return release
    },
    join(key) {
      change(key, entry => {
        const [first] = entry.reservations
        if (first) entry.reservations.delete(first)
        entry.waiting++
      })
      return () => {
        change(key, entry => entry.waiting--)
        return stateOf(key) === 'none'
      }
    },
    detach: key => change(key, entry => (entry.isDetached = true)),
    markStarted: key =>
      change(key, entry => {
        entry.isDetached = false
        entry.wasStartedHere = true
      }),
    wasStartedHere: key => entries.get(key)?.wasStartedHere ?? false,
    hasNone: key => stateOf(key) === 'none',
    clear: key =>
      change(key, entry => {
        entry.isDetached = false
        entry.wasStartedHere = false
      }),
  }
}
