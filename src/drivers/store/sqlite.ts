// The embedded store: transcripts in one SQLite file, through libsql.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type Database from 'libsql'
import { isDiskFull, isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { Store } from '../../domain/ports.ts'
import type { Transcript, TranscriptSummary } from '../../domain/transcript.ts'

/** Each step takes the file from one version to the next; `user_version` counts those that were taken. */
const migrations = [
  `CREATE TABLE transcripts (
     id TEXT PRIMARY KEY,
     created_at TEXT NOT NULL,
     summary TEXT NOT NULL,
     body TEXT NOT NULL
   ) STRICT;
   CREATE INDEX transcripts_by_age ON transcripts (created_at DESC, id DESC);`,
]

export interface SqliteOptions {
  /** Folder of the file; made when it is missing, for its owner alone. */
  folder: string
}

/** The file is opened with the first call, so that a start that only lists tools does not wait for it. */
export function sqliteStore({ folder }: SqliteOptions): Store {
  let opened: Promise<Database.Database> | undefined

  function open(): Promise<Database.Database> {
    opened ??= import('libsql')
      .then(({ default: Sqlite }) => {
        mkdirSync(folder, { recursive: true, mode: 0o700 })
        const database = new Sqlite(join(folder, 'speech.db'))
        try {
          prepare(database)
        } catch (error) {
          database.close()
          throw error
        }
        return database
      })
      .catch(error => {
        // A failed start is tried again: the disk may have room by then.
        opened = undefined
        throw error
      })
    return opened
  }

  async function use<T>(work: (database: Database.Database) => T): Promise<T> {
    try {
      return work(await open())
    } catch (error) {
      throw storeError(error)
    }
  }

  return {
    putTranscript: transcript =>
      use(database => {
        database
          .prepare(
            `INSERT INTO transcripts (id, created_at, summary, body) VALUES (?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at, summary = excluded.summary, body = excluded.body`,
          )
          .run(
            transcript.id,
            transcript.createdAt,
            JSON.stringify(summaryOf(transcript)),
            JSON.stringify(transcript),
          )
      }),
    getTranscript: id =>
      use(database => {
        const row = database
          .prepare('SELECT CAST(body AS BLOB) AS body FROM transcripts WHERE id = ?')
          .get(id) as { body: Uint8Array } | undefined
        return row && read<Transcript>(row.body)
      }),
    listTranscripts: ({ limit, cursor }) =>
      use(database => {
        const [createdAt, id] = cursor === undefined ? ['~', ''] : readCursor(cursor)
        const rows = database
          .prepare(
            `SELECT CAST(summary AS BLOB) AS summary FROM transcripts
             WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`,
          )
          .all(createdAt, id, limit + 1) as { summary: Uint8Array }[]
        const transcripts = rows.slice(0, limit).map(row => read<TranscriptSummary>(row.summary))
        const last = transcripts.at(-1)
        return {
          transcripts,
          ...(rows.length > limit && last && { nextCursor: writeCursor(last.createdAt, last.id) }),
        }
      }),
    async close() {
      const database = await opened?.catch(() => undefined)
      database?.close()
      opened = undefined
    },
  }
}

/** Two processes may share the file: WAL lets one read while the other writes, the timeout lets them take turns. */
function prepare(database: Database.Database): void {
  database.pragma('busy_timeout = 5000')
  if (versionOf(database) < migrations.length) migrate(database)
  database.pragma('synchronous = NORMAL')
}

/** Nothing is written to a file that is up to date (the disk may be full) or of a newer version. */
function versionOf(database: Database.Database): number {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version > migrations.length)
    throw new SpeechError('STORE_TOO_NEW', 'The transcripts were written by a newer speech-mcp.', {
      hint: 'Update speech-mcp, or set SPEECH_DATA_DIR to another folder.',
    })
  return version
}

function migrate(database: Database.Database): void {
  database.pragma('journal_mode = WAL')
  database.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have taken the steps since.
    for (const migration of migrations.slice(versionOf(database))) database.exec(migration)
    database.exec(`PRAGMA user_version = ${migrations.length}`)
    database.exec('COMMIT')
  } catch (error) {
    // A full disk has ended the transaction already.
    if (database.inTransaction) database.exec('ROLLBACK')
    throw error
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Rows are read as bytes: at text that is not UTF-8, which a damaged file holds, libsql ends the whole process. */
function read<T>(bytes: Uint8Array): T {
  try {
    return JSON.parse(utf8.decode(bytes)) as T
  } catch (error) {
    throw damaged(error)
  }
}

function summaryOf({ id, title, createdAt, status, language, duration }: Transcript): TranscriptSummary {
  return { id, title, createdAt, status, duration, ...(language && { language }) }
}

function writeCursor(createdAt: string, id: string): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url')
}

function readCursor(cursor: string): [string, string] {
  try {
    const [createdAt, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (typeof createdAt === 'string' && typeof id === 'string') return [createdAt, id]
  } catch {}
  throw new SpeechError('BAD_INPUT', 'The cursor is not one that a list gave.', {
    hint: 'Start again without a cursor.',
  })
}

function storeError(error: unknown): SpeechError {
  if (isSpeechError(error)) return error
  const code = String((error as { code?: unknown } | null)?.code ?? '')
  // A full disk is SQLITE_FULL only to a write of the file itself; quotas, and the file beside it, are I/O errors.
  if (isDiskFull(error) || code === 'SQLITE_IOERR_WRITE' || code === 'SQLITE_IOERR_SHMSIZE')
    return new SpeechError('DISK_FULL', 'The disk takes no more; it is most likely full.', {
      hint: 'Free some space, or set SPEECH_DATA_DIR to a folder on another disk.',
      cause: error,
    })
  if (/CORRUPT|NOTADB/.test(code)) return damaged(error)
  return new SpeechError(
    'STORE_FAILED',
    `The store of transcripts could not be used${code && ` (${code})`}.`,
    {
      hint: 'Check that the data folder can be written; `speech-mcp doctor` names it.',
      cause: error,
    },
  )
}

function damaged(cause: unknown): SpeechError {
  return new SpeechError('STORE_DAMAGED', 'The file of transcripts (speech.db) is damaged.', {
    hint: 'Move it and the speech.db-wal beside it out of the data folder to keep them for repair, then call again; `speech-mcp doctor` names the folder.',
    cause,
  })
}
