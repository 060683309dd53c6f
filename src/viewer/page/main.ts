// The page: gets the transcript from its source, and joins its parts.
import { createChoosing, placeOf } from './choosing.ts'
import type { Source, ViewerData } from './contract.ts'
import { byId, say } from './elements.ts'
import { drawFiles } from './head/files.ts'
import { drawSpeakers } from './head/speakers.ts'
import { drawHeading } from './heading.ts'
import { createList, type List } from './list.ts'
import { keepCurrent } from './live.ts'
import { createMarks } from './marks.ts'
import { createSearching } from './searching.ts'
import { createShown, type Shown } from './shown.ts'
import { createPlaying, type Playing } from './sound/playing.ts'
import { hostSource } from './sources/host-source.ts'
import { httpSource } from './sources/http-source.ts'
import { timeInLink } from './stretch.ts'
import { wordAtOffset } from './times.ts'

const skipSeconds = 5

function show(data: ViewerData, source: Source): void {
  const view = createShown(data)
  const list = createList(view)
  const marks = createMarks(list)
  const heading = drawHeading(view)
  const { refresh } = keepCurrent(view, source)
  const speakers = drawSpeakers(view, source, refresh)
  const playing = createPlaying(view, list, marks, source)
  const scroller = byId('scroller', 'main')
  const rowInView = () => {
    const top = scroller.getBoundingClientRect().top
    const seen = [...list.drawn].filter(([, { element }]) => element.getBoundingClientRect().bottom > top)
    return Math.min(...seen.map(([index]) => index))
  }
  createSearching(view, list, marks, rowInView)
  const choosing = createChoosing(view.data, list, source)
  drawFiles(data, source, choosing.copy)
  let visited = -1
  heading.onNext(isWanted => {
    const { rows } = view.data
    const at = rows.findIndex((row, i) => i > visited && isWanted(row))
    visited = at < 0 ? rows.findIndex(isWanted) : at
    list.show(visited)
    list.drawn.get(visited)?.element.querySelector('button')?.focus()
  })
  scroller.addEventListener('click', event => {
    const speaker = (event.target as HTMLElement).closest<HTMLElement>('.name')?.dataset.speaker
    if (speaker === undefined) playClicked(event, view, list, playing)
    else speakers.edit(Number(speaker))
  })
  document.addEventListener('keydown', event => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    const target = event.target as HTMLElement
    if (target.closest('input:not([type=range]), textarea, select, summary, a')) return
    const isButton = target.closest('button') !== null
    const isSlider = target.closest('input') !== null
    const skip = (seconds: number) => playing.seek(playing.player.seconds + seconds)
    const keys: Record<string, (() => void) | undefined> = {
      '/': () => byId('query', 'input').focus(),
      ' ': isButton ? undefined : playing.toggle,
      ArrowLeft: isButton ? undefined : () => skip(-skipSeconds),
      ArrowRight: isButton ? undefined : () => skip(skipSeconds),
      ArrowUp: isButton ? undefined : isSlider ? () => skip(skipSeconds) : () => playing.step(-1),
      ArrowDown: isButton ? undefined : isSlider ? () => skip(-skipSeconds) : () => playing.step(1),
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
    playing.seek(seconds)
  }
  openAtLink()
  addEventListener('hashchange', openAtLink)
  performance.mark('shown')
}

/** A time plays its row, a word plays from itself. */
function playClicked(event: MouseEvent, view: Shown, list: List, { player }: Playing): void {
  const { rows } = view.data
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
