// How much HTTP clients may take: sizes, numbers and times, and the count of what each owner has under way.

export interface HttpLimits {
  /** Bytes of a request's body: a `data:` URI of 1 MB is 1.4 MB in base64. */
  bodyBytes: number
  sessions: number
  sessionsPerOwner: number
  requestsPerOwner: number
  /** Streams of change notifications that stay open, in the era without sessions. */
  subscriptionsPerOwner: number
  /** Milliseconds after which a session that nobody uses is closed, and between looks for such sessions. */
  idle: number
  sweep: number
  /** Milliseconds that a session without a stream is left alone, even where its owner has too many. */
  grace: number
  /** Milliseconds in which a request's head, and all of it, must have come. An answer may take as long as it likes. */
  head: number
  request: number
  /** Milliseconds that answers may take to go out when the server stops. */
  farewell: number
  /** The time, in milliseconds. */
  now(): number
}

export const defaultLimits: HttpLimits = {
  bodyBytes: 2_000_000,
  sessions: 200,
  sessionsPerOwner: 50,
  requestsPerOwner: 100,
  subscriptionsPerOwner: 100,
  idle: 30 * 60_000,
  sweep: 60_000,
  grace: 5_000,
  head: 15_000,
  request: 60_000,
  farewell: 2_000,
  now: Date.now,
}

/** Gives back what was taken; more than once does no harm. */
export type Release = () => void

export interface Meter {
  /** A release for each; undefined where it would be more than the owner may have. */
  take(owner: string, count: number): Release[] | undefined
  /** Resolves when nothing is under way. */
  empty(): Promise<void>
}

export function createMeter(mostPerOwner: number): Meter {
  const taken = new Map<string, number>()
  let waiting: (() => void)[] = []

  function add(owner: string, count: number): void {
    const now = (taken.get(owner) ?? 0) + count
    if (now > 0) taken.set(owner, now)
    else taken.delete(owner)
    if (taken.size > 0) return
    for (const resolve of waiting) resolve()
    waiting = []
  }

  function releaseOnce(owner: string): Release {
    let held = true
    return () => {
      if (held) add(owner, -1)
      held = false
    }
  }

  return {
    take(owner, count) {
      if ((taken.get(owner) ?? 0) + count > mostPerOwner) return undefined
      add(owner, count)
      return Array.from({ length: count }, () => releaseOnce(owner))
    },
    empty: () =>
      new Promise(resolve => {
        if (taken.size === 0) resolve()
        else waiting.push(resolve)
      }),
  }
}
