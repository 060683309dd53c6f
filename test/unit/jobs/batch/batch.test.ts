// A batch: ordered at a price, run as jobs, taken over from a dead process, cancelled, and read.
import { appendFile, copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BatchView } from '../../../../src/jobs/jobs.ts'
import {
  createLatch,
  createWorkspace,
  type Harness,
  owner,
  spokenWav,
  type Workspace,
} from '../../../support/jobs/harness.ts'

const { signal } = new AbortController()
const caller = { tool: 'transcribe_audio' as const, owner, signal }
let space: Workspace
let folder: string
let count = 0

beforeAll(async () => {
  space = await createWorkspace(1)
})
afterAll(() => space.close())
beforeEach(async () => {
  folder = join(space.folder, `batch ${count++}`)
  await mkdir(folder)
})

async function put(...names: string[]): Promise<void> {
  for (const name of names)
    await writeFile(join(folder, name), spokenWav(1, 1000 * count + name.charCodeAt(0)))
}

async function order(
  { jobs }: Harness,
  more: { agreedUsd?: number; sources?: string[] } = {},
): Promise<string> {
  const { id } = await jobs.orderBatch({ sources: [folder], options: {}, agreedUsd: 0, ...more }, caller)
  return id!
}

const outcome = ({ items }: BatchView) => items.map(({ name, end }) => [name, end?.state])

async function ended({ jobs }: Harness, id: string): Promise<BatchView> {
  await jobs.watch(id, { owner, signal })
  return jobs.batch(owner, id)
}

describe('an order', () => {
  it('nothing begins before the price is agreed to', async () => {
    const harness = await space.open()
    await put('a.wav')
    const { id, plan } = await harness.jobs.orderBatch({ sources: [folder], options: {} }, caller)
    expect({ id, usd: plan?.usd, sent: harness.requests.length }).toEqual({ id: undefined, usd: 0, sent: 0 })
  })

  it('a call whose time is up before the plan is made gets none, and the next one joins it', async () => {
    const harness = await space.open()
    await put('a.wav')
    const request = { sources: [folder], options: {}, agreedUsd: 0 }
    expect(await harness.jobs.orderBatch(request, { ...caller, seconds: 0 })).toEqual({})
    expect(harness.requests).toEqual([])
    const { id, plan } = await harness.jobs.orderBatch(request, caller)
    expect(plan?.recordings).toHaveLength(1)
    await harness.jobs.watch(id!, { owner, signal })
  })

  it('each recording is sent once, and the batch lists what became of it', async () => {
    const harness = await space.open()
    await put('a.wav', 'b.wav')
    await copyFile(join(folder, 'a.wav'), join(folder, 'c.wav'))
    await writeFile(join(folder, 'd.wav'), 'no sound in here, whatever its name says')
    const view = await ended(harness, await order(harness))
    expect(view).toMatchObject({
      state: 'partial',
      copies: [expect.objectContaining({ name: 'c.wav', of: 'a.wav' })],
      unreadable: [{ given: join(folder, 'd.wav'), error: { code: 'NOT_AUDIO' } }],
    })
    expect(outcome(view)).toEqual([
      ['a.wav', 'completed'],
      ['b.wav', 'completed'],
    ])
    expect(harness.requests).toHaveLength(2)
  })

  it('the same order again joins the batch, and one that is done costs nothing', async () => {
    const latch = createLatch()
    const harness = await space.open({ recognise: () => latch.opened })
    await put('a.wav', 'b.wav')
    const id = await order(harness)
    const again = await harness.jobs.orderBatch({ sources: [folder], options: {} }, caller)
    expect(again.id).toBe(id)
    latch.open()
    expect((await ended(harness, id)).state).toBe('completed')
    const third = await harness.jobs.orderBatch({ sources: [folder], options: {} }, caller)
    const view = await ended(harness, third.id!)
    expect(third.id).toBe(id)
    expect(view.items.map(({ end }) => end?.costUsd)).toEqual([0, 0])
    expect(harness.requests).toHaveLength(2)
  })

  it('a recording that another owner has transcribed is a recording of its own', async () => {
    const harness = await space.open()
    await put('a.wav')
    const mine = await order(harness)
    await ended(harness, mine)
    await expect(harness.jobs.batch('bob', mine)).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
    const request = { sources: [folder], options: {}, agreedUsd: 0 }
    const { id, plan } = await harness.jobs.orderBatch(request, { ...caller, owner: 'bob' })
    expect(plan!.recordings[0]!.state).toBe('new')
    expect(id).not.toBe(mine)
    await harness.jobs.watch(id!, { owner: 'bob', signal })
  })

  it('a file that changes or vanishes after the order is reported, and not sent', async () => {
    const latch = createLatch()
    const harness = await space.open({ recognise: () => latch.opened })
    const names = Array.from({ length: 10 }, (_, i) => `${i}.wav`)
    await put(...names)
    const id = await order(harness)
    // One is under way, and the others wait for its answer.
    await vi.waitFor(() => expect(harness.requests).toHaveLength(1))
    await appendFile(join(folder, '8.wav'), spokenWav(1, 5).subarray(44))
    await rm(join(folder, '9.wav'))
    latch.open()
    const { items, state } = await ended(harness, id)
    expect(state).toBe('partial')
    expect(items.slice(8).map(({ end }) => end?.error?.code)).toEqual(['RECORDING_CHANGED', 'FILE_NOT_FOUND'])
    expect(harness.requests).toHaveLength(8)
  })

  it('when none of several sources can be read, the error says why of each', async () => {
    const harness = await space.open()
    const sources = [join(folder, 'x.wav'), '/etc/hosts']
    await expect(harness.jobs.orderBatch({ sources, options: {} }, caller)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringMatching(/x\.wav": FILE_NOT_FOUND.*\/etc\/hosts": OUTSIDE_ALLOWED_DIRS/),
    })
  })
})

