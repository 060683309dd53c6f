// The list of rows: only those in view are in the document.
import type { ViewerData } from './contract.ts'
import { byId } from './elements.ts'
import { type DrawnRow, drawRow, dressRow, lookOf, numberRow, rowKey } from './row.ts'
import type { Shown } from './shown.ts'
import { rowAt } from './times.ts'
import { createHeights, estimateHeight, type Heights, rowsInView } from './virtual-list.ts'

export interface List {
  /** The rows in the document, by their index. */
  readonly drawn: ReadonlyMap<number, DrawnRow>
  /** Brings a row into view, if it is not. */
  show(index: number): void
  /** True if part of a row is in view. */
  isSeen(index: number): boolean
  /** Called with the rows that came. */
  onDrawn(listener: () => void): void
  mark(index: number): void
}

/** Pixels above and below the view that are drawn too. */
const morePixels = 400
/** Of a row without its lines, and of one line. */
const [restPixels, linePixels] = [30, 24]

export function createList(shown: Shown): List {
  const [scroller, list] = [byId('scroller', 'main'), byId('list', 'div')]
  const { data } = shown
  const drawn = new Map<number, DrawnRow>()
  const listeners: (() => void)[] = []
  let width = scroller.clientWidth
  let heights = estimated()
  let isPlanned = false
  let here = -1

  function estimated(): Heights {
    const room = Math.min(width, 896) - 110
    return createHeights(
      data.rows.map(({ text }) => estimateHeight(text, room, { line: linePixels, rest: restPixels })),
    )
  }

  function draw(): void {
    isPlanned = false
    // Rows that are measured move those behind them: once more, for what came into view by that.
    for (let turn = 0; turn < 3 && drawOnce(); turn++);
    for (const listener of listeners) listener()
  }

  /** Returns true where a height was not as estimated. */
  function drawOnce(): boolean {
    const view = { top: scroller.scrollTop, height: scroller.clientHeight, more: morePixels }
    const { first, last } = rowsInView(heights, data.rows.length, view)
    const focused = document.activeElement?.closest<HTMLElement>('.row')?.dataset.index
    for (const index of [...drawn.keys()])
      if ((index < first || index > last) && String(index) !== focused) remove(index)
    const added: number[] = []
    for (let index = first; index <= last; index++) {
      if (drawn.has(index)) continue
      const row = drawRow(data, index)
      row.element.classList.toggle('here', index === here)
      drawn.set(index, row)
      list.insertBefore(row.element, elementBehind(index))
      added.push(index)
    }
    const top = heights.at(view.top)
    let moved = 0
    let hasChanged = false
    const measured = added.map(index => [index, drawn.get(index)!.element.offsetHeight] as const)
    for (const [index, height] of measured) {
      const delta = heights.set(index, height)
      hasChanged ||= delta !== 0
      // The row that is read stays where it is.
      if (index < top) moved += delta
    }
    list.style.height = `${heights.total}px`
    for (const [index, { element }] of drawn) element.style.top = `${heights.top(index)}px`
    if (moved !== 0) scroller.scrollTop = view.top + moved
    return hasChanged
  }

  /** In the order of the text, for screen readers and for selections. */
  function elementBehind(index: number): HTMLElement | null {
    let [found, least] = [null as HTMLElement | null, Number.POSITIVE_INFINITY]
    for (const [other, { element }] of drawn)
      if (other > index && other < least) [found, least] = [element, other]
    return found
  }

  function plan(): void {
    if (isPlanned) return
    isPlanned = true
    requestAnimationFrame(draw)
  }

  /** Rows with the same text keep their elements, with focus and selection; the sentence at the top stays there. */
  function change(before: ViewerData): void {
    const known = heights
    const top = heights.at(scroller.scrollTop)
    const offset = scroller.scrollTop - heights.top(top)
    const time = before.rows[top]?.start ?? 0
    const focused = document.activeElement?.closest<HTMLElement>('.row')
    const focusTime = before.rows[Number(focused?.dataset.index)]?.start ?? 0
    drawn.get(here)?.element.classList.remove('here')
    here = -1
    heights = estimated()
    const places = new Map(before.rows.map((_, index) => [rowKey(before, index), index]))
    const old = new Map(drawn)
    const dressed: number[] = []
    drawn.clear()
    for (const index of data.rows.keys()) {
      const place = places.get(rowKey(data, index))
      if (place === undefined) continue
      const looksSame = lookOf(before, place) === lookOf(data, index)
      if (looksSame) heights.set(index, known.height(place))
      const row = old.get(place)
      if (!row) continue
      old.delete(place)
      drawn.set(index, row)
      numberRow(row.element, data, index)
      if (looksSame) continue
      dressRow(row.element, data, index)
      dressed.push(index)
    }
    for (const { element } of old.values()) element.remove()
    for (const index of dressed) heights.set(index, drawn.get(index)!.element.offsetHeight)
    if (scroller.scrollTop > 0) scroller.scrollTop = heights.top(Math.max(0, rowAt(data.rows, time))) + offset
    draw()
    if (!focused || focused.isConnected) return
    const there = drawn.get(rowAt(data.rows, focusTime))?.element.querySelector('button')
    const target = there ?? scroller
    target.focus({ preventScroll: true })
  }

  function remove(index: number): void {
    drawn.get(index)?.element.remove()
    drawn.delete(index)
  }

  scroller.addEventListener('scroll', plan, { passive: true })
  new ResizeObserver(() => {
    if (scroller.clientWidth === width) return plan()
    const top = heights.at(scroller.scrollTop)
    width = scroller.clientWidth
    heights = estimated()
    for (const [index, { element }] of drawn) heights.set(index, element.offsetHeight)
    scroller.scrollTop = heights.top(top)
    plan()
  }).observe(scroller)
  shown.onChange(change)
  draw()

  return {
    drawn,
    show(index) {
      const [top, height] = [heights.top(index), heights.height(index)]
      const room = scroller.clientHeight
      const isInView = top >= scroller.scrollTop && top + Math.min(height, room) <= scroller.scrollTop + room
      if (!isInView) scroller.scrollTop = top - room / 3
      draw()
    },
    isSeen(index) {
      const [top, view] = [heights.top(index), scroller.scrollTop]
      return top < view + scroller.clientHeight && top + heights.height(index) > view
    },
    onDrawn: listener => void listeners.push(listener),
    mark(index) {
      drawn.get(here)?.element.classList.remove('here')
      here = index
      drawn.get(here)?.element.classList.add('here')
    },
  }
}
