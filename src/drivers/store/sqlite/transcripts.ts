// Transcripts in rows: whole, in summary for lists, and indexed for search.
import type { PageRequest, Store, TranscriptPage } from '../../../domain/ports.ts'
import type { Transcript, TranscriptSummary } from '../../../domain/transcript.ts'
import { readCursor, writeCursor } from '../cursors.ts'
import { write } from '../writing.ts'
import type { Connection } from './connection.ts'
import { fromJson, together } from './rows.ts'
import { forget, index, matchExpression } from './search.ts'

type Transcripts = Pick<
  Store,
  'putTranscript' | 'getTranscript' | 'listTranscripts' | 'searchTranscripts' | 'deleteTranscript'
>

export function transcripts(connection: Connection): Transcripts {
  let last: Promise<unknown> = Promise.resolve()

  /** One write after the other, in the order of the calls: a long transcript must not replace what came after it. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }

  /** One page of the rows that the condition, and what it is filled with, lets through. */
  async function page(
    { limit, cursor }: PageRequest,
    source: string,
    ...filling: string[]
  ): Promise<TranscriptPage> {
    const { createdAt, id } = readCursor(cursor)
    const rows = (await connection.read(database =>
      database
        .prepare(
          `SELECT CAST(summary AS BLOB) AS summary FROM ${source}
           AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`,
        )
        .all(...filling, createdAt, id, limit + 1),
    )) as { summary: Uint8Array }[]
    const transcripts = rows.slice(0, limit).map(row => fromJson<TranscriptSummary>(row.summary))
    const last = transcripts.at(-1)
    return { transcripts, ...(rows.length > limit && last && { nextCursor: writeCursor(last) }) }
  }

  return {
    putTranscript: (owner, transcript) =>
      inTurn(async () => {
        const { id, createdAt } = transcript
        const summary = JSON.stringify(summaryOf(transcript))
        const { body, title, text } = await write(transcript)
        return connection.write(database =>
          together(database, () => {
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
      inTurn(() =>
        connection.write(database =>
          together(database, () => {
            const [row] = database
              .prepare('DELETE FROM transcripts WHERE owner = ? AND id = ? RETURNING number')
              .all(owner, id) as { number: number }[]
            if (row) forget(database, row.number)
            return row !== undefined
          }),
        ),
      ),
  }
}

function summaryOf({ id, title, createdAt, status, language, duration }: Transcript): TranscriptSummary {
  return { id, title, createdAt, status, duration, ...(language && { language }) }
}
