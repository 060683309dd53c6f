// Jobs whose workers die: a job that ends processes is failed, one whose processes end for other reasons is not.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { JobTool } from '../../../../src/domain/job.ts'
import type { ObjectStorage } from '../../../../src/domain/ports.ts'
import { uploadCheckpointKey } from '../../../../src/pipeline/file-tasks/upload.ts'
import {
  createWorkspace,
  type Harness,
  type HarnessOptions,
  listOf,
  owner,
  spokenWav,
  type Workspace,
} from '../../../support/jobs/harness.ts'
import { transcript } from '../../../support/transcripts.ts'

let workspace: Workspace
/** Milliseconds by which the steady clock is ahead: the pause after a death ends when a test says so. */
let ahead = 0
beforeEach(async () => {
  workspace = await createWorkspace()
  ahead = 0
  const now = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead)
})
afterEach(async () => {
  vi.restoreAllMocks()
  await workspace.close()
})

const eventually = { timeout: 60_000, interval: 20 }
const longestPauseMs = 45_000
const noConcurrency = { short: 0, long: 0, remote: 0 }
const forever = () => new Promise<never>(() => {})
const upload = { way: 'bucket' as const, keys: { who: 'a.mp3', what: 'a.mp3' } }
const kept = { upload, duration: 5, speech: [], warnings: [] }
/** A worker that nobody can ask, and whose lease has ended. */
const dead = { worker: 'dead', until: 1 }

const jobIn = async ({ store }: Harness, id: string) => (await store.getJob(owner, id))!

/** Unless it runs one of the jobs: their deadlines would pass as well, again and again on a busy machine. */
async function letPausePass(harness: Harness, ...ids: string[]): Promise<void> {
  const jobs = await Promise.all(ids.map(id => jobIn(harness, id)))
  const isRunning = jobs.some(({ state, lease }) => state === 'running' && lease?.worker === harness.workerId)
  if (!isRunning) ahead += longestPauseMs
}

/** The process of this harness has died: others know it, and it writes nothing more. */
async function die(harness: Harness, id: string): Promise<void> {
  await vi.waitFor(async () => {
    const now = await jobIn(harness, id)
    expect(now).toMatchObject({ state: 'running', lease: { worker: harness.workerId } })
    expect(await harness.store.replaceJob({ ...now, lease: dead, revision: now.revision + 1 })).toBe(true)
  }, eventually)
  await harness.close()
}

/** The process of this harness begins with the recording, after the pause that follows earlier deaths. */
async function begin(harness: Harness, tool?: JobTool): Promise<string> {
  return vi.waitFor(async () => {
    const { job } = await harness.submit({}, tool)
    await letPausePass(harness, job.id)
    expect(await jobIn(harness, job.id)).toMatchObject({ lease: { worker: harness.workerId } })
    return job.id
  }, eventually)
}

/** A process takes the recording over, recognises so many chunks further, and dies before it renews its lease. */
async function dieAfter(chunks: number, options: HarnessOptions = {}): Promise<string> {
  const recognise = (n: number) => (n < chunks ? Promise.resolve() : forever())
  const harness = await workspace.open({ ...options, recognise })
  const id = await begin(harness)
  await vi.waitFor(() => expect(harness.requests.length).toBeGreaterThan(chunks), eventually)
  await die(harness, id)
  return id
}

