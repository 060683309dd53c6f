// The log of calls, and the faults that tests inject.
import { seededRandom } from '../seeded-random.ts'

export interface MnsCall {
  /** Such as `SendMessage`. */
  operation: string
  queue?: string
  /** Milliseconds since 1970, by the server's clock. */
  at: number
  /** HTTP status of the response; undefined without one. */
  status?: number
  /** Error code, such as `MessageNotExist`. */
  code?: string
}

export interface MnsFault {
  /** Which calls; default: all. */
  operation?: string | RegExp
  queue?: string | RegExp
  /** Hits only the first `times` matching calls; default: all. */
  times?: number
  /** Probability that a matching call is hit, drawn from the seed; default: 1. */
  probability?: number
  /**
   * `refuse`: not executed, responds with this error. `html`: not executed, responds with a proxy's 502. `lose`:
   * executed, but the connection is closed without a response. `drop`: not executed, connection closed. `swallow`: not
   * executed, but responds with success. `hang`: never responds. `delay`: responds after `seconds`.
   */
  how:
    | { kind: 'refuse'; status: number; code: string }
    | { kind: 'html' | 'lose' | 'drop' | 'swallow' | 'hang' }
    | { kind: 'delay'; seconds: number }
}

export interface Faults {
  /** Injects a fault; the returned function removes it. */
  add(fault: MnsFault): () => void
  /** Returns the fault that hits this call, if any, and counts the hit. */
  hit(call: MnsCall): MnsFault['how'] | undefined
}

export function createFaults(seed: number): Faults {
  const active = new Set<{ fault: MnsFault; seen: number }>()
  let drawn = 0
  return {
    add(fault) {
      const entry = { fault, seen: 0 }
      active.add(entry)
      return () => void active.delete(entry)
    },
    hit({ operation, queue = '' }) {
      for (const entry of active) {
        const { fault, seen } = entry
        const { times = Number.POSITIVE_INFINITY, probability = 1 } = fault
        if (seen >= times || !matches(fault.operation, operation) || !matches(fault.queue, queue)) continue
        entry.seen++
        if (probability >= 1 || seededRandom(seed, drawn++) < probability) return fault.how
      }
      return undefined
    },
  }
}

function matches(pattern: string | RegExp | undefined, name: string): boolean {
  if (pattern === undefined) return true
  return typeof pattern === 'string' ? pattern === name : name.search(pattern) >= 0
}
