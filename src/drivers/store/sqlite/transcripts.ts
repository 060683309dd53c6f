// Transcripts in SQLite: the whole body, a summary for lists, and the search index.
import type Database from 'libsql'
import pLimit from 'p-limit'
import type { PageRequest, Store, TranscriptPage } from '../../../domain/ports.ts'
import { readCursor, writeCursor } from '../../../domain/reading/page-cursor.ts'
import type { TranscriptSummary } from '../../../domain/transcript.ts'
import { serialize, summaryOf } from '../serialize.ts'
import type { Connection } from './connection.ts'
import { bytesOf, fromJson, selectBytes, transcriptFrom, type Value } from './rows.ts'
import { index, matchExpression, removeFromIndex } from './search.ts'
import type { Upkeep } from './upkeep/upkeep.ts'
import { readValue } from './values.ts'

type Transcripts = Pick<
  Store,
  'putTranscript' | 'getTranscript' | 'listTranscripts' | 'searchTranscripts' | 'deleteTranscript'
>

export function transcripts(connection: Connection, upkeep: Pick<Upkeep, 'schedule'>): Transcripts {
  /** Serialises writes in the order of the calls: a slow, long transcript must not replace a later one. */
  const inOrder = pLimit(1)

  /** One page of the owner's rows that fulfil the condition. */
  async function page(
    { limit, cursor }: PageRequest,
    read: (from: string, ...values: Value[]) => Promise<Uint8Array[]>,
    owner: string,
    condition = '',
    ...values: Value[]
  ): Promise<TranscriptPage> {
    const { createdAt, id } = readCursor(cursor)
    const from = `transcripts WHERE owner = ? AND (created_at, id) < (?, ?) ${condition}
      ORDER BY created_at DESC, id DESC LIMIT ?`
    const rows = await read(from, owner, createdAt, id, ...values, limit + 1)
    const transcripts = rows.slice(0, limit).map(row => fromJson<TranscriptSummary>(row))
    const last = transcripts.at(-1)
    return { transcripts, ...(rows.length > limit && last && { nextCursor: writeCursor(last) }) }
  }

  return {
    putTranscript: (owner, transcript) =>
      inOrder(async () => {
        const { id, createdAt } = transcript
        const summary = JSON.stringify(summaryOf(transcript))
        const { body, title, text } = await serialize(transcript)
        return connection.write(database => {
          const row = insert(database, `UPDATE SET ${replaced}`, owner, id, createdAt, summary, body)
          if (index(database, row!.number, title, text)) upkeep.schedule()
        })
      }),
    async getTranscript(owner, id) {
      const body = await readValue(connection, 'body', 'transcripts WHERE owner = ? AND id = ?', owner, id)
      return body && transcriptFrom(body)
    },
    listTranscripts: (owner, request) =>
      page(
        request,
        (from, ...values) => connection.read(database => bytesOf(database, 'summary', from, ...values)),
        owner,
      ),
    async searchTranscripts(owner, query, request) {
      const expression = matchExpression(query)
      if (expression) {
        const read = (from: string, ...values: Value[]) =>
          connection.readAside(owner, selectBytes('summary', from), ...values)
        // Asks the index once; a join would let SQLite ask it again for each transcript.
        const found = 'AND number IN (SELECT rowid FROM search WHERE search MATCH ?)'
        return page(request, read, owner, found, expression)
      }
      readCursor(request.cursor)
      return { transcripts: [] }
    },
    deleteTranscript: (owner, id) =>
      inOrder(() =>
        connection.writeOnFullDisk(database => {
          const sql = 'DELETE FROM transcripts WHERE owner = ? AND id = ? RETURNING number'
          const [row] = database.prepare(sql).all(owner, id) as { number: number }[]
          if (row) removeFromIndex(database, row.number)
          return row !== undefined
        }),
      ),
  }
}

const replaced = 'created_at = excluded.created_at, summary = excluded.summary, body = excluded.body'

/** Undefined where the owner has a transcript with this id and `onConflict` is `NOTHING`. */
function insert(database: Database.Database, onConflict: string, ...values: Value[]) {
  const sql = `INSERT INTO transcripts (owner, id, created_at, summary, body) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (owner, id) DO ${onConflict} RETURNING number`
  return (database.prepare(sql).all(...values) as { number: number }[])[0]
}

/** How to add a transcript from a damaged file, unless there is one with its id. Throws for a body that is not whole. */
export async function recovered(
  owner: string,
  bytes: Uint8Array,
): Promise<(database: Database.Database) => void> {
  const transcript = await transcriptFrom(bytes)
  const { id, createdAt } = transcript
  const summary = JSON.stringify(summaryOf(transcript))
  const { body, title, text } = await serialize(transcript)
  return database => {
    const row = insert(database, 'NOTHING', owner, id, createdAt, summary, body)
    if (row) index(database, row.number, title, text)
  }
}
