// Full-text search: candidates of the search index or of a scan, each of which is held against the query itself.
import type { PageRequest, TranscriptPage } from '../../../domain/ports.ts'
import { type Cursor, readCursor, writeCursor } from '../cursors.ts'
import { type Phrase, phrasesOf } from '../terms.ts'
import { type Listing, read } from './listing.ts'
import { type Facts, type Rows, textIn } from './rows.ts'
import type { SearchIndex } from './search-index.ts'

export interface Search {
  page(owner: string, query: string, request: PageRequest): Promise<TranscriptPage>
}

export interface SearchRooms {
  rows: Rows
  listing: Listing
  candidates: SearchIndex
}

/** Without an index so many transcripts are read for a page; its cursor goes on with the older ones. */
const mostScanned = 1_000
/** What was written within so many milliseconds the index may not know yet; clocks may differ by minutes. */
const indexLag = 600_000

export function createSearch({ rows, listing, candidates }: SearchRooms): Search {
  /** The newest writes, which no index has to know. */
  async function recent(owner: string, phrases: Phrase[], before: Cursor): Promise<Facts[]> {
    const ids = await listing.recent(owner, Date.now() - indexLag)
    const found = await lookUp(owner, ids, phrases)
    return found.filter(row => isBefore(row, before))
  }

  async function lookUp(owner: string, ids: string[], phrases: Phrase[]): Promise<Facts[]> {
    const keys = ids.map(id => ({ id, owner }))
    const found = await rows.getMany('transcripts', keys, ['created', 'summary', 'words'])
    return found.flatMap(row => (row && matches(textIn(row, 'words'), phrases) ? [row] : []))
  }

  return {
    async page(owner, query, request) {
      const before = readCursor(request.cursor)
      const phrases = distinct(phrasesOf(query))
      if (phrases.length === 0) return { transcripts: [] }
      if (!(await candidates.areKnown()))
        return listing.page(
          ...[owner, request, ['summary', 'words']],
          row => matches(textIn(row, 'words'), phrases),
          mostScanned,
        )
      const { limit } = request
      const found = new Map<string, Facts>()
      for (const row of await recent(owner, phrases, before)) found.set(textIn(row, 'id'), row)
      let wanted = 0
      for await (const ids of candidates.pages(owner, phrases, before, limit + 1)) {
        const some = await lookUp(owner, ids, phrases)
        for (const row of some) found.set(textIn(row, 'id'), row)
        wanted += some.length
        if (wanted > limit) break
      }
      const sorted = [...found.values()].sort((a, b) => (isBefore(a, placeOf(b)) ? 1 : -1))
      const shown = sorted.slice(0, limit)
      const last = shown.at(-1)
      return {
        transcripts: shown.map(read),
        ...(sorted.length > limit && last && { nextCursor: writeCursor(placeOf(last)) }),
      }
    },
  }
}

function matches(words: string, phrases: Phrase[]): boolean {
  return phrases.every(({ terms, isOpen }) => words.includes(` ${terms}${isOpen ? '' : ' '}`))
}

function distinct(phrases: Phrase[]): Phrase[] {
  const seen = new Map(
    phrases.map(({ terms, isOpen }) => {
      const tidy = terms.replace(/ {2,}/g, ' ')
      return [`${isOpen} ${tidy}`, { terms: tidy, isOpen }]
    }),
  )
  return [...seen.values()]
}

function placeOf(row: Facts): Cursor {
  return { createdAt: textIn(row, 'created'), id: textIn(row, 'id') }
}

/** True for what comes after a place in a list that begins with the newest. */
function isBefore(row: Facts, { createdAt, id }: Cursor): boolean {
  const created = textIn(row, 'created')
  if (created !== createdAt) return created < createdAt
  return Buffer.compare(Buffer.from(textIn(row, 'id')), Buffer.from(id)) < 0
}
