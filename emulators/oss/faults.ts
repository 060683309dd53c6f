// The log of requests, and the faults that tests aim at them.
import type { Kind } from './request.ts'

/** One request as the server saw it. Times are milliseconds since 1970 by the machine's clock. */
export interface OssRequest {
  at: number
  method: string
  bucket: string
  key: string
  kind: Kind
  /** Number of the part, of a `part`. */
  part?: number
  uploadId?: string
  /** Whether the signature came in a header, in the address, in a form, or not at all. */
  signed: 'header' | 'url' | 'form' | 'none'
  /** What was answered; 0 before, and when nothing was. */
  status: number
  /** Size of what was taken, or of what was given out. */
  bytes: number
  finishedAt?: number
  /** The connection ended before the answer. */
  aborted: boolean
}

/** Which requests a fault hits: all, unless it says otherwise. Conditions add up. */
interface FaultScope {
  /** How many requests are hit before the fault is over. */
  times?: number
  /** Only every n-th of the requests it could hit, the n-th first. */
  every?: number
  when?: (request: OssRequest) => boolean
}

export type OssFault = FaultScope &
  (
    | { kind: 'error'; status: number; code: string; message?: string }
    /** Takes the body and never answers. */
    | { kind: 'hang' }
    /** Cuts the connection before the body is read. */
    | { kind: 'drop' }
    /** Does what was asked, and cuts the connection instead of saying so. */
    | { kind: 'dropAfter' }
    /** Waits before it does what was asked. */
    | { kind: 'slow'; seconds: number }
  )

export interface OssFaults {
  add(fault: OssFault): () => void
  /** The first fault of a kind that hits this request, if any; it is then used up by one. */
  hit<K extends OssFault['kind']>(request: OssRequest, kind: K): Extract<OssFault, { kind: K }> | undefined
}

interface ActiveFault {
  fault: OssFault
  seen: number
  hits: number
}

export function createOssFaults(): OssFaults {
  const active = new Set<ActiveFault>()

  function hits(entry: ActiveFault, request: OssRequest): boolean {
    const { times = Number.POSITIVE_INFINITY, every = 1, when } = entry.fault
    if (entry.hits >= times || (when && !when(request))) return false
    if (++entry.seen % every !== 0) return false
    entry.hits++
    return true
  }

  return {
    add(fault) {
      const entry = { fault, seen: 0, hits: 0 }
      active.add(entry)
      return () => void active.delete(entry)
    },
    hit<K extends OssFault['kind']>(request: OssRequest, kind: K) {
      const entry = [...active].find(one => one.fault.kind === kind && hits(one, request))
      return entry?.fault as Extract<OssFault, { kind: K }> | undefined
    },
  }
}
