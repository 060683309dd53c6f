// The page: gets the transcript from its source, and joins its parts.
import { createChoosing, placeOf } from './choosing.ts'
import type { Source, ViewerData } from './contract.ts'
import { byId, say } from './elements.ts'
import { drawHeading, drawStrip } from './heading.ts'
import { createList, type List } from './list.ts'
import { createMarks } from './marks.ts'
import { createPlaying, type Playing } from './playing.ts'
import { createSearching } from './searching.ts'
import { hostSource } from './sources/host-source.ts'
import { httpSource } from './sources/http-source.ts'
import { timeInLink } from './stretch.ts'
import { rowAt, wordAtOffset } from './times.ts'

const skipSeconds = 5

function show(data: ViewerData, source: Source): void {
  drawHeading(data, source)
  const list = createList(data)
  const marks = createMarks(list)
  const playing = createPlaying(data, list, marks, source)
  const scroller = byId('scroller', 'main')
  createSearching(data, list, marks, () => {
    const top = scroller.getBoundingClientRect().top
    const seen = [...list.drawn].filter(([, { element }]) => element.getBoundingClientRect().bottom > top)
    return Math.min(...seen.map(([index]) => index))
  })
  const choosing = createChoosing(data, list, source)
  scroller.addEventListener('click', event => playClicked(event, data, list, playing))
  document.addEventListener('keydown', event => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    const target = event.target as HTMLElement
    if (target.closest('input[type=search], input[readonly], select, summary, a')) return
    const isButton = target.closest('button, input') !== null
    const keys: Record<string, (() => void) | undefined> = {
      '/': () => byId('query', 'input').focus(),
      ' ': isButton ? undefined : playing.player.toggle,
      ArrowLeft: isButton ? undefined : () => playing.player.seek(playing.player.seconds - skipSeconds),
      ArrowRight: isButton ? undefined : () => playing.player.seek(playing.player.seconds + skipSeconds),
      ArrowUp: isButton ? undefined : () => playing.step(-1),
      ArrowDown: isButton ? undefined : () => playing.step(1),
      c: () => choosing.copyLinkTo(playing.player.seconds),
    }
    const act = keys[event.key]
    if (!act) return
    event.preventDefault()
    act()
  })
  const openAtLink = () => {
    const seconds = timeInLink(location.hash)
    if (seconds === undefined) return
    playing.player.seek(seconds)
    list.show(Math.max(0, rowAt(data.rows, seconds)))
  }
  openAtLink()
  addEventListener('hashchange', openAtLink)
  // Not before the text is there.
  requestAnimationFrame(() => drawStrip(data))
  addEventListener('resize', () => drawStrip(data))
  performance.mark('shown')
}

/** A time plays its row, a word plays from itself. */
function playClicked(event: MouseEvent, { rows }: ViewerData, list: List, { player }: Playing): void {
  const target = event.target as HTMLElement
  const index = target.closest<HTMLElement>('.row')?.dataset.index
  const row = index === undefined ? undefined : rows[Number(index)]
  if (!row) return
  if (target.closest('.time')) {
    player.playFrom(row.start)
    return
  }
  // A click that ends a selection plays nothing.
  if (!target.closest('p') || getSelection()?.isCollapsed === false) return
  const at = caretAt(event.clientX, event.clientY)
  const place = at && placeOf(at.node, at.offset, list)
  player.playFrom((place && wordAtOffset(row, place.offset)?.start) ?? row.start)
}

function caretAt(x: number, y: number): { node: Node; offset: number } | undefined {
  const place = document.caretPositionFromPoint?.(x, y)
  if (place) return { node: place.offsetNode, offset: place.offset }
  // Safari has the older function alone.
  const range = document.caretRangeFromPoint?.(x, y)
  return range ? { node: range.startContainer, offset: range.startOffset } : undefined
}

async function begin(): Promise<void> {
  const source = parent === window ? httpSource() : hostSource()
  say('Loading…')
  try {
    const data = await source.load()
    performance.mark('loaded')
    say('')
    show(data, source)
  } catch (error) {
    say(`The transcript could not be shown. ${(error as Error).message}`)
  }
}

void begin()
