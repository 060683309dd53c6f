// Cleanup: what is deleted when a job is over, and what the sweep leaves alone.
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Job } from '../../../../src/domain/job.ts'
import type { ObjectStorage, StoredUpload } from '../../../../src/domain/ports.ts'
import { uploadCheckpointKey } from '../../../../src/pipeline/file-tasks/upload.ts'
import {
  createLatch,
  createWorkspace,
  type Harness,
  owner,
  type Workspace,
} from '../../../support/jobs/harness.ts'
import { transcript } from '../../../support/transcripts.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace()
})
afterEach(() => workspace.close())

const eventually = { timeout: 60_000, interval: 20 }
const noConcurrency = { short: 0, long: 0, remote: 0 }
const day = 24 * 3600 * 1000

/** A job whose worker has died, with what it had written by then. */
async function orphanedJob(harness: Harness, facts: Partial<Job> = {}) {
  const { job } = await harness.submit()
  const lease = { worker: 'dead', until: 1 }
  await harness.store.replaceJob({ ...job, state: 'running', lease, ...facts, revision: job.revision + 1 })
  await harness.store.putTranscript(owner, transcript({ id: job.id, status: 'running' }))
  return job.id
}

/** A bucket that remembers what was taken away. */
function bucket(more: Partial<ObjectStorage> = {}) {
  const removed: unknown[] = []
  const blobs: Partial<ObjectStorage> = {
    way: 'bucket',
    delete: async upload => void removed.push(upload),
    ...more,
  }
  return { blobs, removed }
}

const upload = { way: 'bucket' as const, keys: { who: 'a.mp3', what: 'a.mp3' } }
const kept = { upload, duration: 5, speech: [], warnings: [] }

describe('removing a transcript', () => {
  it('removing a transcript deletes scratch files of its job that could not be deleted when it ended', async () => {
    const harness = await workspace.open({ workerId: 'machine/1/1/worker' })
    const { job } = await harness.transcribe()
    const scratch = join(workspace.folder, 'scratch')
    for (const id of [job.id, 'tr_other'])
      await mkdir(join(scratch, `${id}.machine_1_1_worker`), { recursive: true })
    await harness.jobs.remove(owner, job.id)
    expect(await readdir(scratch)).toEqual(['tr_other.machine_1_1_worker'])
  })

  it('removing a transcript deletes its upload, and succeeds even if the bucket fails', async () => {
    const { blobs, removed } = bucket()
    const harness = await workspace.open({ blobs })
    const { job } = await harness.transcribe()
    await harness.store.putCheckpoint(owner, uploadCheckpointKey(job.id), kept, job.id)
    await harness.jobs.remove(owner, job.id)
    expect(removed).toEqual([upload])
    expect(await harness.stored(job.id)).toEqual({ job: undefined, transcript: undefined })

    const broken = await workspace.open({
      blobs: { way: 'bucket', delete: () => Promise.reject(new Error('detached')) },
    })
    await broken.store.putTranscript(owner, transcript({ id: 'tr_x' }))
    await broken.store.putCheckpoint(owner, uploadCheckpointKey('tr_x'), kept, 'tr_x')
    await broken.jobs.remove(owner, 'tr_x')
    await expect(broken.jobs.read(owner, 'tr_x')).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
  })
})

describe('the sweep of the bucket', () => {
  it('the sweep keeps uploads of unfinished jobs and young uploads of other installations only', async () => {
    let verdicts: Promise<boolean[]> | undefined
    const wanted = createLatch()
    let lefts: StoredUpload[] = []
    const { blobs } = bucket({
      async sweep(isWanted) {
        verdicts = Promise.all(lefts.map(isWanted))
        wanted.open()
        return 0
      },
    })
    const other = await workspace.open()
    const { job: over } = await other.transcribe({ context: 'done' })
    const waiting = await workspace.open({ concurrency: noConcurrency, blobs })
    const { job: unfinished } = await waiting.submit({ context: 'not done' })
    const storedAt = Date.now()
    lefts = [
      { owner, job: unfinished.id, storedAt, isOwn: true },
      { owner, job: over.id, storedAt, isOwn: true },
      { owner: 'bob', job: unfinished.id, storedAt, isOwn: true },
      { owner: 'bob', job: unfinished.id, storedAt: storedAt - 2 * day, isOwn: true },
      { owner, job: over.id, storedAt, isOwn: false },
      { owner, job: unfinished.id, storedAt: storedAt - 2 * day, isOwn: false },
    ]
    waiting.jobs.startRecovery()
    await wanted.opened
    expect(await verdicts).toEqual([true, false, true, false, true, false])
  })

  it.each([
    ['fails', () => Promise.reject(new Error('no such bucket'))],
    ['never ends', () => new Promise<number>(() => {})],
  ])('a sweep that %s does not block jobs', async (_, behave) => {
    const sweep = vi.fn(behave)
    const harness = await workspace.open(bucket({ sweep }))
    harness.jobs.startRecovery()
    await vi.waitFor(() => expect(sweep).toHaveBeenCalledOnce(), eventually)
    expect((await harness.transcribe()).job.state).toBe('completed')
  })

  it('the sweep leaves temporary storage of the provider alone', async () => {
    const sweep = vi.fn(async () => 0)
    const harness = await workspace.open({ blobs: { way: 'temporary', sweep } })
    const dead = await orphanedJob(await workspace.open({ concurrency: noConcurrency }))
    harness.jobs.startRecovery()
    // The rest is taken over in the same look.
    await vi.waitFor(
      async () => expect((await harness.stored(dead)).job?.state).toBe('completed'),
      eventually,
    )
    expect(sweep).not.toHaveBeenCalled()
  })
})
