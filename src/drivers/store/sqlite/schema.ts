// The tables of the file, and the way from each of its versions to the next.
import type Database from 'libsql'
import { SpeechError } from '../../../domain/errors.ts'
import type { Transcript } from '../../../domain/transcript.ts'
import { terms } from '../terms.ts'
import { fromJson, together } from './rows.ts'
import { index } from './search.ts'

/** Each step takes the file from one version to the next; `user_version` counts those that were taken. */
const migrations: ((database: Database.Database) => void)[] = [
  database =>
    database.exec(
      `CREATE TABLE transcripts (
         id TEXT PRIMARY KEY,
         created_at TEXT NOT NULL,
         summary TEXT NOT NULL,
         body TEXT NOT NULL
       ) STRICT;
       CREATE INDEX transcripts_by_age ON transcripts (created_at DESC, id DESC);`,
    ),
  database => {
    database.exec(
      `ALTER TABLE transcripts RENAME TO transcripts_without_owner;
       CREATE TABLE transcripts (
         number INTEGER PRIMARY KEY,
         owner TEXT NOT NULL,
         id TEXT NOT NULL,
         created_at TEXT NOT NULL,
         summary TEXT NOT NULL,
         body TEXT NOT NULL,
         UNIQUE (owner, id)
       ) STRICT;
       INSERT INTO transcripts (owner, id, created_at, summary, body)
         SELECT 'local', id, created_at, summary, body FROM transcripts_without_owner ORDER BY created_at, id;
       DROP TABLE transcripts_without_owner;
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
       CREATE VIRTUAL TABLE search USING fts5 (title, text, content = '', contentless_delete = 1, tokenize = 'ascii');`,
    )
    indexAll(database)
  },
]

/** Two processes may share the file: WAL lets one read while the other writes, the timeout lets them take turns. */
export function prepare(database: Database.Database): void {
  database.pragma('busy_timeout = 5000')
  if (versionOf(database) < migrations.length) migrate(database)
  database.pragma('synchronous = NORMAL')
  touch(database)
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
  together(database, () => {
    // Another process may have taken the steps since.
    for (const migration of migrations.slice(versionOf(database))) migration(database)
    database.exec(`PRAGMA user_version = ${migrations.length}`)
  })
}

function indexAll(database: Database.Database): void {
  const rows = database.prepare('SELECT number FROM transcripts').all() as { number: number }[]
  const one = database.prepare('SELECT CAST(body AS BLOB) AS body FROM transcripts WHERE number = ?')
  for (const { number } of rows) {
    const { body } = one.get(number) as { body: Uint8Array }
    try {
      const { title, segments } = fromJson<Transcript>(body)
      index(database, number, terms(title), terms(segments.map(({ text }) => text).join(' ')))
    } catch (error) {
      // One transcript that cannot be read keeps nobody from the others.
      if ((error as { code?: unknown }).code !== 'STORE_DAMAGED') throw error
    }
  }
}

/** Reads the first page of every table and index, so that a file that lost them is found damaged when it is opened. */
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
