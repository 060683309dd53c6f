// Choosing a stretch by selecting text, and copying its link or its quote.
import type { Source, ViewerData } from './contract.ts'
import { byId, isComposing, say } from './elements.ts'
import type { List } from './list.ts'
import { describeStretch, linkTo, type Place, quoteOf, type Stretch, stretchBetween } from './stretch.ts'
import { localTime } from './times.ts'

export interface Choosing {
  /** Copies a link to a second. */
  copyLinkTo(seconds: number): void
  /** Puts a text on the clipboard, or shows it to be copied by hand. */
  copy(text: string): Promise<void>
}

export function createChoosing(data: ViewerData, list: List, source: Source): Choosing {
  const [box, shown, copied] = [byId('chosen', 'div'), byId('stretch', 'span'), byId('copied', 'textarea')]
  let chosen: Stretch | undefined

  document.addEventListener('selectionchange', () => {
    const found = selectedStretch(data, list)
    // The buttons below stay while they are used; rows that leave the view take their selection with them.
    if (!found) return
    chosen = found
    shown.textContent = `Chosen: ${describeStretch(found)}`
    copied.hidden = true
    box.hidden = false
  })
  document.addEventListener('keydown', event => {
    if (event.key !== 'Escape' || isComposing(event)) return
    box.hidden = copied.hidden = true
    chosen = undefined
  })
  const linkAt = (seconds: number) => linkTo(data, seconds, location.href)
  byId('copy-link', 'button').addEventListener('click', () => chosen && copy(linkAt(chosen.start)))
  byId('copy-quote', 'button').addEventListener(
    'click',
    () => chosen && copy(quoteOf(data, chosen, location.href)),
  )
  const tell = byId('tell', 'button')
  tell.hidden = !source.tell
  tell.addEventListener('click', () => {
    if (!chosen) return
    source.tell?.(quoteOf(data, chosen, location.href)).then(
      () => say('Given to the model.'),
      () => say('The model could not be told. Copy the quote instead.'),
    )
  })

  async function copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text)
      say(data.endsAt === undefined ? 'Copied.' : `Copied. The link ends ${localTime(data.endsAt)}.`)
    } catch {
      // Frames of hosts often may not write to the clipboard.
      copied.hidden = false
      copied.value = text
      copied.select()
      say('Press Ctrl+C or ⌘C to copy.')
    }
  }

  return { copyLinkTo: seconds => void copy(linkAt(seconds)), copy }
}

function selectedStretch(data: ViewerData, list: List): Stretch | undefined {
  const selection = getSelection()
  if (!selection || selection.isCollapsed || selection.rangeCount === 0) return undefined
  const range = selection.getRangeAt(0)
  const first = placeOf(range.startContainer, range.startOffset, list)
  const last = placeOf(range.endContainer, range.endOffset, list)
  return first && last && stretchBetween(data, first, last)
}

/** The place of a point of the document; the start of its row where it is in none of its text. */
export function placeOf(node: Node, offset: number, list: List): Place | undefined {
  const element = node instanceof Element ? node : node.parentElement
  const index = element?.closest<HTMLElement>('.row')?.dataset.index
  if (index === undefined) return undefined
  const row = Number(index)
  const text = list.drawn.get(row)?.text
  if (text === node) return { row, offset }
  // Behind the text, where a whole paragraph is selected.
  return { row, offset: text?.parentNode === node && offset > 0 ? text!.length : 0 }
}
