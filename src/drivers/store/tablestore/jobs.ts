// Jobs in Tablestore: each write under the condition that nobody came between, and a note of those that are not over.
import { randomBytes } from 'node:crypto'
import { isSpeechError } from '../../../domain/errors.ts'
import { isOver, type Job } from '../../../domain/job.ts'
import type { Store } from '../../../domain/ports.ts'
import { log } from '../../../log.ts'
import { allOf, bytesIn, type Facts, numberIn, parsed, type Rows, textIn } from './rows.ts'
import { shardOf, shards } from './tables.ts'

type Jobs = Pick<Store, 'addJob' | 'getJob' | 'ownersOf' | 'replaceJob' | 'unfinishedJobs' | 'deleteJob'>

/** A note without a job is of one that is just being added, or of one whose writer died: nobody is adding it after so long. */
const oldestNote = 3_600_000
const mostUnfinished = 100_000
const mostOwners = 1_000

export function jobs(rows: Rows): Jobs {
  const noteOf = ({ id, owner, createdAt }: Job) => ({ shard: shardOf(id), created: createdAt, id, owner })

  /** `mark` says up to which revision the note is of any use. It is there before the job is, and gone after. */
  async function note(job: Job): Promise<void> {
    await rows.put('unfinished', noteOf(job), { mark: job.revision, noted: Date.now() })
  }

  /** One that was noted anew meanwhile, for a later revision, stays. */
  async function unnote(job: Job): Promise<void> {
    await rows.remove('unfinished', noteOf(job), { column: 'mark', most: job.revision })
  }

  async function find(owner: string, id: string): Promise<{ job: Job; write: string } | undefined> {
    const row = await rows.get('jobs', { id, owner })
    return row && { job: parsed<Job>(bytesIn(row, 'body')), write: textIn(row, 'write') }
  }

  /** What the row of a job holds; `write` tells our own writing from another of the same revision. */
  function rowOf(job: Job) {
    const write = randomBytes(12).toString('hex')
    return { write, facts: { body: Buffer.from(JSON.stringify(job)), revision: job.revision, write } }
  }

  return {
    async addJob(job) {
      const { owner, id } = job
      for (;;) {
        const found = await find(owner, id)
        if (found) return found.job
        if (!isOver(job.state)) await note(job)
        const { write, facts } = rowOf(job)
        if (await rows.put('jobs', { id, owner }, facts, { row: 'absent' })) return job
        // Somebody else was first; or we were, and the answer was lost.
        const now = await find(owner, id)
        if (now) return now.write === write ? job : now.job
      }
    },
    getJob: async (owner, id) => (await find(owner, id))?.job,
    async ownersOf(id) {
      const found = await allOf(
        rows.range('jobs', { from: { id }, to: { id }, columns: ['revision'] }, mostOwners),
      )
      return found.map(row => textIn(row, 'owner'))
    },
    async replaceJob(job) {
      const { owner, id, revision, state } = job
      // A renewal of what runs needs no note: there is one since it was queued.
      if (state === 'queued') await note(job)
      const { write, facts } = rowOf(job)
      const expect = { column: 'revision', is: revision - 1 }
      const isDone =
        (await rows.put('jobs', { id, owner }, facts, expect)) || (await find(owner, id))?.write === write
      if (isDone && isOver(state)) await unnote(job).catch(unnoted)
      return isDone
    },
    async unfinishedJobs() {
      const notes = (
        await Promise.all(
          shards.map(shard =>
            allOf(rows.range('unfinished', { from: { shard }, to: { shard } }, mostUnfinished)),
          ),
        )
      ).flat()
      const keys = notes.map(note => ({ id: textIn(note, 'id'), owner: textIn(note, 'owner') }))
      const found = (await rows.getMany('jobs', keys, ['body'])).map(row => row && readable(row))
      await Promise.all(
        notes.map((note, i) => (isStale(note, found[i]) ? forget(note, found[i]) : undefined)),
      )
      return found
        .flatMap(job => (job && !isOver(job.state) ? [job] : []))
        .sort((a, b) => compare(a.createdAt, b.createdAt) || compare(a.id, b.id))
    },
    async deleteJob(owner, id) {
      const found = await find(owner, id)
      if (!found) return
      await rows.remove('jobs', { id, owner })
      await rows.remove('unfinished', noteOf(found.job))
    },
  }

  async function forget(note: Facts, job: Job | undefined): Promise<void> {
    const { shard, created, id, owner } = note as Record<string, string>
    const key = { shard: shard!, created: created!, id: id!, owner: owner! }
    const most = job?.revision ?? numberIn(note, 'mark')
    await rows.remove('unfinished', key, { column: 'mark', most }).catch(unnoted)
  }
}

/** A note of what is over, of what nobody has added, or of a job that was removed and ordered again. */
function isStale(note: Facts, job: Job | undefined): boolean {
  const isOld = numberIn(note, 'noted') < Date.now() - oldestNote
  if (!job) return isOld
  return job.createdAt === note.created ? isOver(job.state) && numberIn(note, 'mark') <= job.revision : isOld
}

/** Whoever looks at the notes next takes it away. */
function unnoted(error: unknown): void {
  log.warn('note-not-removed', { code: isSpeechError(error) ? error.code : 'INTERNAL' })
}

/** A job that cannot be read must not keep the others from going on. */
function readable(row: Facts): Job | undefined {
  try {
    return parsed<Job>(bytesIn(row, 'body'))
  } catch (error) {
    log.error('job-unreadable', { code: isSpeechError(error) ? error.code : undefined })
    return undefined
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
