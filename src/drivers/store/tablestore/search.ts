// Full-text search in Tablestore: takes candidates from the search index or a scan, and verifies each against the query.
import type { PageRequest, TranscriptPage } from '../../../domain/ports.ts'
import { type Cursor, readCursor, writeCursor } from '../../../domain/reading/page-cursor.ts'
import { hasPhrase, type Phrase, phrasesOf } from '../../../domain/reading/search-terms.ts'
import { cursorOf, type Listing, pageOf } from './listing.ts'
import { type Columns, type Rows, textIn } from './rows.ts'
import type { SearchIndex } from './search-index.ts'

export type Search = (owner: string, query: string, request: PageRequest) => Promise<TranscriptPage>

/** Transcripts that a page reads, with or without an index; its cursor continues with older ones. */
const maxScannedRows = 1_000
/** The index may not contain writes of the last minutes, and clocks may differ by minutes. */
const indexLagMs = 600_000

export function createSearch(rows: Rows, listing: Listing, index: SearchIndex): Search {
  async function lookUp(owner: string, ids: string[], phrases: Phrase[]): Promise<Columns[]> {
    const keys = ids.map(id => ({ id, owner }))
    const found = await rows.getMany('transcripts', keys, ['created', 'summary', 'words'])
    return found.flatMap(row => (row && matches(row, phrases) ? [row] : []))
  }

  /** More matches than the limit, or all of them; `stop` is where it has read enough. */
  async function searchIndex(owner: string, phrases: Phrase[], cursor: Cursor, limit: number) {
    const indexed: Columns[] = []
    let read = 0
    for await (const candidates of index.candidates(owner, phrases, cursor, limit + 1)) {
      const ids = candidates.map(({ id }) => id)
      indexed.push(...(await lookUp(owner, ids, phrases)))
      read += ids.length
      if (indexed.length > limit) break
      if (read >= maxScannedRows) return { indexed, stop: candidates.at(-1) }
    }
    return { indexed, stop: undefined }
  }

  return async (owner, query, request) => {
    const cursor = readCursor(request.cursor)
    const phrases = phrasesOf(query)
    if (phrases.length === 0) return { transcripts: [] }
    if (!(await index.isReady()))
      return listing.page(owner, request, ['summary', 'words'], row => matches(row, phrases), maxScannedRows)
    const { limit } = request
    const [{ indexed, stop }, recent] = await Promise.all([
      searchIndex(owner, phrases, cursor, limit),
      listing.recent(owner, Date.now() - indexLagMs).then(ids => lookUp(owner, ids, phrases)),
    ])
    const found = new Map<string, Columns>()
    for (const row of [...recent.filter(row => isAfter(row, cursor)), ...indexed])
      found.set(textIn(row, 'id'), row)
    const sorted = [...found.values()].sort((a, b) => (isAfter(a, cursorOf(b)) ? 1 : -1))
    const page = pageOf(stop ? sorted.filter(row => !isAfter(row, stop)) : sorted, limit)
    return stop ? { nextCursor: writeCursor(stop), ...page } : page
  }
}

function matches(row: Columns, phrases: Phrase[]): boolean {
  const words = textIn(row, 'words')
  return phrases.every(phrase => hasPhrase(words, phrase))
}

/** True if a list that starts with the newest shows the row after the cursor. */
function isAfter(row: Columns, { createdAt, id }: Cursor): boolean {
  const created = textIn(row, 'created')
  if (created !== createdAt) return created < createdAt
  return Buffer.compare(Buffer.from(textIn(row, 'id')), Buffer.from(id)) < 0
}
