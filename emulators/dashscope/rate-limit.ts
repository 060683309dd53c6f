// Sliding-window rate limiter.

export interface Limiter {
  /** Default: no limit. */
  setLimit(limit?: number): void
  /** False if the limit is used up; only admitted requests count. */
  admit(): boolean
  /** Milliseconds until the next request is admitted. */
  freeIn(): number
}

export function createLimiter(windowMs: number, initialLimit = Number.POSITIVE_INFINITY): Limiter {
  let limit = initialLimit
  let admitted: number[] = []
  return {
    setLimit(changed = Number.POSITIVE_INFINITY) {
      limit = changed
    },
    admit() {
      const now = Date.now()
      admitted = admitted.filter(at => at > now - windowMs)
      if (admitted.length >= limit) return false
      admitted.push(now)
      return true
    },
    freeIn() {
      const oldest = admitted.at(-limit)
      return oldest === undefined ? 0 : Math.max(0, oldest + windowMs - Date.now())
    },
  }
}
