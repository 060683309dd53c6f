// Tables of the SQLite file and their version.
import type Database from 'libsql'
import { SpeechError } from '../../../domain/errors.ts'
import { lockTimeoutMs } from './busy.ts'
import { transaction } from './rows.ts'

/** Stored as `user_version`. The first release starts at 2; a later schema adds a migration step and counts up. */
const schemaVersion = 2
/** Stored as `application_id` where deleted rows were overwritten from the beginning, or all free pages since. */
export const erasingId = 0x73706d31
export const erasingPragma = `PRAGMA application_id = ${erasingId}`

const maxLogPages = 10_000

const schema = `
  CREATE TABLE transcripts (
    number INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    summary TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (owner, id)
  ) STRICT;
  CREATE INDEX transcripts_by_age ON transcripts (owner, created_at DESC, id DESC);
  CREATE TABLE jobs (
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (owner, id)
  ) STRICT;
  CREATE INDEX jobs_unfinished ON jobs (created_at, id) WHERE state IN ('queued', 'running');
  CREATE TABLE checkpoints (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    job TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (owner, key)
  ) STRICT;
  CREATE INDEX checkpoints_by_job ON checkpoints (owner, job);
  CREATE VIRTUAL TABLE search USING fts5 (title, text, content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '1 2 3');
`

/** Several processes share the file: WAL allows reads during a write, and writers wait. */
export function prepare(database: Database.Database): void {
  database.pragma(`busy_timeout = ${lockTimeoutMs}`)
  if (versionOf(database) < schemaVersion) create(database)
  database.pragma('synchronous = NORMAL')
  // Upkeep copies the log into the file much earlier, beside the event loop.
  database.pragma(`wal_autocheckpoint = ${maxLogPages}`)
  // Overwrites deleted rows with zeros.
  database.pragma('secure_delete = ON')
  touch(database)
}

/** Writes nothing to a current file, because the disk may be full, nor to a newer one. */
function versionOf(database: Database.Database): number {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version > schemaVersion)
    throw new SpeechError(
      'STORE_TOO_NEW',
      'The transcript database was written by a newer version of speech-mcp.',
      { hint: 'Update speech-mcp, or set SPEECH_DATA_DIR to another folder.' },
    )
  return version
}

function create(database: Database.Database): void {
  database.exec('PRAGMA journal_mode = WAL')
  transaction(database, () => {
    // Another process may have created the tables in the meantime.
    if (versionOf(database) === schemaVersion) return
    database.exec(schema)
    database.exec(`PRAGMA user_version = ${schemaVersion}`)
    database.exec(erasingPragma)
  })
}

export function isErasing(database: Database.Database): boolean {
  const { application_id: id } = database.prepare('PRAGMA application_id').get() as { application_id: number }
  return id === erasingId
}

/** Copies the log into the file and empties it. Returns false while another connection reads from it. */
export function truncateLog(database: Database.Database): boolean {
  database.pragma('busy_timeout = 0')
  try {
    const [{ busy }] = database.pragma('wal_checkpoint(TRUNCATE)') as [{ busy: number }]
    return busy === 0
  } finally {
    database.pragma(`busy_timeout = ${lockTimeoutMs}`)
  }
}

/**
 * Runs work in a transaction that leaves the bytes of deleted rows in free pages, which need no room in the log then.
 * Marks the file, so that they are overwritten once the disk has room.
 */
export function withoutOverwriting<T>(
  database: Database.Database,
  work: (database: Database.Database) => T,
): T {
  database.pragma('secure_delete = FAST')
  try {
    database.exec('PRAGMA application_id = 0')
    return work(database)
  } finally {
    database.pragma('secure_delete = ON')
  }
}

/** Reads the first page of every table and index, so that damage is found when the file is opened. */
function touch(database: Database.Database): void {
  for (const rows of [
    'transcripts NOT INDEXED',
    'transcripts ORDER BY owner, id',
    'transcripts ORDER BY owner, created_at DESC, id DESC',
    'jobs NOT INDEXED',
    'jobs ORDER BY owner, id',
    "jobs WHERE state IN ('queued', 'running') ORDER BY created_at, id",
    'checkpoints NOT INDEXED',
    'checkpoints ORDER BY owner, key',
    'checkpoints ORDER BY owner, job',
    "search WHERE search MATCH 'a'",
  ])
    database.prepare(`SELECT rowid FROM ${rows} LIMIT 1`).all()
}
