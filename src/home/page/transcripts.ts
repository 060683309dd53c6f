// The list of transcripts: search, pages, and the actions of each.
import { byId, make, say } from '../../viewer/page/elements.ts'
import { clock } from '../../viewer/page/times.ts'
import type { FoundPage, FoundTranscript, Me } from './contract.ts'
import { createKeyedList, type Entry } from './keyed-list.ts'
import { call } from './server.ts'

const pageLength = 20
/** Each is read for its passages. */
const foundLength = 10

export type Guard = (work: () => Promise<unknown>) => Promise<void>

/** `guarded` runs work whose errors are told to the reader. */
export function createTranscripts(guarded: Guard) {
  const { draw, hold } = createKeyedList(byId('list', 'ul'))
  const [found, more, query] = [byId('found', 'p'), byId('more', 'button'), byId('query', 'input')]
  let me: Me | undefined
  let shown: FoundTranscript[] = []
  let searched = ''
  let next: string | undefined
  let pages = 1
  /** Counts the searches: an answer to an earlier one is not shown. */
  let turn = 0
  /** False from a change on until its answer is shown. */
  let isFresh = false

  /** Reads again what is shown. */
  function load(): Promise<void> {
    isFresh = false
    return read([], undefined, pages)
  }

  /** Reads this many pages that follow these transcripts. */
  async function read(before: FoundTranscript[], from: string | undefined, count: number): Promise<void> {
    const own = ++turn
    const all = [...before]
    let cursor = from
    let warnings: string[] = []
    for (let page = 0; page < count; page++) {
      const limit = searched ? foundLength : pageLength
      const given = { limit, ...(searched && { query: searched }), ...(cursor && { cursor }) }
      const answer = await call<FoundPage>('search_transcripts', given)
      if (own !== turn) return
      all.push(...answer.transcripts)
      cursor = answer.next_cursor
      warnings = answer.warnings ?? []
      if (cursor === undefined) break
    }
    shown = all
    next = cursor
    isFresh = true
    show(warnings)
  }

  function show(warnings: string[]): void {
    draw(shown.map(entryOf))
    more.hidden = next === undefined
    const count = searched
      ? `${shown.length === 0 ? 'No transcript contains' : 'These contain'} all words of the search.`
      : shown.length === 0
        ? 'There are no transcripts yet.'
        : ''
    found.textContent = [count, ...warnings].filter(Boolean).join(' ')
  }

  function entryOf(one: FoundTranscript): Entry {
    return { key: one.transcript_id, look: JSON.stringify(one), make: () => itemOf(one) }
  }

  function itemOf(one: FoundTranscript): HTMLLIElement {
    const item = make('li')
    const heading = make('h3')
    const open = make('a', '', one.title)
    open.dir = 'auto'
    open.href = addressOf(one)
    heading.append(open)
    item.append(heading, make('p', 'facts', factsOf(one).join(' · ')))
    if (one.matches?.length) item.append(matchesOf(one))
    const actions = make('div', 'actions')
    if (one.status !== 'running') actions.append(downloadsOf(one))
    const may = (tool: string) => me?.may.includes(tool)
    if (may('update_transcript')) actions.append(button('Rename', one, () => rename(one)))
    if (may('delete_transcript')) actions.append(button('Delete', one, () => remove(one)))
    item.append(actions)
    return item
  }

  function matchesOf(one: FoundTranscript): HTMLUListElement {
    const list = make('ul', 'matches')
    for (const { start, text, speaker } of one.matches!) {
      const line = make('li')
      const time = make('a', '', clock(start))
      time.href = `${addressOf(one)}?t=${Math.floor(start)}`
      const said = make('bdi', '', speaker === undefined ? text : `${speaker}: ${text}`)
      line.append(time, ' ', said)
      list.append(line)
    }
    return list
  }

  function downloadsOf(one: FoundTranscript): HTMLDetailsElement {
    const [box, list] = [make('details'), make('ul')]
    const summary = make('summary', '', 'Download')
    summary.setAttribute('aria-label', `Download ${one.title}`)
    box.append(summary, list)
    for (const format of me?.formatNames ?? []) {
      const link = make('a', '', format)
      link.href = `${addressOf(one)}?format=${encodeURIComponent(format)}`
      const line = make('li')
      line.append(link)
      list.append(line)
    }
    return box
  }

  function button(text: string, { title }: FoundTranscript, work: () => Promise<void>): HTMLButtonElement {
    const made = make('button', '', text)
    made.type = 'button'
    made.setAttribute('aria-label', `${text} ${title}`)
    made.addEventListener('click', () => void guarded(work))
    return made
  }

  /** Asks a question about a transcript. The list may change while it is there. */
  async function confirmedFor(id: string, question: string): Promise<boolean> {
    const giveBack = hold(id)
    const isConfirmed = await confirmed(question)
    giveBack()
    return isConfirmed
  }

  async function rename({ transcript_id, title }: FoundTranscript): Promise<void> {
    const input = byId('new-title', 'input')
    input.value = title
    if (!(await confirmedFor(transcript_id, 'rename'))) return
    await call('update_transcript', { transcript_id, title: input.value })
    await load()
  }

  async function remove({ transcript_id, title }: FoundTranscript): Promise<void> {
    byId('delete', 'dialog').querySelector('bdi')!.textContent = title
    if (!(await confirmedFor(transcript_id, 'delete'))) return
    await call('delete_transcript', { transcript_id })
    await load()
    say('The transcript is deleted.')
    byId('transcripts-title', 'h2').focus()
  }

  byId('search', 'form').addEventListener('submit', event => {
    event.preventDefault()
    searched = query.value.trim()
    pages = 1
    void guarded(load)
  })
  // The cross in the field, or an emptied field.
  query.addEventListener('input', () => {
    if (query.value !== '' || searched === '') return
    searched = ''
    pages = 1
    void guarded(load)
  })
  let isReadingMore = false
  more.addEventListener('click', () => {
    if (isReadingMore) return
    isReadingMore = true
    pages++
    void guarded(async () => {
      try {
        const before = shown.length
        await (isFresh && next !== undefined ? read(shown, next, 1) : load())
        byId('list', 'ul').children[before]?.querySelector('a')?.focus()
      } finally {
        isReadingMore = false
      }
    })
  })

  return {
    load,
    begin(as: Me): void {
      me = as
    },
    /** Nothing of the owner stays in the page. */
    clear(): void {
      turn++
      shown = []
      next = undefined
      show([])
      found.textContent = ''
    },
  }
}

const addressOf = ({ transcript_id }: FoundTranscript) => `home/open/${encodeURIComponent(transcript_id)}`

const states: Record<string, string> = {
  running: 'in progress',
  partial: 'some parts have no text',
  failed: 'failed',
  cancelled: 'cancelled',
}

function factsOf({ created_at, duration, language, status, older_transcripts }: FoundTranscript): string[] {
  const state = states[status]
  return [
    new Date(created_at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }),
    ...(duration > 0 ? [clock(duration)] : []),
    ...(language ? [nameOf(language)] : []),
    ...(state ? [state] : []),
    ...(older_transcripts ? [`${older_transcripts} older of this recording`] : []),
  ]
}

function nameOf(language: string): string {
  try {
    return new Intl.DisplayNames('en', { type: 'language' }).of(language) ?? language
  } catch {
    return language
  }
}

/** Shows a question; true where it is answered with yes. */
function confirmed(id: string): Promise<boolean> {
  const dialog = byId(id, 'dialog')
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise(resolve => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
  })
}
