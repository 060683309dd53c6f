// The errors that stop a batch, the work that it leaves to others, and the costs that it reports.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type ErrorCode, SpeechError } from '../../../../src/domain/errors.ts'
import type { Progress } from '../../../../src/domain/job.ts'
import {
  createLatch,
  createWorkspace,
  type Harness,
  listOf,
  owner,
  spokenWav,
  type Workspace,
} from '../../../support/jobs/harness.ts'

const { signal } = new AbortController()
const caller = { tool: 'transcribe_audio' as const, owner, signal }
let space: Workspace
let count = 0

beforeAll(async () => {
  space = await createWorkspace(1)
})
afterAll(() => space.close())

async function folderOf(recordings: number, passages = 1): Promise<string> {
  const folder = join(space.folder, `stops ${count++}`)
  await mkdir(folder)
  for (let i = 0; i < recordings; i++)
    await writeFile(join(folder, `${i}.wav`), spokenWav(passages, 9000 + 100 * count + i))
  return folder
}

async function order({ jobs }: Harness, folder: string): Promise<string> {
  const { id } = await jobs.orderBatch({ sources: [folder], options: {}, agreedUsd: 9 }, caller)
  return id!
}

it.each<ErrorCode>(['KEY_REFUSED', 'PROVIDER_UNREACHABLE'])(
  '%s is reported once, and all others wait for the next order',
  async code => {
    const error = new SpeechError(code, 'No.', { hint: 'None.', scope: 'account' })
    const harness = await space.open({ recognise: () => Promise.reject(error) })
    const id = await order(harness, await folderOf(12))
    expect(await harness.jobs.watch(id, { owner, signal })).toMatchObject({ state: 'failed' })
    const { items, error: reported } = await harness.jobs.batch(owner, id)
    expect(reported?.code).toBe(code)
    expect(items.filter(({ end }) => end).map(({ end }) => end?.error?.code)).toEqual([code])
    expect(harness.requests).toHaveLength(1)
  },
)

it('until the first answer has come, no second recording is sent', async () => {
  const latch = createLatch()
  const harness = await space.open({ recognise: n => (n === 0 ? latch.opened : Promise.resolve()) })
  const id = await order(harness, await folderOf(12))
  await vi.waitFor(() => expect(harness.requests).toHaveLength(1))
  await vi.waitFor(() => expect(harness.jobs.activeJobs()).toBe(1))
  latch.open()
  expect(await harness.jobs.watch(id, { owner, signal })).toMatchObject({ state: 'completed' })
  expect(harness.requests).toHaveLength(12)
})

it('a task that the provider has accepted begins the others, although none is done', async () => {
  let accepted = 0
  const model = {
    model: 'files',
    key: 'files',
    limits: { maxSeconds: 1e5, maxBytes: 1e9 },
    capabilities: { text: true, speakers: true },
    submit: async () => `task ${accepted++}`,
    status: async () => ({ state: 'running' as const }),
    now: async () => Date.now(),
    listTasks: async () => [],
    cancel: async () => {},
  }
  const harness = await space.open({
    fileRecognisers: { speakerRecognisers: listOf(model), fileRecognisers: listOf(model) },
    blobs: {
      way: 'bucket',
      async upload(audio) {
        for await (const _ of audio);
        return { way: 'bucket', keys: { who: 'a.mp3', what: 'a.mp3' } }
      },
    },
  })
  const request = { sources: [await folderOf(3)], options: {}, agreedUsd: 9 }
  const { id } = await harness.jobs.orderBatch(request, { ...caller, tool: 'diarize_audio' })
  const [first] = (await harness.jobs.batch(owner, id!)).items
  let isAnswered = false
  const onProgress = (progress: Progress) => {
    isAnswered ||= progress.isAnswered === true
  }
  await vi.waitFor(async () => {
    await harness.jobs.watch(first!.id, { owner, signal, seconds: 0.01, onProgress })
    expect(isAnswered).toBe(true)
  })
  await vi.waitFor(() => expect(accepted).toBe(3))
  await harness.jobs.cancel(owner, id!)
})

it('cancelling a batch leaves a recording going that another call waits for', async () => {
  const latch = createLatch()
  const harness = await space.open({ recognise: () => latch.opened })
  const folder = await folderOf(2)
  const id = await order(harness, folder)
  await vi.waitFor(() => expect(harness.requests).toHaveLength(1))
  const { job } = await harness.submit({ audio: join(folder, '0.wav') })
  const single = harness.waitForEnd(job.id)
  await harness.jobs.cancel(owner, id)
  await vi.waitFor(() => expect(harness.jobs.activeJobs()).toBe(1))
  latch.open()
  expect((await single).state).toBe('completed')
  expect((await harness.jobs.batch(owner, id)).state).toBe('cancelled')
})

it('what earlier orders have paid for a recording is no cost of the batch', async () => {
  const refused = new SpeechError('CONTENT_REFUSED', 'No.', { hint: 'None.' })
  const first = await space.open({
    usdPerSecond: 0.01,
    recognise: async n => {
      if (n > 0) throw refused
    },
  })
  const folder = await folderOf(1, 3)
  const { job } = await first.transcribe({ audio: join(folder, '0.wav') })
  const before = (await first.stored(job.id)).transcript!.usage.costUsd!
  expect(before).toBeGreaterThan(0)
  await first.close()
  const second = await space.open({ usdPerSecond: 0.01 })
  const id = await order(second, folder)
  await second.jobs.watch(id, { owner, signal })
  const after = (await second.stored(job.id)).transcript!.usage.costUsd!
  const [{ end } = {}] = (await second.jobs.batch(owner, id)).items
  expect(end).toMatchObject({ state: 'completed', costUsd: expect.closeTo(after - before, 6) })
  expect(end!.costUsd).toBeGreaterThan(0)
})
