// Draws a list again where it has changed: an entry that is the same keeps its element, and the focus stays where it was.
import { focusedIn, focusIn } from './focus.ts'

export interface Entry {
  key: string
  /** Equal for entries that look the same. */
  look: string
  make(): HTMLLIElement
}

export function createKeyedList(list: HTMLUListElement) {
  let known = new Map<string, { look: string; element: HTMLLIElement }>()

  function draw(entries: readonly Entry[]): void {
    const next: typeof known = new Map()
    const [heldKey = '', held] = [...known].find(([, { element }]) => focusedIn(element) >= 0) ?? []
    const control = held ? focusedIn(held.element) : 0
    const position = held ? [...list.children].indexOf(held.element) : 0
    for (const { key, look, make } of entries) {
      const found = known.get(key)
      next.set(key, {
        look,
        element: found?.look === look ? found.element : openedAs(found?.element, make()),
      })
    }
    const kept = new Set([...next.values()].map(({ element }) => element as Element))
    // First, so that those that stay need not be moved: an element that is moved loses the focus.
    for (const child of [...list.children]) if (!kept.has(child)) child.remove()
    let at = list.firstElementChild
    for (const element of kept) {
      if (element === at) at = at.nextElementSibling
      else list.insertBefore(element, at)
    }
    known = next
    if (!held || focusedIn(held.element) >= 0) return
    const same = next.get(heldKey)?.element
    if (same) focusIn(same, control)
    else focusIn(list.children[Math.min(position, list.children.length - 1)])
  }

  return {
    draw,
    /** The returned function gives the focus back to the same control of an entry, which may be drawn again meanwhile. */
    hold(key: string): () => void {
      const before = known.get(key)?.element
      const control = before ? focusedIn(before) : 0
      return () => {
        const now = known.get(key)?.element
        if (!now || focusedIn(now) < 0) focusIn(now, control)
      }
    },
  }
}

/** A list of files that the reader has opened stays open, and may have the focus. */
function openedAs(before: Element | undefined, element: HTMLLIElement): HTMLLIElement {
  const box = element.querySelector('details')
  if (box && before?.querySelector('details')?.open) box.open = true
  return element
}
