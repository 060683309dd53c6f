// The log of calls, and the faults that tests aim at them.
import { seededRandom } from '../seeded-random.ts'

export interface TablestoreCall {
  /** Such as `PutRow`. */
  operation: string
  /** Of a batch: the names, with commas between them. */
  table?: string
  /** By the service's clock, in milliseconds since 1970. */
  at: number
  /** HTTP status of the answer; undefined while there is none, or where the connection was cut. */
  status?: number
  /** Of an error, such as `OTSConditionCheckFail`. */
  code?: string
}

export interface TablestoreFault {
  /** Which calls; absent: all. */
  operation?: string | RegExp
  /** Any of the tables of a batch will do. */
  table?: string | RegExp
  /** How many of those that fit: the first `times`; absent: all. */
  times?: number
  /** Chance that one that fits is hit, from 0 to 1; drawn from the seed. Default 1. */
  probability?: number
  /**
   * `refuse`: answered with this error and not done. `lose`: done, and the connection is cut instead of an answer.
   * `drop`: not done, and cut. `hang`: not done, and never answered. `delay`: done, and answered after so many seconds.
   * `refuseRows`: of a batch every n-th row (default every second one, the first first) has this error and is not done,
   * which is how the service throttles batches; other operations are spared.
   */
  how:
    | { kind: 'refuse'; status: number; code: string; message?: string }
    | { kind: 'refuseRows'; code: string; message?: string; every?: number }
    | { kind: 'lose' | 'drop' | 'hang' }
    | { kind: 'delay'; seconds: number }
}

export interface Faults {
  /** Switches a fault on; the answer switches it off. */
  add(fault: TablestoreFault): () => void
  /** What happens to this call, if anything; the fault is then used up by one. */
  hit(operation: string, tables: string[]): TablestoreFault['how'] | undefined
}

export function createFaults(seed: number): Faults {
  const active = new Set<{ fault: TablestoreFault; seen: number }>()
  let drawn = 0

  function isHit(entry: { fault: TablestoreFault; seen: number }): boolean {
    const { times = Number.POSITIVE_INFINITY, probability: part = 1 } = entry.fault
    if (entry.seen >= times) return false
    entry.seen++
    return part >= 1 || seededRandom(seed, drawn++) < part
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
