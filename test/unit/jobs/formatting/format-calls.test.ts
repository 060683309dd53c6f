// Calls for formatted text: they join the work that is under way, and stop it when the last one leaves.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Store } from '../../../../src/domain/ports.ts'
import type { Style } from '../../../../src/domain/transcript.ts'
import type { WatchOptions } from '../../../../src/jobs/jobs.ts'
import { fakeTextModel } from '../../../support/jobs/fake-text-model.ts'
import {
  createLatch,
  createWorkspace,
  type Harness,
  owner,
  storeTranscript,
  type Workspace,
} from '../../../support/jobs/harness.ts'
import { longTranscript } from '../../../support/text/unpunctuated.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace()
})
afterEach(() => workspace.close())

const eventually = { timeout: 60_000, interval: 20 }
const id = 'tr_1'
function format({ jobs }: Harness, style: Style = 'faithful', more: Partial<WatchOptions> = {}) {
  const { signal } = new AbortController()
  return jobs.format({ transcriptId: id, style }, { owner, signal, ...more })
}

/** A process with a stored transcript of many pieces. */
async function withTranscript(
  options: Parameters<typeof fakeTextModel>[0] = {},
  store?: (store: Store) => Store,
) {
  const model = fakeTextModel(options)
  const harness = await workspace.open({ textModel: model, ...(store && { store }) })
  await storeTranscript(harness, longTranscript(id))
  return { harness, model, read: () => harness.jobs.read(owner, id) }
}

/** A caller that leaves before the end. */
function createLeavingCaller(disconnectReason?: WatchOptions['disconnectReason']) {
  const leaving = new AbortController()
  return {
    leave: () => leaving.abort(),
    watch: { signal: leaving.signal, disconnectReason },
  }
}

describe('a call for formatted text', () => {
  it('a second call for the same format joins the first', async () => {
    const { open, opened } = createLatch()
    const { harness, model } = await withTranscript({ before: () => opened })
    const calls = [format(harness), format(harness)]
    await vi.waitFor(() => expect(model.requests).not.toHaveLength(0), eventually)
    calls.push(format(harness))
    open()
    for (const state of await Promise.all(calls)) expect(state.status).toBe('completed')
    expect(new Set(model.requests).size).toBe(model.requests.length)
  })

  it('a call whose time is up leaves the formatting going for the next call', async () => {
    const { open, opened } = createLatch()
    const { harness, model, read } = await withTranscript({ before: () => opened })
    expect(await format(harness, 'faithful', { seconds: 0 })).toMatchObject({ status: 'running' })
    const { leave, watch } = createLeavingCaller()
    const left = format(harness, 'faithful', watch)
    left.catch(() => {})
    leave()
    await expect(left).rejects.toThrow()
    open()
    await vi.waitFor(async () => expect((await read()).formatted).toBeDefined(), eventually)
    expect(model.stopped()).toBe(0)
    expect(await format(harness)).toMatchObject({ status: 'completed', cached: false })
    expect(await format(harness)).toMatchObject({ status: 'completed', cached: true })
  })

  it('a call for a format receives progress', async () => {
    const { harness } = await withTranscript({ concurrency: 1 })
    const steps: (number | undefined)[] = []
    await format(harness, 'faithful', { onProgress: ({ done, total }) => steps.push(total && done) })
    expect(steps.length).toBeGreaterThan(1)
    expect(steps.at(-1)).toBeGreaterThan(0)
  })

  it('a cancelled call stops the formatting', async () => {
    const { harness, model } = await withTranscript({ before: () => new Promise(() => {}) })
    const { leave, watch } = createLeavingCaller()
    const left = format(harness, 'faithful', watch)
    left.catch(() => {})
    await vi.waitFor(() => expect(model.requests).not.toHaveLength(0), eventually)
    leave()
    await expect(left).rejects.toThrow()
    expect(model.stopped()).toBe(model.requests.length)
  })

  it('a cancelled call stops nothing while another one waits', async () => {
    const { open, opened } = createLatch()
    const { harness, model } = await withTranscript({ before: () => opened })
    const { leave, watch } = createLeavingCaller()
    const left = format(harness, 'faithful', watch)
    left.catch(() => {})
    const joined = createLatch()
    // Its first progress shows that it has joined: the requests may be those of the other call alone.
    const staying = format(harness, 'faithful', { onProgress: joined.open })
    await joined.opened
    await vi.waitFor(() => expect(model.requests).not.toHaveLength(0), eventually)
    leave()
    await expect(left).rejects.toThrow()
    open()
    expect((await staying).status).toBe('completed')
    expect(model.stopped()).toBe(0)
  })

  it('a detached call stops nothing', async () => {
    const { open, opened } = createLatch()
    const { harness, model, read } = await withTranscript({ before: () => opened })
    const { leave, watch } = createLeavingCaller(() => 'detached')
    const left = format(harness, 'faithful', watch)
    left.catch(() => {})
    await vi.waitFor(() => expect(model.requests).not.toHaveLength(0), eventually)
    leave()
    await expect(left).rejects.toThrow()
    open()
    await vi.waitFor(async () => expect((await read()).formatted).toBeDefined(), eventually)
  })

  it('a disconnected call can come back within a moment', async () => {
    const { open, opened } = createLatch()
    const { harness, model } = await withTranscript({ before: () => opened })
    const { leave, watch } = createLeavingCaller(() => 'disconnected')
    const left = format(harness, 'faithful', watch)
    left.catch(() => {})
    await vi.waitFor(() => expect(model.requests).not.toHaveLength(0), eventually)
    leave()
    await expect(left).rejects.toThrow()
    const back = format(harness)
    open()
    expect((await back).status).toBe('completed')
    expect(model.stopped()).toBe(0)
  })

  it('the formatting of a disconnected call that does not come back stops', async () => {
    const { harness, model } = await withTranscript({ before: () => new Promise(() => {}) })
    const { leave, watch } = createLeavingCaller(() => 'disconnected')
    const left = format(harness, 'faithful', watch)
    left.catch(() => {})
    await vi.waitFor(() => expect(model.requests).not.toHaveLength(0), eventually)
    leave()
    await expect(left).rejects.toThrow()
    await vi.waitFor(() => expect(model.stopped()).toBe(model.requests.length), eventually)
  })
})

