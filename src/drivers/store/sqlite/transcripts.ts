// Transcripts in SQLite: the whole body, a summary for lists, and the search index.
import type { PageRequest, Store, TranscriptPage } from '../../../domain/ports.ts'
import type { Transcript, TranscriptSummary } from '../../../domain/transcript.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import { serialize, summaryOf } from '../serialize.ts'
import type { Connection } from './connection.ts'
import { fromJson, transaction } from './rows.ts'
import { index, matchExpression, removeFromIndex } from './search.ts'

type Transcripts = Pick<
  Store,
  'putTranscript' | 'getTranscript' | 'listTranscripts' | 'searchTranscripts' | 'deleteTranscript'
>

export function transcripts(connection: Connection): Transcripts {
  let lastWrite: Promise<unknown> = Promise.resolve()

  /** Serialises writes in the order of the calls: a slow, long transcript must not replace a later one. */
  function inOrder<T>(work: () => Promise<T>): Promise<T> {
    const write = lastWrite.then(work)
    lastWrite = write.catch(() => undefined)
    return write
  }

  /** One page of the rows of a FROM and WHERE clause with these parameters. */
  async function page(
    { limit, cursor }: PageRequest,
    source: string,
    ...parameters: string[]
  ): Promise<TranscriptPage> {
    const { createdAt, id } = readCursor(cursor)
    const rows = (await connection.read(database =>
      database
        .prepare(
          `SELECT CAST(summary AS BLOB) AS summary FROM ${source}
           AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`,
        )
        .all(...parameters, createdAt, id, limit + 1),
    )) as { summary: Uint8Array }[]
    const transcripts = rows.slice(0, limit).map(row => fromJson<TranscriptSummary>(row.summary))
    const last = transcripts.at(-1)
    return { transcripts, ...(rows.length > limit && last && { nextCursor: writeCursor(last) }) }
  }

  return {
    putTranscript: (owner, transcript) =>
      inOrder(async () => {
        const { id, createdAt } = transcript
        const summary = JSON.stringify(summaryOf(transcript))
        const { body, title, text } = await serialize(transcript)
        return connection.write(database =>
          transaction(database, () => {
            const [row] = database
              .prepare(
                `INSERT INTO transcripts (owner, id, created_at, summary, body) VALUES (?, ?, ?, ?, ?)
                 ON CONFLICT (owner, id) DO UPDATE SET
                   created_at = excluded.created_at, summary = excluded.summary, body = excluded.body
                 RETURNING number`,
              )
              .all(owner, id, createdAt, summary, body) as { number: number }[]
            index(database, row!.number, title, text)
          }),
        )
      }),
    getTranscript: (owner, id) =>
      connection.read(database => {
        const row = database
          .prepare('SELECT CAST(body AS BLOB) AS body FROM transcripts WHERE owner = ? AND id = ?')
          .get(owner, id) as { body: Uint8Array } | undefined
        return row && fromJson<Transcript>(row.body)
      }),
    listTranscripts: (owner, request) => page(request, 'transcripts WHERE owner = ?', owner),
    async searchTranscripts(owner, query, request) {
      const expression = matchExpression(query)
      if (expression) {
        const found = 'search JOIN transcripts ON number = search.rowid WHERE search MATCH ? AND owner = ?'
        return page(request, found, expression, owner)
      }
      readCursor(request.cursor)
      return { transcripts: [] }
    },
    deleteTranscript: (owner, id) =>
      inOrder(() =>
        connection.write(database =>
          transaction(database, () => {
            const [row] = database
              .prepare('DELETE FROM transcripts WHERE owner = ? AND id = ? RETURNING number')
              .all(owner, id) as { number: number }[]
            if (row) removeFromIndex(database, row.number)
            return row !== undefined
          }),
        ),
      ),
  }
}
