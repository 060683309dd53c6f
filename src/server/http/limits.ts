// Limits for HTTP clients, of the time in which a request arrives, and a counter of the concurrent requests of each owner.
import type { IncomingMessage } from 'node:http'

export const defaultLimits = {
  /** A `data:` URI of 1 MB needs 1.4 MB in base64. */
  maxBodyBytes: 2_000_000,
  maxSessions: 200,
  maxSessionsPerOwner: 50,
  maxRequestsPerOwner: 100,
  /** Open streams of change notifications, in the protocol without sessions. */
  maxSubscriptionsPerOwner: 100,
  /** An unused session is closed after this time; the check runs at this interval. */
  idleTimeoutMs: 30 * 60_000,
  sweepIntervalMs: 60_000,
  /** A session without a stream is kept at least this long, even if its owner has too many sessions. */
  minIdleMs: 5_000,
  /** Time in which the headers, and the complete request, must arrive. Responses may take as long as they are read. */
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 60_000,
  /** A connection is closed if its client has read nothing of a response for this time, at most twice. */
  unreadTimeoutMs: 60_000,
  /** Resources that are read at once for an owner, until their clients have them: a transcript may have 2 MB. */
  maxFilesPerOwner: 4,
  /** How long pending responses may take when the server stops. */
  shutdownTimeoutMs: 2_000,
  /** The current time in milliseconds. */
  now: Date.now,
}

export type HttpLimits = typeof defaultLimits

/** Releases a slot; idempotent. */
export type Release = () => void

/** The slots of one HTTP request, one for each of its JSON-RPC requests. */
export interface Slots {
  /** False if the owner would exceed the limit. */
  add(count: number): boolean
  /** Releases the slots that were not handed over; no more can be added. */
  release(): void
  /** Gives the slots to a caller that releases them itself. */
  handOver(): Release[]
}

/** Closes the connection if the request has not arrived as a whole in this time. Node's own limit would hold for uploads too. */
export function limitArrival(incoming: IncomingMessage, timeoutMs: number): void {
  const timer = setTimeout(() => {
    const { socket } = incoming
    if (!incoming.complete)
      socket.end('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n', () => socket.destroy())
  }, timeoutMs).unref()
  incoming.once('close', () => clearTimeout(timer))
}

export function createRequestCounter(maxPerOwner: number) {
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
    /** No slot yet; `add` takes them. */
    slotsOf(owner: string): Slots {
      let held: Release[] = []
      let isOver = false
      const handOver = () => held.splice(0)
      return {
        add(count) {
          if (isOver || (taken.get(owner) ?? 0) + count > maxPerOwner) return false
          add(owner, count)
          held = [...held, ...Array.from({ length: count }, () => releaseOnce(owner))]
          return true
        },
        release() {
          isOver = true
          for (const release of handOver()) release()
        },
        handOver,
      }
    },
    /** Resolves when no slot is taken. */
    whenIdle: (): Promise<void> =>
      new Promise(resolve => {
        if (taken.size === 0) resolve()
        else waiting.push(resolve)
      }),
  }
}
