// The log of calls, and the faults that tests inject.
import { seededRandom } from '../seeded-random.ts'

export interface TablestoreCall {
  /** Such as `PutRow`. */
  operation: string
  /** Comma-separated names for a batch. */
  table?: string
  /** Milliseconds since 1970, by the server's clock. */
  at: number
  /** HTTP status of the response; undefined without one. */
  status?: number
  /** Error code, such as `OTSConditionCheckFail`. */
  code?: string
}

export interface TablestoreFault {
  /** Which calls; default: all. */
  operation?: string | RegExp
  /** Matches any table of a batch. */
  table?: string | RegExp
  /** Hits only the first `times` matching calls; default: all. */
  times?: number
  /** Probability that a matching call is hit, drawn from the seed; default: 1. */
  probability?: number
  /**
   * `refuse`: not executed, responds with this error. `lose`: executed, but the connection is closed without a response.
   * `drop`: not executed, connection closed. `hang`: not executed, never responds. `delay`: executed, responds after
   * `seconds`. `refuseRows`: every n-th row of a batch fails with this error (default: every second, starting with the
   * first), as when the service throttles; other operations are not affected.
   */
  how:
    | { kind: 'refuse'; status: number; code: string; message?: string }
    | { kind: 'refuseRows'; code: string; message?: string; every?: number }
    | { kind: 'lose' | 'drop' | 'hang' }
    | { kind: 'delay'; seconds: number }
}

export interface Faults {
  /** Injects a fault; the returned function removes it. */
  add(fault: TablestoreFault): () => void
  /** Returns the fault that hits this call, if any, and counts the hit. */
  hit(operation: string, tables: string[]): TablestoreFault['how'] | undefined
}

export function createFaults(seed: number): Faults {
  const active = new Set<{ fault: TablestoreFault; seen: number }>()
  let drawn = 0

  function isHit(entry: { fault: TablestoreFault; seen: number }): boolean {
    const { times = Number.POSITIVE_INFINITY, probability = 1 } = entry.fault
    if (entry.seen >= times) return false
    entry.seen++
    return probability >= 1 || seededRandom(seed, drawn++) < probability
  }

  return {
    add(fault) {
      const entry = { fault, seen: 0 }
      active.add(entry)
      return () => void active.delete(entry)
    },
    hit(operation, tables) {
      for (const entry of active) {
        const { fault } = entry
        const fits =
          matches(fault.operation, operation) &&
          (fault.how.kind !== 'refuseRows' || operation.startsWith('Batch')) &&
          (fault.table === undefined || tables.some(table => matches(fault.table, table)))
        if (fits && isHit(entry)) return fault.how
      }
      return undefined
    },
  }
}

function matches(pattern: string | RegExp | undefined, name: string): boolean {
  if (pattern === undefined) return true
  return typeof pattern === 'string' ? pattern === name : name.search(pattern) >= 0
}
