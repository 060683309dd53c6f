// The search field: marks all hits, counts them, and goes from one to the next.
import { byId, isComposing } from './elements.ts'
import type { List } from './list.ts'
import type { createMarks } from './marks.ts'
import { createSearch, type Hit, hitFrom, maxHits } from './search.ts'
import type { Shown } from './shown.ts'

/** Typing is not held up by the search for each letter. */
const pauseMs = 120

export function createSearching(
  view: Shown,
  list: List,
  marks: ReturnType<typeof createMarks>,
  rowInView: () => number,
): void {
  const [form, query, shown] = [byId('search', 'form'), byId('query', 'input'), byId('hits', 'output')]
  let search = createSearch(view.data.rows)
  let hits: Hit[] = []
  let best = -1
  let timer: ReturnType<typeof setTimeout> | undefined
  let searched = ''

  function run(): void {
    clearTimeout(timer)
    searched = query.value
    hits = search(searched)
    best = hits.length > 0 ? hitFrom(hits, rowInView()) : -1
    marks.set('hit', hits)
    go()
  }

  function go(): void {
    tell()
    const hit = hits[best]
    if (hit) list.show(hit.row)
  }

  function tell(): void {
    const hit = hits[best]
    marks.set('best', hit ? [hit] : [])
    if (searched.trim() === '') shown.textContent = ''
    else if (!hit) shown.textContent = 'No hits'
    else shown.textContent = `${best + 1} of ${hits.length}${hits.length === maxHits ? ' or more' : ''}`
  }

  function move(step: number): void {
    if (query.value !== searched) run()
    else if (hits.length > 0) {
      best = (best + step + hits.length) % hits.length
      go()
    }
  }

  view.onChange(() => {
    search = createSearch(view.data.rows)
    if (searched.trim() === '') return
    const at = hits[best]?.row ?? 0
    hits = search(searched)
    best = hits.length > 0 ? hitFrom(hits, at) : -1
    marks.set('hit', hits)
    tell()
  })
  query.addEventListener('input', () => {
    clearTimeout(timer)
    timer = setTimeout(run, pauseMs)
  })
  query.addEventListener('keydown', event => {
    if (isComposing(event)) return
    if (event.key === 'Enter') {
      event.preventDefault()
      move(event.shiftKey ? -1 : 1)
    } else if (event.key === 'Escape') {
      query.value = ''
      run()
      byId('scroller', 'main').focus()
    }
  })
  form.addEventListener('submit', event => event.preventDefault())
  // Frames of hosts may send no forms.
  byId('next', 'button').addEventListener('click', () => move(1))
  byId('previous', 'button').addEventListener('click', () => move(-1))
}
