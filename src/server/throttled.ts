// Throttles calls per key: the first call passes at once, later ones at most once per interval.

export type Throttled = ReturnType<typeof throttled>

/** Runs `action` at most once per `intervalMs` for a key; the last call is never dropped. */
export function throttled(action: (key: string) => void, intervalMs: number) {
  /** Keys within their interval; `isPending` if they were called again meanwhile. */
  const waiting = new Map<string, { isPending: boolean; timer: NodeJS.Timeout }>()

  function call(key: string): void {
    const entry = waiting.get(key)
    if (entry) {
      entry.isPending = true
      return
    }
    waiting.set(key, { isPending: false, timer: setTimeout(onInterval, intervalMs, key).unref() })
    action(key)
  }

  function onInterval(key: string): void {
    const entry = waiting.get(key)
    waiting.delete(key)
    if (entry?.isPending) call(key)
  }

  return {
    call,
    stop(): void {
      for (const { timer } of waiting.values()) clearTimeout(timer)
      waiting.clear()
    },
  }
}
