// Which transcripts an owner has, newest first: rows beside the transcripts, which are looked up before they are shown.
import type { PageRequest, TranscriptPage } from '../../../domain/ports.ts'
import type { TranscriptSummary } from '../../../domain/transcript.ts'
import { type Cursor, readCursor, writeCursor } from '../cursors.ts'
import { type Facts, numberIn, type Rows, textIn } from './rows.ts'
import { spread } from './tables.ts'

export interface Listed {
  created: string
  id: string
}

export interface Listing {
  add(owner: string, listed: Listed): Promise<void>
  remove(owner: string, listed: Listed): Promise<void>
  /**
   * A page of the transcripts that are wanted, judged by these columns; of so many rows at most, after which the cursor
   * goes on. Throws `BAD_INPUT` for a cursor that no page gave.
   */
  page(
    owner: string,
    request: PageRequest,
    columns: string[],
    isWanted: (row: Facts) => boolean,
    mostRows?: number,
  ): Promise<TranscriptPage>
  /** Ids of the newest that were written since a moment (milliseconds since 1970). */
  recent(owner: string, since: number): Promise<string[]>
}

/** Rows that are looked up at once. */
const pace = 50
/** So many of the newest are looked at for what was written just now. */
const mostRecent = 200

export function createListing(rows: Rows): Listing {
  const keyOf = (owner: string, { created, id }: Listed) => ({ owner: spread(owner), created, id })

  /** Those that are transcripts, in this order. */
  async function lookUp(owner: string, listed: Facts[], columns: string[]): Promise<Facts[]> {
    const keys = listed.map(row => ({ id: textIn(row, 'id'), owner }))
    const found = await rows.getMany('transcripts', keys, ['created', ...columns])
    return found.flatMap((row, i) => (row && row.created === listed[i]!.created ? [row] : []))
  }

  return {
    add: async (owner, listed) =>
      void (await rows.put('listing', keyOf(owner, listed), { written: Date.now() })),
    remove: async (owner, listed) => void (await rows.remove('listing', keyOf(owner, listed))),
    async page(owner, { limit, cursor }, columns, isWanted, mostRows = Number.MAX_SAFE_INTEGER) {
      const found: Facts[] = []
      let place: Cursor = readCursor(cursor)
      let looked = 0
      for await (const listed of pagesFrom(rows, owner, place, Math.min(limit + 2, pace))) {
        for (const row of await lookUp(owner, listed, columns)) if (isWanted(row)) found.push(row)
        if (found.length > limit) break
        looked += listed.length
        place = placeOf(listed.at(-1)!)
        if (looked >= mostRows) return { transcripts: found.map(read), nextCursor: writeCursor(place) }
      }
      const shown = found.slice(0, limit)
      const last = shown.at(-1)
      return {
        transcripts: shown.map(read),
        ...(found.length > limit && last && { nextCursor: writeCursor(placeOf(last)) }),
      }
    },
    async recent(owner, since) {
      const ids: string[] = []
      for await (const page of pagesFrom(rows, owner, readCursor(undefined), mostRecent)) {
        ids.push(...page.filter(row => numberIn(row, 'written') >= since).map(row => textIn(row, 'id')))
        break
      }
      return ids
    },
  }
}

/** What is older than a place, from the newest to the oldest, so many rows at a time. */
async function* pagesFrom(rows: Rows, owner: string, before: Cursor, size: number): AsyncGenerator<Facts[]> {
  let { createdAt, id } = before
  for (;;) {
    const from = { owner: spread(owner), created: createdAt, id }
    const range = { from, to: { owner: spread(owner) }, backward: true, columns: ['written'] }
    const page: Facts[] = []
    for await (const some of rows.range('listing', range, size)) page.push(...some)
    // The place itself is where the page before has ended.
    const older = page.filter(row => row.created !== createdAt || row.id !== id)
    if (older.length > 0) yield older
    if (page.length < size) return
    const last = placeOf(page.at(-1)!)
    createdAt = last.createdAt
    id = last.id
  }
}

function placeOf(row: Facts): Cursor {
  return { createdAt: textIn(row, 'created'), id: textIn(row, 'id') }
}

export function read(row: Facts): TranscriptSummary {
  return JSON.parse(textIn(row, 'summary')) as TranscriptSummary
}
