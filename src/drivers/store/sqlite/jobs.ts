// Jobs in SQLite, with optimistic concurrency: a write names the revision it has read, and fails if that has changed.
import type Database from 'libsql'
import { isSpeechError } from '../../../domain/errors.ts'
import type { Job } from '../../../domain/job.ts'
import { fromRecord, type JobRecord, toRecord } from '../../../domain/job-record.ts'
import type { Store } from '../../../domain/ports.ts'
import { log } from '../../../log.ts'
import type { Connection } from './connection.ts'
import { fromJson, transaction } from './rows.ts'

type Jobs = Pick<Store, 'addJob' | 'getJob' | 'ownersOf' | 'replaceJob' | 'unfinishedJobs' | 'deleteJob'>

interface Row {
  body: Uint8Array
}

export function jobs(connection: Connection): Jobs {
  return {
    addJob: job =>
      connection.write(database =>
        transaction(database, () => {
          const found = find(database, job.owner, job.id)
          if (found) return found
          database
            .prepare(
              `INSERT INTO jobs (owner, id, state, revision, created_at, updated_at, body)
               VALUES (?, ?, ?, ?, ?, ?, ?)`,
            )
            .run(
              job.owner,
              job.id,
              job.state,
              job.revision,
              job.createdAt,
              job.updatedAt,
              JSON.stringify(toRecord(job)),
            )
          return job
        }),
      ),
    getJob: (owner, id) => connection.read(database => find(database, owner, id)),
    async ownersOf(id) {
      const rows = (await connection.read(database =>
        database.prepare('SELECT owner FROM jobs WHERE id = ? ORDER BY owner').all(id),
      )) as { owner: string }[]
      return rows.map(({ owner }) => owner)
    },
    replaceJob: job =>
      connection.write(database => {
        const { changes } = database
          .prepare(
            `UPDATE jobs SET state = ?, revision = ?, updated_at = ?, body = ?
             WHERE owner = ? AND id = ? AND revision = ?`,
          )
          .run(
            job.state,
            job.revision,
            job.updatedAt,
            JSON.stringify(toRecord(job)),
            job.owner,
            job.id,
            job.revision - 1,
          )
        return changes === 1
      }),
    async unfinishedJobs() {
      if (!connection.exists()) return []
      const rows = (await connection.read(database =>
        database
          .prepare(
            `SELECT CAST(body AS BLOB) AS body FROM jobs
             WHERE state IN ('queued', 'running') ORDER BY created_at, id`,
          )
          .all(),
      )) as Row[]
      return rows.flatMap(parseReadable)
    },
    deleteJob: (owner, id) =>
      connection.write(database => {
        database.prepare('DELETE FROM jobs WHERE owner = ? AND id = ?').run(owner, id)
      }),
  }
}

function find(database: Database.Database, owner: string, id: string): Job | undefined {
  const row = database
    .prepare('SELECT CAST(body AS BLOB) AS body FROM jobs WHERE owner = ? AND id = ?')
    .get(owner, id) as Row | undefined
  return row && fromRecord(fromJson<JobRecord>(row.body))
}

/** Skips a damaged job, so that the others can continue. */
function parseReadable({ body }: Row): Job[] {
  try {
    return [fromRecord(fromJson<JobRecord>(body))]
  } catch (error) {
    log.error('job-unreadable', { code: isSpeechError(error) ? error.code : undefined })
    return []
  }
}
