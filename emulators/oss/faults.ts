// The log of requests, and the faults that tests inject.
import type { Kind } from './request.ts'

/** Record of one request. Times are milliseconds since 1970, by the machine's clock. */
export interface OssRequest {
  at: number
  method: string
  bucket: string
  key: string
  kind: Kind
  /** Part number of a `part` request. */
  part?: number
  uploadId?: string
  /** Where the signature was: in a header, in the URL, in a form, or nowhere. */
  signed: 'header' | 'url' | 'form' | 'none'
  /** HTTP status of the response; 0 without one. */
  status: number
  /** Bytes received, or bytes sent by a `get`. */
  bytes: number
  finishedAt?: number
  /** The connection closed before the response. */
  aborted: boolean
}

/** Which requests a fault hits; default: all. All conditions must hold. */
interface FaultScope {
  /** The fault ends after this many hits. */
  times?: number
  /** Hits only every n-th matching request, starting with the n-th. */
  every?: number
  when?: (request: OssRequest) => boolean
}

export type OssFault = FaultScope &
  (
    | { kind: 'error'; status: number; code: string; message?: string }
    /** Reads the body and never responds. */
    | { kind: 'hang' }
    /** Closes the connection before reading the body. */
    | { kind: 'drop' }
    /** Executes the operation, and closes the connection without a response. */
    | { kind: 'dropAfter' }
    /** Delays the operation. */
    | { kind: 'slow'; seconds: number }
  )

export interface OssFaults {
  add(fault: OssFault): () => void
  /** Returns the first fault of this kind that hits the request, and counts the hit. */
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