describe('a batch that is interrupted', () => {
  it('another process goes on with it, and sends no recording twice', async () => {
    let left = 3
    const never = new Promise<void>(() => {})
    const first = await space.open({ recognise: () => (left-- > 0 ? Promise.resolve() : never) })
    await put(...Array.from({ length: 12 }, (_, i) => `${String.fromCharCode(97 + i)}.wav`))
    const id = await order(first)
    const done = async () => (await first.jobs.batch(owner, id)).items.filter(({ end }) => end).length
    await vi.waitFor(async () => expect(await done()).toBe(3))
    await first.close()

    const second = await space.open()
    second.jobs.startRecovery()
    const view = await ended(second, id)
    expect(view.state).toBe('completed')
    // Those without an answer are asked for again.
    expect(second.requests).toHaveLength(9)
    // It would take over the batches of other tests.
    await second.close()
  })

  it('a process with another model leaves it alone, as its price was agreed to for the first', async () => {
    const never = new Promise<void>(() => {})
    const first = await space.open({ recognise: () => never })
    await put('a.wav', 'b.wav')
    const id = await order(first)
    await vi.waitFor(() => expect(first.requests).toHaveLength(1), 10_000)
    await first.close()
    const interrupted = await space.open({ model: 'other-asr', recognise: () => never })
    await interrupted.jobs.submit(
      { audio: join(folder, 'a.wav') },
      { tool: 'transcribe_audio', owner, signal, allowUnsaved: false },
    )
    await vi.waitFor(() => expect(interrupted.requests).toHaveLength(1), 10_000)
    await interrupted.close()

    const other = await space.open({
      model: 'other-asr',
      store: store => ({
        ...store,
        unfinishedJobs: async () =>
          (await store.unfinishedJobs()).sort((a, b) => Number(b.id === id) - Number(a.id === id)),
      }),
    })
    other.jobs.startRecovery()
    // Recovery looks at the batch first, then at the job of this model.
    await vi.waitFor(() => expect(other.requests.length).toBeGreaterThan(0), 10_000)
    expect(await other.jobs.batch(owner, id)).toMatchObject({
      state: 'queued',
      waitsForModels: ['fake-asr'],
    })
    await other.close()

    const second = await space.open()
    second.jobs.startRecovery()
    const done = await ended(second, id)
    expect([done.state, done.waitsForModels]).toEqual(['completed', undefined])
    expect([other.requests.length, second.requests.length]).toEqual([1, 2])
    await second.close()
  })

  it('cancelling ends the rest and keeps what is done', async () => {
    let left = 2
    const never = new Promise<void>(() => {})
    const harness = await space.open({ recognise: () => (left-- > 0 ? Promise.resolve() : never) })
    await put('a.wav', 'b.wav', 'c.wav', 'd.wav')
    const id = await order(harness)
    const done = async () => (await harness.jobs.batch(owner, id)).items.filter(({ end }) => end).length
    await vi.waitFor(async () => expect(await done()).toBe(2))
    await harness.jobs.cancel(owner, id)
    const view = await harness.jobs.batch(owner, id)
    expect(view.state).toBe('cancelled')
    expect(
      outcome(view)
        .map(([, state]) => state)
        .sort(),
    ).toEqual(['cancelled', 'cancelled', 'completed', 'completed'])
    await vi.waitFor(() => expect(harness.jobs.activeJobs()).toBe(0))
  })

  it('a call that is cancelled stops its batch, and one that only detaches leaves it going', async () => {
    const latch = createLatch()
    const harness = await space.open({ recognise: () => latch.opened })
    await put('a.wav', 'b.wav')
    const id = await order(harness)
    const leave = async (reason: 'cancelled' | 'detached') => {
      const abort = new AbortController()
      const watch = { owner, signal: abort.signal, disconnectReason: () => reason }
      const waiting = harness.jobs.watch(id, watch).catch(() => {})
      abort.abort()
      await waiting
    }
    await leave('cancelled')
    expect((await harness.jobs.batch(owner, id)).state).toBe('cancelled')
    latch.open()
    expect(await order(harness)).toBe(id)
    await leave('detached')
    expect((await ended(harness, id)).state).toBe('completed')
  })

  it('deleting a batch deletes its list and keeps the transcripts', async () => {
    const harness = await space.open()
    await put('a.wav')
    const id = await order(harness)
    const transcript = (await ended(harness, id)).items[0]!.id
    await harness.jobs.remove(owner, id)
    await expect(harness.jobs.batch(owner, id)).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
    expect((await harness.jobs.read(owner, transcript)).status).toBe('completed')
  })

  it('the id of a batch is no transcript', async () => {
    const harness = await space.open()
    await put('a.wav')
    const id = await order(harness)
    await ended(harness, id)
    const hint = { code: 'BAD_INPUT', message: 'This is the id of a batch, not of a transcript.' }
    await expect(harness.jobs.read(owner, id)).rejects.toMatchObject(hint)
    await expect(harness.jobs.rename(owner, id, { title: 'x' })).rejects.toMatchObject(hint)
  })
})