describe('cancelling and deleting', () => {
  it('cancelling a transcript stops its formatting and reports that to waiting calls', async () => {
    const { harness, model } = await withTranscript({ before: () => new Promise(() => {}) })
    const waiting = format(harness)
    waiting.catch(() => {})
    await vi.waitFor(() => expect(model.requests).not.toHaveLength(0), eventually)
    expect(await harness.jobs.cancel(owner, id)).toMatchObject({ state: 'completed' })
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(model.stopped()).toBe(model.requests.length)
  })

  it('removing a transcript deletes its formatted text', async () => {
    const { harness, left } = await withWatchedStore()
    await format(harness)
    expect(await left()).not.toEqual([])
    await harness.jobs.remove(owner, id)
    expect(await left()).toEqual([])
  })

  it('removing a transcript during its formatting leaves no checkpoints', async () => {
    const { harness, model, left } = await withWatchedStore(n =>
      n === 0 ? Promise.resolve() : new Promise(() => {}),
    )
    const waiting = format(harness)
    waiting.catch(() => {})
    await vi.waitFor(() => expect(model.requests.length).toBeGreaterThan(1), eventually)
    await vi.waitFor(async () => expect(await left()).not.toEqual([]), eventually)
    await harness.jobs.remove(owner, id)
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(await left()).toEqual([])
  })

  it('removing a transcript in another process during its formatting leaves no checkpoints', async () => {
    const { open, opened } = createLatch()
    const { harness, model, left } = await withWatchedStore(() => opened)
    const waiting = format(harness)
    waiting.catch(() => {})
    await vi.waitFor(() => expect(model.requests).not.toHaveLength(0), eventually)
    const other = await workspace.open()
    await other.jobs.remove(owner, id)
    open()
    await expect(waiting).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
    expect(await left()).toEqual([])
  })

  /** A store of which is known what was ever kept. */
  async function withWatchedStore(before: (n: number) => Promise<unknown> = async () => {}) {
    const keys = new Set<string>()
    const talk = await withTranscript({ before: (_, n) => before(n) }, store => ({
      ...store,
      putCheckpoint(owner, key, ...rest) {
        keys.add(key)
        return store.putCheckpoint(owner, key, ...rest)
      },
    }))
    const left = async () => {
      const found = await Promise.all(
        [...keys].map(async key => (await talk.harness.store.getCheckpoint(owner, key)) && key),
      )
      return found.filter(key => key !== undefined)
    }
    return { ...talk, left }
  }
})
