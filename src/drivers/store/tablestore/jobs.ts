// Jobs in Tablestore, with conditional writes, and an index of those that are queued or running.
import { randomBytes } from 'node:crypto'
import { isSpeechError } from '../../../domain/errors.ts'
import { isOver, type Job } from '../../../domain/job.ts'
import { fromRecord, type JobRecord, toRecord } from '../../../domain/job-record.ts'
import type { Store } from '../../../domain/ports.ts'
import { log } from '../../../log.ts'
import { allRows, bytesIn, type Columns, numberIn, parsed, type Rows, textIn } from './rows.ts'
import { shardOf, shards } from './tables.ts'

type Jobs = Pick<Store, 'addJob' | 'getJob' | 'ownersOf' | 'replaceJob' | 'unfinishedJobs' | 'deleteJob'>

/** An index entry without a job belongs to a job that is being added, or to a crashed writer if it is older than this. */
const maxPendingMs = 3_600_000
const maxUnfinishedPerShard = 100_000
const maxOwners = 1_000

export function jobs(rows: Rows): Jobs {
  const entryKeyOf = ({ id, owner, createdAt }: Pick<Job, 'id' | 'owner' | 'createdAt'>) => ({
    shard: shardOf(id),
    created: createdAt,
    id,
    owner,
  })

  /** Written before the job, deleted after its end. `mark` is the revision that the entry was written for. */
  async function addEntry(job: Job): Promise<void> {
    await rows.put('unfinished', entryKeyOf(job), { mark: job.revision, noted: Date.now() })
  }

  /** Keeps an entry that was written for a later revision. Leaves one that fails to the next `unfinishedJobs`. */
  async function deleteEntry(of: Parameters<typeof entryKeyOf>[0], revision: number): Promise<void> {
    const condition = { column: 'mark', value: revision, atMost: true, orAbsent: true } as const
    await rows
      .delete('unfinished', entryKeyOf(of), condition)
      .catch(error => log.warn('note-not-removed', { code: isSpeechError(error) ? error.code : 'INTERNAL' }))
  }

  async function find(owner: string, id: string): Promise<{ job: Job; write: string } | undefined> {
    const row = await rows.get('jobs', { id, owner })
    return row && { job: fromRecord(parsed<JobRecord>(bytesIn(row, 'body'))), write: textIn(row, 'write') }
  }

  /** `write` distinguishes our own write from another one of the same revision, after a lost response. */
  const columnsFor = (job: Job) => ({
    body: Buffer.from(JSON.stringify(toRecord(job))),
    revision: job.revision,
    write: randomBytes(12).toString('hex'),
  })

  return {
    async addJob(job) {
      const { owner, id } = job
      for (;;) {
        const existing = await find(owner, id)
        if (existing) return existing.job
        if (!isOver(job.state)) await addEntry(job)
        const columns = columnsFor(job)
        if (await rows.put('jobs', { id, owner }, columns, 'absent')) return job
        // Another writer was first, or the response to our own first attempt was lost.
        const now = await find(owner, id)
        if (!now) continue
        if (now.write === columns.write) return job
        if (now.job.createdAt !== job.createdAt) await deleteEntry(job, job.revision)
        return now.job
      }
    },
    getJob: async (owner, id) => (await find(owner, id))?.job,
    async ownersOf(id) {
      const range = rows.range('jobs', { within: { id }, columns: ['revision'] }, maxOwners)
      return (await allRows(range)).map(row => textIn(row, 'owner'))
    },
    async replaceJob(job) {
      const { owner, id, revision, state } = job
      // A running job has had its entry since it was queued.
      if (state === 'queued') await addEntry(job)
      const columns = columnsFor(job)
      const condition = { column: 'revision', value: revision - 1 }
      const isReplaced =
        (await rows.put('jobs', { id, owner }, columns, condition)) ||
        (await find(owner, id))?.write === columns.write
      if (isReplaced && isOver(state)) await deleteEntry(job, revision)
      return isReplaced
    },
    async unfinishedJobs() {
      const readShard = (shard: string) =>
        allRows(rows.range('unfinished', { within: { shard } }, maxUnfinishedPerShard))
      const entries = (await Promise.all(shards.map(readShard))).flat()
      const keys = entries.map(entry => ({ id: textIn(entry, 'id'), owner: textIn(entry, 'owner') }))
      const found = (await rows.getMany('jobs', keys, ['body'])).map(row => row && parseReadable(row))
      const deleteStale = async (entry: Columns, i: number) => {
        if (!isStale(entry, found[i])) return
        const revision = found[i]?.revision ?? numberIn(entry, 'mark')
        await deleteEntry({ ...keys[i]!, createdAt: textIn(entry, 'created') }, revision)
      }
      await Promise.all(entries.map(deleteStale))
      return found
        .flatMap(job => (job && !isOver(job.state) ? [job] : []))
        .sort((a, b) => compare(a.createdAt, b.createdAt) || compare(a.id, b.id))
    },
    async deleteJob(owner, id) {
      const found = await find(owner, id)
      if (!found) return
      await rows.delete('jobs', { id, owner })
      await rows.delete('unfinished', entryKeyOf(found.job))
    },
  }
}

/** True for the entry of a finished job, of one that was never added, or of one that was deleted and submitted again. */
function isStale(entry: Columns, job: Job | undefined): boolean {
  const isOld = numberIn(entry, 'noted') < Date.now() - maxPendingMs
  if (!job) return isOld
  return job.createdAt === entry.created
    ? isOver(job.state) && numberIn(entry, 'mark') <= job.revision
    : isOld
}

/** Skips a damaged job, so that the others can continue. */
function parseReadable(row: Columns): Job | undefined {
  try {
    return fromRecord(parsed<JobRecord>(bytesIn(row, 'body')))
  } catch (error) {
    log.error('job-unreadable', { code: isSpeechError(error) ? error.code : undefined })
    return undefined
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
