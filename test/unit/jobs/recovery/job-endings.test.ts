// Endings of jobs: cancelled, submitted again, abandoned, removed, changed while they run.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Job } from '../../../../src/domain/job.ts'
import type { ObjectStorage } from '../../../../src/domain/ports.ts'
import { uploadCheckpointKey } from '../../../../src/pipeline/file-tasks/upload.ts'
import {
  createLatch,
  createWorkspace,
  type Harness,
  owner,
  spokenWav,
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

async function listed({ jobs }: Harness, id: string) {
  const { transcripts } = await jobs.list(owner, { limit: 10 })
  return transcripts.find(one => one.id === id)?.status
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

describe('a request during a cancellation', () => {
  it('a request during the cancellation of its job starts the job again', async () => {
    const { open, opened } = createLatch()
    const harness = await workspace.open({ recognise: () => opened })
    const first = await harness.submit()
    for (let i = 0; i < 5; i++) {
      await vi.waitFor(
        () => expect(harness.jobs.read(owner, first.job.id)).resolves.toBeDefined(),
        eventually,
      )
      const cancelling = harness.jobs.cancel(owner, first.job.id)
      // A request that comes before the cancellation is written is cancelled, too.
      await vi.waitFor(
        async () => expect((await harness.stored(first.job.id)).job?.state).toBe('cancelled'),
        { ...eventually, interval: 1 },
      )
      const again = harness.submit()
      await cancelling
      expect((await again).job.id).toBe(first.job.id)
    }
    open()
    expect((await harness.waitForEnd(first.job.id)).state).toBe('completed')
  })

  it('a request of a cancelled job elsewhere waits for its own end, not for the earlier one', async () => {
    const { open: write, opened: mayWrite } = createLatch()
    const { open: unwind, opened: unwinding } = createLatch()
    const harness = await workspace.open({
      recognise: n =>
        n < 2 ? Promise.resolve() : n < workspace.chunks ? new Promise(() => {}) : Promise.resolve(),
      store: store => ({
        ...store,
        async putTranscript(owner, made) {
          if (made.status === 'cancelled') {
            unwind()
            await mayWrite
          }
          return store.putTranscript(owner, made)
        },
      }),
    })
    const { job } = await harness.submit()
    await vi.waitFor(async () => {
      expect((await harness.jobs.read(owner, job.id)).coverage.transcribedSeconds).toBeGreaterThan(0)
    }, eventually)
    // The request without an answer is one of this attempt.
    await vi.waitFor(() => expect(harness.requests).toHaveLength(workspace.chunks), eventually)
    const other = await workspace.open({ concurrency: noConcurrency })
    await other.jobs.cancel(owner, job.id)
    await unwinding
    await harness.submit()
    const over = harness.waitForEnd(job.id)
    write()
    expect((await over).state).toBe('completed')
  })

  it('a job that was submitted again survives the disconnect of an earlier caller', async () => {
    const { open, opened } = createLatch()
    const harness = await workspace.open({ recognise: () => opened })
    const { job } = await harness.submit()
    const leaving = new AbortController()
    const left = harness.jobs.watch(job.id, { owner, signal: leaving.signal })
    left.catch(() => {})
    await vi.waitFor(() => expect(harness.requests).toHaveLength(workspace.chunks), eventually)
    await harness.submit()
    leaving.abort()
    await expect(left).rejects.toThrow()
    const waiting = harness.waitForEnd(job.id)
    open()
    expect((await waiting).state).toBe('completed')
    expect(harness.requests).toHaveLength(workspace.chunks)
  })
})

describe('a detached caller', () => {
  it('a detached caller of an earlier attempt does not keep the next attempt going', async () => {
    const { open: refuse, opened: refused } = createLatch()
    const harness = await workspace.open({
      async recognise(n) {
        await (n < workspace.chunks ? refused : new Promise(() => {}))
        throw new SpeechError('KEY_REFUSED', 'No.', { hint: 'Ask.', scope: 'account' })
      },
    })
    const { job } = await harness.submit()
    await vi.waitFor(() => expect(harness.requests).toHaveLength(workspace.chunks), eventually)
    // A caller has the beginning, and may come back for the rest.
    const { signal } = new AbortController()
    expect((await harness.jobs.watch(job.id, { owner, signal, seconds: 0 })).state).toBe('running')
    refuse()
    await vi.waitFor(async () => expect((await harness.stored(job.id)).job?.state).toBe('failed'), eventually)
    const leaving = new AbortController()
    await harness.submit()
    const left = harness.jobs.watch(job.id, { owner, signal: leaving.signal })
    left.catch(() => {})
    await vi.waitFor(() => expect(harness.requests.length).toBeGreaterThan(workspace.chunks), eventually)
    leaving.abort()
    await expect(left).rejects.toThrow()
    expect((await harness.stored(job.id)).job?.state).toBe('cancelled')
  })
})

describe('cancelling', () => {
  it('a cancelled job drops the data: URI of its recording', async () => {
    const harness = await workspace.open({ concurrency: noConcurrency })
    const audio = `data:audio/wav;base64,${spokenWav(0).toString('base64')}`
    const { job } = await harness.submit({ audio })
    await harness.jobs.cancel(owner, job.id)
    expect((await harness.stored(job.id)).job).toMatchObject({
      state: 'cancelled',
      request: { audio: 'data:' },
    })
    expect((await harness.submit({ audio })).job).toMatchObject({ id: job.id, request: { audio } })
  })

  it('cancelling a job of a dead worker fixes its status and deletes its upload', async () => {
    const { blobs, removed } = bucket()
    const harness = await workspace.open({ concurrency: noConcurrency, blobs })
    const id = await orphanedJob(harness)
    await harness.store.putCheckpoint(owner, uploadCheckpointKey(id), kept, id)
    expect(await listed(harness, id)).toBe('running')
    expect(await harness.jobs.cancel(owner, id)).toMatchObject({ state: 'cancelled' })
    expect(await listed(harness, id)).toBe('cancelled')
    expect(removed).toEqual([upload])
    expect(await harness.store.getCheckpoint(owner, uploadCheckpointKey(id))).not.toHaveProperty('upload')
  })

  it('cancelling leaves a job that is over as it was, and does not find unknown or foreign ids', async () => {
    const harness = await workspace.open()
    const { job } = await harness.transcribe()
    expect(await harness.jobs.cancel(owner, job.id)).toMatchObject({ id: job.id, state: 'completed' })
    const notFound = { code: 'TRANSCRIPT_NOT_FOUND' }
    await expect(harness.jobs.cancel(owner, 'tr_none')).rejects.toMatchObject(notFound)
    await expect(harness.jobs.cancel('bob', job.id)).rejects.toMatchObject(notFound)
  })
})

describe('an expired job', () => {
  it('an unfinished job is cancelled after a week, and the same request resumes it', async () => {
    const harness = await workspace.open()
    const id = await orphanedJob(await workspace.open({ concurrency: noConcurrency }), {
      updatedAt: new Date(Date.now() - 8 * day).toISOString(),
    })
    harness.jobs.startRecovery()
    await vi.waitFor(async () => expect(await listed(harness, id)).toBe('cancelled'), eventually)
    expect((await harness.stored(id)).job).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } })
    expect((await harness.transcribe()).job.state).toBe('completed')
  })
})
