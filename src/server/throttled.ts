// Passes calls on, for each key at once the first time and then not too often.

export interface Paced {
  call(key: string): void
  stop(): void
}

/** At most one `act` in `gap` milliseconds for a key; the last call is always passed on. */
export function paced(act: (key: string) => void, gap: number): Paced {
  /** The keys that rest, and whether they were called again meanwhile. */
  const resting = new Map<string, { again: boolean; timer: NodeJS.Timeout }>()

  function call(key: string): void {
    const rest = resting.get(key)
    if (rest) {
      rest.again = true
      return
    }
    resting.set(key, { again: false, timer: setTimeout(wake, gap, key).unref() })
    act(key)
  }

  function wake(key: string): void {
    const again = resting.get(key)?.again
    resting.delete(key)
    if (again) call(key)
  }

  return {
    call,
    stop() {
      for (const { timer } of resting.values()) clearTimeout(timer)
      resting.clear()
    },
  }
}
