// Jobs in SQLite, with optimistic concurrency: a write names the revision it has read, and fails if that has changed.
import type Database from 'libsql'
import { isSpeechError } from '../../../domain/errors.ts'
import type { Job } from '../../../domain/job.ts'
import { fromRecord, type JobRecord, toRecord } from '../../../domain/job-record.ts'
import type { Store } from '../../../domain/ports.ts'
import { log } from '../../../log.ts'
import type { Connection } from './connection.ts'
import { bytesOf, fromJson } from './rows.ts'

type Jobs = Pick<Store, 'addJob' | 'getJob' | 'ownersOf' | 'replaceJob' | 'unfinishedJobs' | 'deleteJob'>

export function jobs(connection: Connection): Jobs {
  return {
    addJob: job =>
      connection.write(database => {
        const found = find(database, job.owner, job.id)
        if (found) return found
        connection.ensureWritable()
        const { owner, id, state, revision, createdAt, updatedAt } = job
        const sql = `INSERT INTO jobs (owner, id, state, revision, created_at, updated_at, body)
          VALUES (?, ?, ?, ?, ?, ?, ?)`
        database.prepare(sql).run(owner, id, state, revision, createdAt, updatedAt, bodyOf(job))
        return job
      }),
    getJob: (owner, id) => connection.read(database => find(database, owner, id)),
    async ownersOf(id) {
      const rows = (await connection.read(database =>
        database.prepare('SELECT owner FROM jobs WHERE id = ? ORDER BY owner').all(id),
      )) as { owner: string }[]
      return rows.map(({ owner }) => owner)
    },
    replaceJob: job =>
      connection.write(database => {
        const { owner, id, state, revision, updatedAt } = job
        const sql = `UPDATE jobs SET state = ?, revision = ?, updated_at = ?, body = ?
          WHERE owner = ? AND id = ? AND revision = ?`
        const values = [state, revision, updatedAt, bodyOf(job), owner, id, revision - 1]
        const { changes } = database.prepare(sql).run(...values)
        return changes === 1
      }),
    async unfinishedJobs() {
      if (!connection.exists()) return []
      const unfinished = "jobs WHERE state IN ('queued', 'running') ORDER BY created_at, id"
      const rows = await connection.read(database => bytesOf(database, 'body', unfinished))
      return rows.flatMap(parseReadable)
    },
    deleteJob: (owner, id) =>
      connection.writeOnFullDisk(database => {
        database.prepare('DELETE FROM jobs WHERE owner = ? AND id = ?').run(owner, id)
      }),
  }
}

function bodyOf(job: Job): string {
  return JSON.stringify(toRecord(job))
}

function find(database: Database.Database, owner: string, id: string): Job | undefined {
  const [body] = bytesOf(database, 'body', 'jobs WHERE owner = ? AND id = ?', owner, id)
  return body && fromRecord(fromJson<JobRecord>(body))
}

/** Skips a damaged job, so that the others can continue. */
function parseReadable(body: Uint8Array): Job[] {
  try {
    return [fromRecord(fromJson<JobRecord>(body))]
  } catch (error) {
    log.error('job-unreadable', { code: isSpeechError(error) ? error.code : undefined })
    return []
  }
}
