// Draws the head of the page: title, facts, and notes with the ways to what they are about.
import type { ViewerData, ViewerRow } from './contract.ts'
import { byId, make } from './elements.ts'
import type { Shown } from './shown.ts'
import { clock, localTime } from './times.ts'

export interface Heading {
  /** Called with the kind of rows to whose next one the reader wants to go. */
  onNext(listener: (isWanted: (row: ViewerRow) => boolean) => void): void
}

export function drawHeading(view: Shown): Heading {
  let goToNext: (isWanted: (row: ViewerRow) => boolean) => void = () => {}

  function draw(): void {
    const { data } = view
    document.title = data.title
    byId('title', 'h1').textContent = data.title
    byId('facts', 'p').textContent = factsOf(data).join(' · ')
    const notes = [...doubtsOf(data), ...data.warnings.map(text => ({ text }))]
    const box = byId('notes', 'details')
    box.querySelector('summary')!.textContent = `Warnings: ${notes.length}`
    const list = box.querySelector('ul')!
    const focused = list.contains(document.activeElement)
    list.replaceChildren(...notes.map(drawNote))
    if (focused) list.querySelector('button')?.focus()
    box.hidden = notes.length === 0
  }

  function drawNote({ text, isWanted }: Note): HTMLElement {
    const item = make('li', '', text)
    item.dir = 'auto'
    if (!isWanted) return item
    const next = make('button', '', 'Show next')
    next.type = 'button'
    next.setAttribute('aria-label', `Show next: ${text}`)
    next.addEventListener('click', () => goToNext(isWanted))
    item.append(' ', next)
    return item
  }

  view.onChange(draw)
  draw()
  return {
    onNext(listener) {
      goToNext = listener
    },
  }
}

interface Note {
  text: string
  isWanted?(row: ViewerRow): boolean
}

/** Parts that the text lacks, and that it gives with little certainty. */
function doubtsOf({ rows }: ViewerData): Note[] {
  const kinds: [string, string, (row: ViewerRow) => boolean][] = [
    ['A part has no text.', 'parts have no text.', ({ isGap }) => isGap === true],
    [
      'The speaker of a sentence is uncertain.',
      'sentences have an uncertain speaker.',
      ({ isDoubtful }) => isDoubtful === true,
    ],
    [
      'The speaker of a sentence is unknown.',
      'sentences have an unknown speaker.',
      ({ speaker, isGap, isDoubtful }) => speaker === -1 && !isGap && !isDoubtful,
    ],
  ]
  return kinds.flatMap(([one, many, isWanted]) => {
    const count = rows.filter(isWanted).length
    return count === 0 ? [] : [{ text: count === 1 ? one : `${count} ${many}`, isWanted }]
  })
}

function factsOf({ duration, createdAt, status, rows, language, endsAt }: ViewerData): string[] {
  const estimated = rows.some(({ isEstimated }) => isEstimated)
  return [
    clock(duration),
    createdAt.slice(0, 10),
    ...(language ? [language] : []),
    ...(status === 'completed' ? [] : [status]),
    ...(estimated ? ['times estimated'] : []),
    ...(endsAt === undefined ? [] : [`page ends ${localTime(endsAt)}`]),
  ]
}
