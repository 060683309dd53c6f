// Keeps the focus of a keyboard on the page: what has it may go, or be drawn again.
import { byId } from '../../viewer/page/elements.ts'

const controls = 'a, button, summary, input'

/** Moves it to the same control of an element, to its first one, or to the heading of the transcripts. */
export function focusIn(element: Element | null | undefined, at = 0): void {
  const found = element?.querySelectorAll<HTMLElement>(controls)
  ;(found?.[at] ?? found?.[0] ?? byId('transcripts-title', 'h2')).focus()
}

/** The number of the control that has the focus; -1 if none within the element has. */
export function focusedIn(element: Element): number {
  return [...element.querySelectorAll(controls)].indexOf(document.activeElement!)
}

/** Removes an entry of a list; without another one, the focus moves on to `last`. */
export function removeItem(item: Element, last: HTMLElement): void {
  const next = item.nextElementSibling ?? item.previousElementSibling
  const control = focusedIn(item)
  item.remove()
  if (control < 0) return
  if (next) focusIn(next, control)
  else last.focus()
}

/** Work of a button, once at a time. A button that is disabled would lose the focus, so it only says that it is. */
export async function whileBusy(button: HTMLButtonElement, work: () => Promise<unknown>): Promise<void> {
  if (button.getAttribute('aria-disabled')) return
  button.setAttribute('aria-disabled', 'true')
  try {
    await work()
  } finally {
    button.removeAttribute('aria-disabled')
  }
}
