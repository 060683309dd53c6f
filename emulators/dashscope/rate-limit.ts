// Counts what comes within a sliding stretch of time, and says when it is too much.

export interface Limiter {
  limit(changed?: number): void
  /** False when the limit is used up; only what was let in counts. */
  admit(): boolean
  /** Milliseconds until the next is let in. */
  freeIn(): number
}

export function createLimiter(milliseconds: number, most = Number.POSITIVE_INFINITY): Limiter {
  let limit = most
  let admitted: number[] = []
  return {
    limit(changed = Number.POSITIVE_INFINITY) {
      limit = changed
    },
    admit() {
      const now = Date.now()
      admitted = admitted.filter(at => at > now - milliseconds)
      if (admitted.length >= limit) return false
      admitted.push(now)
      return true
    },
    freeIn() {
      const oldest = admitted.at(-limit)
      return oldest === undefined ? 0 : Math.max(0, oldest + milliseconds - Date.now())
    },
  }
}
