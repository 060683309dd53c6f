// What is remembered for a while and never written down: so many things, so much of them, and no longer than so.

export interface Memory {
  get(key: string): string | undefined
  /** Takes the place of what was there; what is larger than all there is room for is not remembered. */
  set(key: string, value: string): void
}

export interface MemoryLimits {
  /** How many values. */
  most: number
  /** All of them together, in characters (UTF-16 units). */
  size: number
  /** How long one is remembered that nobody writes again. */
  milliseconds: number
}

/** Whatever was not used for longest goes first. */
export function createMemory({ most, size: room, milliseconds }: MemoryLimits): Memory {
  const values = new Map<string, { value: string; until: number }>()
  let size = 0

  function drop(key: string): void {
    size -= values.get(key)?.value.length ?? 0
    values.delete(key)
  }

  return {
    get(key) {
      const found = values.get(key)
      if (!found) return undefined
      values.delete(key)
      values.set(key, found)
      if (found.until > Date.now()) return found.value
      drop(key)
      return undefined
    },
    set(key, value) {
      drop(key)
      if (value.length > room) return
      values.set(key, { value, until: Date.now() + milliseconds })
      size += value.length
      for (const [old, { until }] of values)
        if (until <= Date.now() || values.size > most || size > room) drop(old)
    },
  }
}