describe('a job whose workers die', () => {
  it('fails after five deaths at the same point, and the same request starts it again', async () => {
    const removed: unknown[] = []
    const blobs: Partial<ObjectStorage> = { way: 'bucket', delete: async gone => void removed.push(gone) }
    // Any of the processes may find that the job has failed, and clean up.
    for (const chunks of [0, 0, 1, 0, 0, 0, 0]) await dieAfter(chunks, { blobs })
    const id = await dieAfter(0, { blobs })
    const harness = await workspace.open({ blobs, recognise: forever })
    await harness.store.putTranscript(owner, transcript({ id, status: 'running' }))
    await harness.store.putCheckpoint(owner, uploadCheckpointKey(id), kept, id)
    harness.jobs.startRecovery()
    await vi.waitFor(async () => expect((await jobIn(harness, id)).state).toBe('failed'), eventually)
    expect(await jobIn(harness, id)).toMatchObject({ error: { code: 'POISON' } })
    await vi.waitFor(async () => {
      expect((await harness.stored(id)).transcript?.status).toBe('failed')
    }, eventually)
    await vi.waitFor(() => expect(removed).toEqual([upload]), eventually)
    expect(harness.requests).toEqual([])

    const again = await workspace.open()
    expect((await again.transcribe()).job).toMatchObject({ id, state: 'completed' })
  })

  it('is not failed if each one recognises a chunk, although none lives until its next renewal', async () => {
    await workspace.close()
    workspace = await createWorkspace(9)
    for (let deaths = 0; deaths < 5; deaths++) await dieAfter(1)
    expect((await (await workspace.open()).transcribe()).job.state).toBe('completed')
  })

  it('is not failed while its task runs at the provider', async () => {
    let isRunning = true
    let polls = 0
    const model = {
      model: 'both',
      key: 'both',
      limits: { maxSeconds: 1e5, maxBytes: 1e9 },
      capabilities: { text: true, speakers: true },
      submit: async () => 'task',
      async status() {
        polls++
        if (isRunning) return { state: 'running' as const }
        return { state: 'done' as const, recognition: { sentences: [], seconds: 1 } }
      },
      now: async () => Date.now(),
      listTasks: async () => [],
      cancel: async () => {},
    }
    const fileRecognisers = { speakerRecognisers: listOf(model), fileRecognisers: listOf(model) }
    const options: HarnessOptions = {
      fileRecognisers,
      blobs: {
        way: 'bucket',
        async upload(audio) {
          for await (const _ of audio);
          return upload
        },
      },
    }
    for (let deaths = 0; deaths < 5; deaths++) {
      const harness = await workspace.open(options)
      const before = polls
      const id = await begin(harness, 'diarize_audio')
      await vi.waitFor(() => expect(polls).toBeGreaterThan(before + 1), eventually)
      await die(harness, id)
    }
    isRunning = false
    const harness = await workspace.open(options)
    const id = await begin(harness, 'diarize_audio')
    expect((await harness.waitForEnd(id)).state).toBe('completed')
  })

  it('is not failed if its workers were only stopped', async () => {
    for (let stops = 0; stops < 6; stops++) {
      const harness = await workspace.open({ recognise: forever })
      const { job } = await harness.submit()
      await vi.waitFor(() => expect(harness.requests).toHaveLength(workspace.chunks), eventually)
      await harness.close()
      const other = await workspace.open({ concurrency: noConcurrency })
      expect(await jobIn(other, job.id)).toMatchObject({ state: 'queued' })
    }
    expect((await (await workspace.open()).transcribe()).job.state).toBe('completed')
  })

  it('starts at once after one death or two, and after a pause from the third on', async () => {
    for (let deaths = 0; deaths < 3; deaths++) {
      const harness = await workspace.open({ recognise: forever })
      const { job } = await harness.submit()
      await vi.waitFor(() => expect(harness.requests).not.toEqual([]), eventually)
      await die(harness, job.id)
    }
    const fourth = await workspace.open({ recognise: forever })
    for (const elapsed of [0, 2_000]) {
      ahead += elapsed
      const { job } = await fourth.submit()
      expect(await jobIn(fourth, job.id)).toMatchObject({ lease: dead, attempts: { count: 3 } })
    }
    ahead += 20_000
    await fourth.submit()
    await vi.waitFor(() => expect(fourth.requests).not.toEqual([]), eventually)
  })

  it('starts after its pause in a process that is younger than that, and says what it waits for', async () => {
    for (let deaths = 0; deaths < 3; deaths++) await dieAfter(0)
    const early = await workspace.open({ recognise: forever, workerId: 'machine/1//early' })
    const { store, submit } = early
    const { job } = await submit()
    /** As if a process of the same machine had written it last, and died. */
    const lease = { worker: 'machine/2//gone', until: 1 }
    const writtenAgo = async (ms: number) => {
      const now = (await store.getJob(owner, job.id))!
      const updatedAt = new Date(Date.now() - ms).toISOString()
      await store.replaceJob({ ...now, lease, updatedAt, revision: now.revision + 1 })
    }
    await writtenAgo(1_000)
    const messages: string[] = []
    const stop = new AbortController()
    const onProgress = ({ message }: { message: string }) => {
      messages.push(message)
      stop.abort()
    }
    const watched = { owner, signal: stop.signal, disconnectReason: () => 'detached' as const, onProgress }
    await early.jobs.watch(job.id, watched).catch(() => {})
    expect(messages).toEqual(['Waiting a while, as 3 processes in a row have died with it'])
    await writtenAgo(16_000)
    await submit()
    await vi.waitFor(() => expect(early.requests).not.toEqual([]), eventually)
  })
})

describe('jobs that have not got on since their process died', () => {
  const recordings = [1, 2, 3].map(seed => `data:audio/wav;base64,${spokenWav(1, seed).toString('base64')}`)

  /** Ids of the recordings, whose process has died. */
  async function orphans(): Promise<string[]> {
    const harness = await workspace.open({ concurrency: noConcurrency })
    const submitted = await Promise.all(recordings.map(audio => harness.submit({ audio })))
    const facts = { state: 'running' as const, attempts: { count: 1 }, lease: dead }
    for (const { job } of submitted)
      expect(await harness.store.replaceJob({ ...job, ...facts, revision: job.revision + 1 })).toBe(true)
    return submitted.map(({ job }) => job.id)
  }

  it('run one at a time, so that one that ends its process takes no other with it', async () => {
    const ids = await orphans()
    const harness = await workspace.open({ recognise: forever })
    harness.jobs.startRecovery()
    await vi.waitFor(() => expect(harness.requests).toHaveLength(1), eventually)
    const jobs = await Promise.all(ids.map(id => jobIn(harness, id)))
    const counts = jobs.map(({ attempts }) => attempts?.count)
    expect(counts.toSorted()).toEqual([1, 1, 2])
    await die(harness, jobs.find(({ lease }) => lease?.worker === harness.workerId)!.id)

    const next = await workspace.open()
    await vi.waitFor(
      async () => {
        await letPausePass(next, ...ids)
        for (const audio of recordings) await next.submit({ audio })
        for (const id of ids) expect(await jobIn(next, id)).toMatchObject({ state: 'completed' })
      },
      { ...eventually, timeout: 150_000 },
    )
  }, 240_000)
})
