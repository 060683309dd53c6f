// Redelivery of jobs in a shared queue that no worker runs, by the machines that look at them.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Job } from '../../../../src/domain/job.ts'
import { createJobRepository } from '../../../../src/jobs/records/job-repository.ts'
import { createLeases } from '../../../../src/jobs/records/lease.ts'
import {
  createRedelivery,
  type Redeliver,
  type RedeliveryContext,
} from '../../../../src/jobs/recovery/redeliver.ts'
import { createWorkspace, type Harness, owner, type Workspace } from '../../../support/jobs/harness.ts'

const seconds = 1_000
const hour = 3_600 * seconds
let workspace: Workspace
let harness: Harness
let sent: Job[]
let looks: Redeliver[]

beforeEach(async () => {
  workspace = await createWorkspace()
  harness = await workspace.open()
  sent = []
  looks = [open(), open()]
  vi.useFakeTimers({ toFake: ['Date', 'performance'] })
})
afterEach(async () => {
  vi.useRealTimers()
  await workspace.close()
})

/** One of the machines that look; what it sends is only noted. */
function open(): Redeliver {
  const { store } = harness
  const parts: RedeliveryContext = {
    store,
    repository: createJobRepository(store, { shared: true }),
    closing: new AbortController().signal,
    leases: createLeases(`looker-${Math.random()}/1//mark`, { shared: true }),
    pipeline: { allowedDirs: [workspace.folder] } as unknown as RedeliveryContext['pipeline'],
    dispatch: async job => void sent.push(job),
    cleanup: {
      cleanUpJob: async () => {},
      deleteUploads: async () => {},
      deleteRecording: async () => {},
      sweep: async () => {},
    },
  }
  return createRedelivery(parts)
}

async function put(facts: Partial<Job>): Promise<void> {
  const at = new Date().toISOString()
  const base = {
    id: 'tr_1',
    owner,
    tool: 'transcribe_audio',
    models: ['fake-asr'],
    short: true,
    revision: 1,
  } as const
  await harness.store.addJob({
    ...base,
    request: { audio: '/elsewhere/talk.wav' },
    state: 'queued',
    createdAt: at,
    updatedAt: at,
    ...facts,
  } as Job)
}

/** All machines look, and so much time goes by. */
async function look(milliseconds = 0): Promise<void> {
  for (const one of looks) for (const job of await harness.store.unfinishedJobs()) await one(job)
  vi.advanceTimersByTime(milliseconds)
}

describe('a queued job', () => {
  it('an unchanged queued job is sent again by one machine, less often each time', async () => {
    await put({ recording: 'key' })
    const moments: number[] = []
    for (let second = 0; second < 300; second += 5) {
      const before = sent.length
      await look(5 * seconds)
      if (sent.length > before) moments.push(second)
    }
    expect(moments).toEqual([20, 60, 145])
    expect((await harness.store.getJob(owner, 'tr_1'))?.redeliveries).toBe(3)
  })

  it('a redelivered job keeps the time since which it waits', async () => {
    await put({ recording: 'key' })
    const { updatedAt } = (await harness.store.getJob(owner, 'tr_1'))!
    await look(30 * seconds)
    await look()
    expect(sent).toHaveLength(1)
    expect(sent[0]!.updatedAt).toBe(updatedAt)
  })

  it('a queued job fails after an hour if the machine with its file is gone', async () => {
    await put({ content: 'hash' })
    await look(hour - seconds)
    await look(2 * seconds)
    expect((await harness.store.getJob(owner, 'tr_1'))?.state).toBe('queued')
    await look()
    expect(await harness.store.getJob(owner, 'tr_1')).toMatchObject({
      state: 'failed',
      error: { code: 'RECORDING_LOST' },
    })
    expect(sent).toEqual([])
  })
})

describe('a running job', () => {
  const lease = (until: number) => ({ worker: 'dead/1//mark', until, time: 15 * seconds })

  it('a running job is left to a worker that renews its lease', async () => {
    await put({ state: 'running', recording: 'key', lease: lease(Date.now()) })
    for (let renewals = 0; renewals < 10; renewals++) {
      await look(10 * seconds)
      const job = (await harness.store.getJob(owner, 'tr_1'))!
      await harness.store.replaceJob({ ...job, lease: lease(Date.now()), revision: job.revision + 1 })
    }
    expect(sent).toEqual([])
  })

  it('a running job of a dead worker is queued again and sent once', async () => {
    await put({
      state: 'running',
      recording: 'key',
      lease: lease(Date.now()),
      attempts: { count: 2 },
    })
    for (let looks = 0; looks < 3; looks++) await look(10 * seconds)
    expect(sent).toHaveLength(1)
    const job = (await harness.store.getJob(owner, 'tr_1'))!
    expect(job).toMatchObject({ state: 'queued', attempts: { count: 2 } })
    expect(job.lease).toBeUndefined()
  })
})
