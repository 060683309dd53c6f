// Provider tasks of jobs without a process: ending such a job cancels its own tasks and no others.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FileRecogniser, ObjectStorage } from '../../../../src/domain/ports.ts'
import { passesCheckpointKey } from '../../../../src/pipeline/file-tasks/own-tasks.ts'
import { uploadCheckpointKey } from '../../../../src/pipeline/file-tasks/upload.ts'
import {
  createWorkspace,
  type Harness,
  listOf,
  owner,
  type Workspace,
} from '../../../support/jobs/harness.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace(1)
})
afterEach(() => workspace.close())

const eventually = { timeout: 60_000, interval: 20 }
const noConcurrency = { short: 0, long: 0, remote: 0 }

interface Cloud {
  submitted: string[]
  cancelled: string[]
  uploads: number
  /** Set where the provider takes no word of ours. */
  isDown: boolean
}

/** A harness whose tasks wait for ever in a cloud that several harnesses may share. */
function open(cloud: Cloud, options: Parameters<Workspace['open']>[0] = {}): Promise<Harness> {
  const createRecogniser = (model: string, capabilities: FileRecogniser['capabilities']): FileRecogniser => ({
    model,
    key: model,
    limits: { maxSeconds: 3600, maxBytes: 1e9 },
    capabilities,
    async submit() {
      const task = `${model}-${cloud.submitted.length}`
      cloud.submitted.push(task)
      return task
    },
    status: async () => ({ state: 'pending' }),
    now: async () => Date.now(),
    listTasks: async () => [],
    async cancel(task) {
      if (cloud.isDown) throw new Error('down')
      cloud.cancelled.push(task)
    },
  })
  const blobs: Partial<ObjectStorage> = {
    way: 'bucket',
    async upload(audio, { models }) {
      for await (const _ of audio);
      cloud.uploads++
      return { way: 'bucket', keys: Object.fromEntries(models.map(model => [model, 'a.mp3'])) }
    },
    async delete() {
      cloud.uploads--
    },
  }
  const speakerRecognisers = listOf(createRecogniser('who', { text: false, speakers: true }))
  const fileRecognisers = listOf(createRecogniser('what', { text: true, speakers: false }))
  return workspace.open({ fileRecognisers: { speakerRecognisers, fileRecognisers }, blobs, ...options })
}

/** Orders, and closes the harness once both tasks wait: what it leaves is what a process leaves that dies. */
async function leave(cloud: Cloud): Promise<string> {
  const harness = await open(cloud)
  const { job } = await harness.submit({}, 'diarize_audio')
  await vi.waitFor(() => expect(cloud.submitted).toHaveLength(2), eventually)
  await harness.close()
  expect(cloud).toMatchObject({ cancelled: [], uploads: 1 })
  return job.id
}

const quiet = (): Cloud => ({ submitted: [], cancelled: [], uploads: 0, isDown: false })

describe('a job that waits for its tasks while no process has it', () => {
  it('removing a job without a process cancels its provider tasks and deletes its upload', async () => {
    const cloud = quiet()
    const id = await leave(cloud)
    const harness = await open(cloud, { concurrency: noConcurrency })
    await harness.jobs.remove(owner, id)
    expect(cloud.cancelled.sort()).toEqual(cloud.submitted.sort())
    expect(cloud.uploads).toBe(0)
    expect(await harness.stored(id)).toEqual({ job: undefined, transcript: undefined })
    for (const key of [passesCheckpointKey(id), uploadCheckpointKey(id)])
      expect(await harness.store.getCheckpoint(owner, key)).toBeUndefined()
  })

  it('cancelling a job without a process cancels its provider tasks', async () => {
    const cloud = quiet()
    const id = await leave(cloud)
    const harness = await open(cloud, { concurrency: noConcurrency })
    expect(await harness.jobs.cancel(owner, id)).toMatchObject({ state: 'cancelled' })
    expect(cloud.cancelled.sort()).toEqual(cloud.submitted.sort())
    expect(cloud.uploads).toBe(0)
  })

  it('a job is removed even if the provider cannot be reached', async () => {
    const cloud = { ...quiet(), isDown: true }
    const id = await leave(cloud)
    const harness = await open(cloud, { concurrency: noConcurrency })
    await harness.jobs.remove(owner, id)
    expect(await harness.stored(id)).toEqual({ job: undefined, transcript: undefined })
    expect(cloud.uploads).toBe(0)
  })

  it('removing a job leaves the tasks of other jobs alone', async () => {
    const cloud = quiet()
    const first = await leave(cloud)
    const harness = await open(cloud)
    // The same words with times: the pass for words is the same one.
    const { job } = await harness.submit({ timestamps: 'word' })
    await vi.waitFor(async () => {
      expect((await harness.stored(job.id)).job?.state).toBe('running')
      expect(await harness.store.getCheckpoint(owner, passesCheckpointKey(job.id))).toBeDefined()
    }, eventually)
    await harness.close()
    const other = await open(cloud, { concurrency: noConcurrency })
    await other.jobs.remove(owner, job.id)
    expect(cloud.cancelled).toEqual([])
    expect(cloud.submitted).toHaveLength(2)
    await other.jobs.remove(owner, first)
    expect(cloud.cancelled).toHaveLength(2)
  })
})
