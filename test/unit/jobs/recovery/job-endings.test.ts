// How jobs end, and what is left of them: cancelled, ordered again at once, deserted, removed, changed under their hands.
import { createHash } from 'node:crypto'
import { copyFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Job } from '../../../../src/domain/job.ts'
import type { Downloader, ObjectStorage, StoredUpload } from '../../../../src/domain/ports.ts'
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

const eventually = { timeout: 30_000, interval: 20 }
const noConcurrency = { short: 0, long: 0, remote: 0 }
const day = 24 * 3600 * 1000

/** A job whose worker has died, with what it had written by then. */
async function deserted(harness: Harness, facts: Partial<Job> = {}) {
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

describe('an order that is placed while its job is being cancelled', () => {
  it('starts anew, whatever is still unwinding', async () => {
    const { open, opened } = createLatch()
    const harness = await workspace.open({ recognise: () => opened })
    const first = await harness.submit()
    for (let i = 0; i < 5; i++) {
      await vi.waitFor(
        () => expect(harness.jobs.read(owner, first.job.id)).resolves.toBeDefined(),
        eventually,
      )
      const cancelling = harness.jobs.cancel(owner, first.job.id)
      const again = harness.submit()
      await cancelling
      expect((await again).job.id).toBe(first.job.id)
    }
    open()
    expect((await harness.waitForEnd(first.job.id)).state).toBe('completed')
  })

  it('elsewhere is not told of an end that is not its own', async () => {
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
    const other = await workspace.open({ concurrency: noConcurrency })
    await other.jobs.cancel(owner, job.id)
    await unwinding
    await harness.submit()
    const over = harness.waitForEnd(job.id)
    write()
    expect((await over).state).toBe('completed')
  })

  it('by a caller who goes is not cancelled with that one', async () => {
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

describe('a job whose id somebody had', () => {
  it('is one that nobody knows again when it is over: the next caller who goes stops it', async () => {
    const { open: refuse, opened: refused } = createLatch()
    const harness = await workspace.open({
      async recognise(n) {
        await (n < workspace.chunks ? refused : new Promise(() => {}))
        throw new SpeechError('KEY_REFUSED', 'No.', { hint: 'Ask.', scope: 'account' })
      },
    })
    const { job } = await harness.submit()
    await vi.waitFor(() => expect(harness.requests).toHaveLength(workspace.chunks), eventually)
    // Somebody has the beginning, and may come back for the rest.
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
  it('a recording that came as text forgets the text', async () => {
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

  it('a job whose worker has died takes it out of the lists of what runs, and its recording out of the bucket', async () => {
    const { blobs, removed } = bucket()
    const harness = await workspace.open({ concurrency: noConcurrency, blobs })
    const id = await deserted(harness)
    await harness.store.putCheckpoint(owner, uploadCheckpointKey(id), kept, id)
    expect(await listed(harness, id)).toBe('running')
    expect(await harness.jobs.cancel(owner, id)).toMatchObject({ state: 'cancelled' })
    expect(await listed(harness, id)).toBe('cancelled')
    expect(removed).toEqual([upload])
    expect(await harness.store.getCheckpoint(owner, uploadCheckpointKey(id))).not.toHaveProperty('upload')
  })

  it('a job that is over stays as it was, and an unknown or foreign id is not found', async () => {
    const harness = await workspace.open()
    const { job } = await harness.transcribe()
    expect(await harness.jobs.cancel(owner, job.id)).toMatchObject({ id: job.id, state: 'completed' })
    const notFound = { code: 'TRANSCRIPT_NOT_FOUND' }
    await expect(harness.jobs.cancel(owner, 'tr_none')).rejects.toMatchObject(notFound)
    await expect(harness.jobs.cancel('bob', job.id)).rejects.toMatchObject(notFound)
  })
})

describe('a job that nobody came back for', () => {
  it('is over after a week, and ordered again goes on', async () => {
    const harness = await workspace.open()
    const id = await deserted(await workspace.open({ concurrency: noConcurrency }), {
      updatedAt: new Date(Date.now() - 8 * day).toISOString(),
    })
    harness.jobs.startRecovery()
    await vi.waitFor(async () => expect(await listed(harness, id)).toBe('cancelled'), eventually)
    expect((await harness.stored(id)).job).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } })
    expect((await harness.transcribe()).job.state).toBe('completed')
  })
})

describe('a recording over which every worker dies', () => {
  const forever = () => new Promise<never>(() => {})

  /** A worker takes the job over, gets as far as `done` seconds, and dies. */
  async function die(done: number): Promise<string> {
    const harness = await workspace.open({ recognise: forever })
    const { job } = await harness.submit()
    const begun = await vi.waitFor(async () => {
      const { job: now } = await harness.stored(job.id)
      expect(now).toMatchObject({ state: 'running', lease: { worker: harness.workerId } })
      return now!
    }, eventually)
    const progress = { done, message: 'Listening' }
    const dead = { ...begun, lease: { worker: 'dead', until: 1 }, progress, revision: begun.revision + 1 }
    expect(await harness.store.replaceJob(dead)).toBe(true)
    return job.id
  }

  it('five times at the same place is given up, is said so, and goes on when it is ordered again', async () => {
    const { blobs, removed } = bucket()
    for (const done of [0, 0, 7, 3, 7, 7, 7]) await die(done)
    const harness = await workspace.open({ blobs, recognise: forever })
    const id = await die(5)
    await harness.store.putTranscript(owner, transcript({ id, status: 'running' }))
    await harness.store.putCheckpoint(owner, uploadCheckpointKey(id), kept, id)
    harness.jobs.startRecovery()
    await vi.waitFor(async () => expect((await harness.stored(id)).job?.state).toBe('failed'), eventually)
    expect((await harness.stored(id)).job).toMatchObject({ error: { code: 'POISON' } })
    await vi.waitFor(async () => expect(await listed(harness, id)).toBe('failed'), eventually)
    await vi.waitFor(() => expect(removed).toEqual([upload]), eventually)
    expect(harness.requests).toEqual([])

    const again = await workspace.open()
    expect((await again.transcribe()).job).toMatchObject({ id, state: 'completed' })
  })

  it('is not given up where each gets further', async () => {
    for (const done of [1, 2, 3, 4, 5, 6]) await die(done)
    expect((await (await workspace.open()).transcribe()).job.state).toBe('completed')
  })

  it('is not given up where they were only stopped', async () => {
    for (let stops = 0; stops < 6; stops++) {
      const harness = await workspace.open({ recognise: forever })
      const { job } = await harness.submit()
      await vi.waitFor(() => expect(harness.requests).toHaveLength(workspace.chunks), eventually)
      await harness.close()
      await expect(
        (await workspace.open({ concurrency: noConcurrency })).stored(job.id),
      ).resolves.toMatchObject({
        job: { state: 'queued' },
      })
    }
    expect((await (await workspace.open()).transcribe()).job.state).toBe('completed')
  })
})

describe('removing a transcript', () => {
  it('takes its recording out of the bucket, also where the bucket fails', async () => {
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
  it('leaves what unfinished jobs and other machines may need, and nothing else', async () => {
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
  ])('holds nothing up when it %s', async (_, behave) => {
    const sweep = vi.fn(behave)
    const harness = await workspace.open(bucket({ sweep }))
    harness.jobs.startRecovery()
    await vi.waitFor(() => expect(sweep).toHaveBeenCalledOnce(), eventually)
    expect((await harness.transcribe()).job.state).toBe('completed')
  })

  it('is not asked of the provider’s own store', async () => {
    const sweep = vi.fn(async () => 0)
    const harness = await workspace.open({ blobs: { way: 'temporary', sweep } })
    const dead = await deserted(await workspace.open({ concurrency: noConcurrency }))
    harness.jobs.startRecovery()
    // What is left is taken over in the same look.
    await vi.waitFor(
      async () => expect((await harness.stored(dead)).job?.state).toBe('completed'),
      eventually,
    )
    expect(sweep).not.toHaveBeenCalled()
  })
})

describe('an address that waits for another process', () => {
  const audio = 'https://talks.example/a.wav'

  async function ordered(tagThen: string) {
    let tag = 'one'
    const downloader: Downloader = {
      identify: async () => tag,
      async download(_, file) {
        await copyFile(workspace.recording, file)
        return 1
      },
    }
    const first = await workspace.open({ concurrency: noConcurrency, downloader })
    const { job } = await first.submit({ audio })
    await first.close()
    tag = tagThen
    const next = await workspace.open({ downloader })
    return { next, job: await next.waitForEnd(job.id) }
  }

  it('is fetched as it was ordered', async () => {
    expect((await ordered('one')).job.state).toBe('completed')
  })

  it('is not fetched when its server has something else there by then', async () => {
    const { next, job } = await ordered('two')
    expect(job).toMatchObject({ state: 'failed', error: { code: 'RECORDING_CHANGED' } })
    expect(job.error!.hint).toContain('transcribe_audio')
    expect(next.requests).toEqual([])
  })
})

describe('the id of an order', () => {
  const audio = `data:audio/wav;base64,${spokenWav(0).toString('base64')}`
  const idOf = async (harness: Harness, ...given: Parameters<Harness['submit']>) =>
    (await harness.submit({ audio, ...given[0] }, given[1])).job.id

  it('is what it was before there were speakers', async () => {
    const harness = await workspace.open({ concurrency: noConcurrency })
    const content = `bytes:${createHash('sha256').update(spokenWav(0)).digest('hex')}`
    const facts = JSON.stringify([owner, 'transcribe_audio', content, 'ears', 'en', 'Anja', false])
    const bytes = createHash('sha256').update(facts).digest().subarray(0, 16)
    const letters = [...bytes].map(byte => '0123456789abcdefghjkmnpqrstvwxyz'[byte & 31]).join('')
    expect(await idOf(harness, { language: 'English', context: 'Anja ' })).toBe(`tr_${letters}`)
  })

  it('depends on times only where they are measured', async () => {
    const estimating = await workspace.open({ concurrency: noConcurrency })
    const measuring = await workspace.open({ concurrency: noConcurrency, blobs: { way: 'bucket' } })
    const ids = await Promise.all([
      idOf(estimating, {}),
      idOf(estimating, { timestamps: 'segment' }),
      idOf(measuring, {}),
      idOf(measuring, { timestamps: 'segment' }),
    ])
    expect(ids.slice(1, 3)).toEqual([ids[0], ids[0]])
    expect(ids[3]).not.toBe(ids[0])
  })

  it('depends on the tool, and with speakers on how many there may be', async () => {
    const harness = await workspace.open({ concurrency: noConcurrency })
    const ids = await Promise.all([
      idOf(harness, {}),
      idOf(harness, {}, 'diarize_audio'),
      idOf(harness, { speakers: 2 }, 'diarize_audio'),
      idOf(harness, { speakers: 3 }, 'diarize_audio'),
    ])
    expect(new Set(ids).size).toBe(4)
    expect(await idOf(harness, { speakers: 2 }, 'diarize_audio')).toBe(ids[2])
  })
})
