// A large library in the embedded store.
import { join } from 'node:path'
import Sqlite from 'libsql'
import { toRecord } from '../../src/domain/job-record.ts'
import { serialize, summaryOf } from '../../src/drivers/store/serialize.ts'
import { sqliteStore } from '../../src/drivers/store/sqlite/sqlite.ts'
import { jobOf, transcriptOf } from './transcripts.ts'

const sentences = 40

/** Fills the store in this folder. Through the store each transcript would be a transaction of its own. */
export async function fillSqlite(folder: string, count: number, owner = 'local'): Promise<void> {
  const store = sqliteStore({ folder })
  await store.listTranscripts(owner, { limit: 1 })
  await store.close()
  const database = new Sqlite(join(folder, 'speech.db'))
  const put = database.prepare(
    'INSERT INTO transcripts (owner, id, created_at, summary, body) VALUES (?, ?, ?, ?, ?)',
  )
  const index = database.prepare('INSERT INTO search (rowid, title, text) VALUES (?, ?, ?)')
  const add = database.prepare(
    'INSERT INTO jobs (owner, id, state, revision, created_at, updated_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  database.exec('BEGIN')
  for (let n = 1; n <= count; n++) {
    const transcript = transcriptOf(n, sentences)
    const job = jobOf(n, owner)
    const { body, title, text } = await serialize(transcript)
    const { id, createdAt } = transcript
    put.run(owner, id, createdAt, JSON.stringify(summaryOf(transcript)), body)
    index.run(n, title, text)
    add.run(owner, id, job.state, job.revision, createdAt, createdAt, JSON.stringify(toRecord(job)))
  }
  database.exec('COMMIT')
  database.close()
}
