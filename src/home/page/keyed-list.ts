// Draws a list again where it has changed: an entry that is the same keeps its element, and with it the focus.

export interface Entry {
  key: string
  /** Equal for entries that look the same. */
  look: string
  make(): HTMLLIElement
}

export function createKeyedList(list: HTMLUListElement) {
  let known = new Map<string, { look: string; element: HTMLLIElement }>()

  return (entries: readonly Entry[]): void => {
    const next: typeof known = new Map()
    let at = list.firstElementChild
    for (const { key, look, make } of entries) {
      const before = known.get(key)
      const element = before?.look === look ? before.element : make()
      next.set(key, { look, element })
      if (element === at) at = at.nextElementSibling
      else list.insertBefore(element, at)
    }
    const kept = new Set([...next.values()].map(({ element }) => element as Element))
    for (const child of [...list.children]) if (!kept.has(child)) child.remove()
    known = next
  }
}
