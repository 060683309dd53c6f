// The log of calls, and the faults that tests aim at them.
import { seededRandom } from '../seeded-random.ts'

export interface MnsCall {
  /** Such as `SendMessage`. */
  operation: string
  queue?: string
  /** By the service's clock, in milliseconds since 1970. */
  at: number
  /** HTTP status of the answer; undefined while there is none, or where the connection was cut. */
  status?: number
  /** Of an error, such as `MessageNotExist`. */
  code?: string
}

export interface MnsFault {
  /** Which calls; absent: all. */
  operation?: string | RegExp
  queue?: string | RegExp
  /** How many of those that fit: the first `times`; absent: all. */
  times?: number
  /** Chance that one that fits is hit, from 0 to 1; drawn from the seed. Default 1. */
  probability?: number
  /**
   * `refuse`: answered with this error and not done. `html`: a 502 of a proxy, not done. `lose`: done, and the connection
   * is cut instead of an answer. `drop`: not done, and cut. `swallow`: answered as if done, and not done. `hang`: never
   * answered. `delay`: answered after so many seconds.
   */
  how:
    | { kind: 'refuse'; status: number; code: string }
    | { kind: 'html' | 'lose' | 'drop' | 'swallow' | 'hang' }
    | { kind: 'delay'; seconds: number }
}

export interface Faults {
  /** Switches a fault on; the answer switches it off. */
  add(fault: MnsFault): () => void
  /** What happens to this call, if anything; the fault is then used up by one. */
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
        const { times = Number.POSITIVE_INFINITY, probability: part = 1 } = fault
        if (seen >= times || !matches(fault.operation, operation) || !matches(fault.queue, queue)) continue
        entry.seen++
        if (part >= 1 || seededRandom(seed, drawn++) < part) return fault.how
      }
      return undefined
    },
  }
}

function matches(pattern: string | RegExp | undefined, name: string): boolean {
  if (pattern === undefined) return true
  return typeof pattern === 'string' ? pattern === name : name.search(pattern) >= 0
}
