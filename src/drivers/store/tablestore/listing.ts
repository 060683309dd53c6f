// Listing of an owner's transcripts by age: rows beside the transcripts, which are looked up before they are shown.
import type { PageRequest, TranscriptPage } from '../../../domain/ports.ts'
import { type Cursor, readCursor, writeCursor } from '../../../domain/reading/page-cursor.ts'
import type { TranscriptSummary } from '../../../domain/transcript.ts'
import { allRows, type Columns, numberIn, type Rows, textIn } from './rows.ts'
import { ownerKey } from './tables.ts'

export interface ListingKey {
  created: string
  id: string
}

export interface Listing {
  add(owner: string, key: ListingKey): Promise<void>
  delete(owner: string, key: ListingKey): Promise<void>
  /**
   * A page of the transcripts that match, judged by these columns. Reads at most `maxRows` rows; the cursor then continues
   * after them. Throws `BAD_INPUT` for an invalid cursor.
   */
  page(
    owner: string,
    request: PageRequest,
    columns: string[],
    matches: (row: Columns) => boolean,
    maxRows?: number,
  ): Promise<TranscriptPage>
  /** Ids of the newest transcripts that were written since a time (milliseconds since 1970). */
  recent(owner: string, since: number): Promise<string[]>
}

/** Rows of one lookup: summaries are short, and other columns hold what was said. */
const maxLookupRows = { summaries: 200, others: 50 }
/** Rows that `recent` reads. */
const maxRecentRows = 200

export function createListing(rows: Rows): Listing {
  const keyOf = (owner: string, { created, id }: ListingKey) => ({ owner: ownerKey(owner), created, id })

  /** Skips entries whose transcript does not exist or has another age. */
  async function lookUp(owner: string, entries: Columns[], columns: string[]): Promise<Columns[]> {
    const keys = entries.map(entry => ({ id: textIn(entry, 'id'), owner }))
    const found = await rows.getMany('transcripts', keys, ['created', ...columns])
    return found.flatMap((row, i) => (row && row.created === entries[i]!.created ? [row] : []))
  }

  return {
    add: async (owner, key) => void (await rows.put('listing', keyOf(owner, key), { written: Date.now() })),
    delete: async (owner, key) => void (await rows.delete('listing', keyOf(owner, key))),
    async page(owner, { limit, cursor }, columns, matches, maxRows = Infinity) {
      const found: Columns[] = []
      let position: Cursor = readCursor(cursor)
      let count = 0
      const isOfSummaries = columns.every(column => column === 'summary')
      const most = maxLookupRows[isOfSummaries ? 'summaries' : 'others']
      for await (const entries of entriesAfter(rows, owner, position, Math.min(limit + 2, most))) {
        for (const row of await lookUp(owner, entries, columns)) if (matches(row)) found.push(row)
        if (found.length > limit) break
        count += entries.length
        position = cursorOf(entries.at(-1)!)
        if (count >= maxRows) return { transcripts: found.map(summaryIn), nextCursor: writeCursor(position) }
      }
      return pageOf(found, limit)
    },
    async recent(owner, since) {
      const range = { within: { owner: ownerKey(owner) }, backward: true, columns: ['written'] }
      const newest = await allRows(rows.range('listing', range, maxRecentRows))
      return newest.filter(row => numberIn(row, 'written') >= since).map(row => textIn(row, 'id'))
    },
  }
}

/** Entries after a cursor, from the newest to the oldest, in pages of this size at most. */
async function* entriesAfter(rows: Rows, owner: string, { createdAt, id }: Cursor, pageSize: number) {
  const within = { owner: ownerKey(owner) }
  const from = { ...within, created: createdAt, id }
  for await (const page of rows.range('listing', {
    within,
    from,
    backward: true,
    columns: ['written'],
    pageSize,
  })) {
    // The range includes the cursor itself.
    const older = page.filter(row => row.created !== createdAt || row.id !== id)
    if (older.length > 0) yield older
  }
}

/** The first rows as a page, with a cursor if there are more. */
export function pageOf(rows: Columns[], limit: number): TranscriptPage {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    transcripts: shown.map(summaryIn),
    ...(rows.length > limit && last && { nextCursor: writeCursor(cursorOf(last)) }),
  }
}

export function cursorOf(row: Columns): Cursor {
  return { createdAt: textIn(row, 'created'), id: textIn(row, 'id') }
}

function summaryIn(row: Columns): TranscriptSummary {
  return JSON.parse(textIn(row, 'summary')) as TranscriptSummary
}
