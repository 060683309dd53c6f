// Transcripts made readable: once for whoever asks, kept beside what was recognised, gone with it.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Store } from '../../../../src/domain/ports.ts'
import type { Segment, Style, Transcript } from '../../../../src/domain/transcript.ts'
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
import { longTranscript, wordsOf } from '../../../support/text/unpunctuated.ts'
import { segment, transcript } from '../../../support/transcripts.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace()
})
afterEach(() => workspace.close())

const eventually = { timeout: 30_000, interval: 20 }
const id = 'tr_1'
const refused = new SpeechError('CONTENT_REFUSED', 'No.', { hint: 'Ask for something else.' })

function format({ jobs }: Harness, style: Style = 'faithful', more: Partial<WatchOptions> = {}) {
  const { signal } = new AbortController()
  return jobs.format({ transcriptId: id, style }, { owner, signal, ...more })
}

/** A process with a stored transcript of many pieces. */
async function withTranscript(
  wish: Parameters<typeof fakeTextModel>[0] = {},
  store?: (store: Store) => Store,
) {
  const model = fakeTextModel(wish)
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

function changeWords({ segments, ...rest }: Transcript): Transcript {
  const [first, ...others] = segments
  return { ...rest, segments: [{ ...first, text: `hear hear ${first!.text}` } as Segment, ...others] }
}

describe('a transcript that is formatted', () => {
  it('in one style unseen and then in another is made anew in the first one', async () => {
    const { harness, read } = await withTranscript()
    expect(await format(harness, 'faithful', { seconds: 0 })).toMatchObject({ status: 'running' })
    await vi.waitUntil(async () => (await read()).formatted !== undefined, eventually)
    await format(harness, 'clean')
    expect((await read()).formatted?.style).toBe('clean')
    expect(await format(harness, 'faithful')).toMatchObject({ status: 'completed' })
    expect((await read()).formatted?.style).toBe('faithful')
  })

  it('has its formatted text beside it, in the same words, and the same call costs nothing', async () => {
    const { harness, model, read } = await withTranscript()
    expect(await format(harness)).toEqual({ status: 'completed', cached: false, warnings: [] })
    const { formatted, segments } = await read()
    expect(formatted).toMatchObject({ style: 'faithful', models: ['quill'], failed: 0 })
    expect(formatted!.segments[0]!.text).toMatch(/^The/)
    expect(wordsOf(formatted!.segments)).toEqual(wordsOf(segments))
    expect(model.requests.length).toBeGreaterThan(1)

    const asked = model.requests.length
    expect(await format(harness)).toEqual({ status: 'completed', cached: true, warnings: [] })
    expect(model.requests).toHaveLength(asked)
  })

  it('is stored as it was recognised, whatever is written of it later', async () => {
    const { harness, read } = await withTranscript()
    await format(harness)
    const renamed = await harness.jobs.rename(owner, id, { title: 'A talk about talks' })
    expect(renamed.formatted).toBeDefined()
    expect((await harness.stored(id)).transcript).toEqual({
      ...longTranscript(id),
      title: 'A talk about talks',
    })
    expect((await read()).formatted).toEqual(renamed.formatted)
  })

  it('is told of to who listens', async () => {
    const { harness, read } = await withTranscript()
    const heard: unknown[] = []
    harness.jobs.subscribe(change => void heard.push(change, read()))
    await format(harness)
    expect(heard[0]).toEqual({ owner, id, listChanged: false })
    expect(await heard[1]).toMatchObject({ formatted: { style: 'faithful' } })
  })

  it('reads as it was asked for last, and going back costs nothing', async () => {
    const { harness, model, read } = await withTranscript()
    await format(harness, 'faithful')
    const { formatted } = await read()
    await format(harness, 'clean')
    expect((await read()).formatted).toMatchObject({ style: 'clean' })
    const asked = model.requests.length
    await format(harness, 'faithful')
    expect((await read()).formatted).toMatchObject({ style: 'faithful', segments: formatted!.segments })
    expect(model.requests).toHaveLength(asked)
  })

  it('shows its own words when they have changed since, and says that it can be formatted again', async () => {
    const { harness, read } = await withTranscript()
    await format(harness)
    await harness.store.putTranscript(owner, changeWords(longTranscript(id)))
    const changed = await read()
    expect(changed.formatted).toBeUndefined()
    expect(changed.warnings).toEqual([expect.stringMatching(/have changed .* format_text/)])

    expect(await format(harness)).toMatchObject({ cached: false })
    expect(await read()).toMatchObject({ warnings: [], formatted: { style: 'faithful' } })
    expect((await read()).formatted!.segments[0]!.text).toMatch(/^Hear hear the/)
  })

  it('is not shown in words that changed while they were formatted', async () => {
    const { open, opened } = createLatch()
    const { harness, model, read } = await withTranscript({ before: () => opened })
    const formatting = format(harness)
    await vi.waitFor(() => expect(model.requests).not.toHaveLength(0), eventually)
    await harness.store.putTranscript(owner, changeWords(longTranscript(id)))
    open()
    expect((await formatting).warnings).toEqual([expect.stringContaining('changed while')])
    expect(await read()).toMatchObject({ warnings: [] })
    expect((await read()).formatted).toBeUndefined()
  })

  it('is asked about again in another language', async () => {
    const { harness } = await withTranscript()
    const { signal } = new AbortController()
    const inGerman = () =>
      harness.jobs.format({ transcriptId: id, style: 'clean', language: 'de' }, { owner, signal })
    await format(harness, 'clean')
    expect((await inGerman()).cached).toBe(false)
    expect((await inGerman()).cached).toBe(true)
    expect((await format(harness, 'clean')).cached).toBe(true)
  })
})

describe('a transcript that cannot be formatted', () => {
  it('stays as it is where no piece has an answer, says why, and is tried again', async () => {
    let isWell = false
    const { harness, model, read } = await withTranscript({
      before: () => (isWell ? Promise.resolve() : Promise.reject(refused)),
    })
    const { status, warnings } = await format(harness)
    expect(status).toBe('completed')
    expect(warnings).not.toEqual([])
    expect((await read()).formatted).toBeUndefined()
    isWell = true
    const asked = model.requests.length
    expect(await format(harness)).toEqual({ status: 'completed', cached: false, warnings: [] })
    expect(model.requests.length).toBeGreaterThan(asked)
    expect((await read()).formatted).toBeDefined()
  })

  it('in part shows the rest, and asks again for nothing but that part', async () => {
    let isWell = false
    const { harness, model, read } = await withTranscript({
      before: async text => {
        if (!isWell && text.includes('passage 7 ')) throw refused
      },
    })
    await format(harness)
    const { formatted, segments } = await read()
    expect(formatted!.failed).toBe(1)
    expect(formatted!.warnings).not.toEqual([])
    expect(wordsOf(formatted!.segments)).toEqual(wordsOf(segments))

    isWell = true
    const asked = model.requests.length
    expect((await format(harness)).cached).toBe(false)
    expect(model.requests.slice(asked)).toEqual([expect.stringContaining('passage 7 ')])
    expect((await read()).formatted!.failed).toBe(0)
    expect((await format(harness)).cached).toBe(true)
  })

  it('is one without text', async () => {
    const { harness, model } = await withTranscript()
    await harness.store.putTranscript(owner, transcript({ id, segments: [] }))
    expect(await format(harness)).toMatchObject({ status: 'completed', cached: true, warnings: [/no text/] })
    expect(model.requests).toEqual([])
  })

  it('is one with hardly any text, and costs no request', async () => {
    const { harness, model, read } = await withTranscript()
    await harness.store.putTranscript(owner, transcript({ id, segments: [segment('hello there', 0, 1)] }))
    expect(await format(harness)).toMatchObject({ status: 'completed' })
    expect(model.requests).toEqual([])
    expect((await read()).segments[0]!.text).toBe('hello there')
  })

  it('is one that there is not, or that is somebody else’s', async () => {
    const { open, opened } = createLatch()
    const { harness, model } = await withTranscript({ before: () => opened })
    const other = { owner: 'bob' }
    await expect(format(harness, 'faithful', other)).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
    const formatting = format(harness)
    await vi.waitFor(() => expect(model.requests).not.toHaveLength(0), eventually)
    await expect(format(harness, 'faithful', other)).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
    await expect(harness.jobs.cancel('bob', id)).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
    open()
    expect((await formatting).status).toBe('completed')
    await expect(format(harness, 'faithful', other)).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
  })
})

describe('a call for formatted text', () => {
  it('joins the one that is under way', async () => {
    const { open, opened } = createLatch()
    const { harness, model } = await withTranscript({ before: () => opened })
    const calls = [format(harness), format(harness)]
    await vi.waitFor(() => expect(model.requests).not.toHaveLength(0), eventually)
    calls.push(format(harness))
    open()
    for (const state of await Promise.all(calls)) expect(state.status).toBe('completed')
    expect(new Set(model.requests).size).toBe(model.requests.length)
  })

  it('whose time is up leaves the work going, and the next one has what it paid for', async () => {
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

  it('hears how far it is', async () => {
    const { harness } = await withTranscript({ concurrency: 1 })
    const steps: (number | undefined)[] = []
    await format(harness, 'faithful', { onProgress: ({ done, total }) => steps.push(total && done) })
    expect(steps.length).toBeGreaterThan(1)
    expect(steps.at(-1)).toBeGreaterThan(0)
  })

  it('that is cancelled stops the work', async () => {
    const { harness, model } = await withTranscript({ before: () => new Promise(() => {}) })
    const { leave, watch } = createLeavingCaller()
    const left = format(harness, 'faithful', watch)
    left.catch(() => {})
    await vi.waitFor(() => expect(model.requests).not.toHaveLength(0), eventually)
    leave()
    await expect(left).rejects.toThrow()
    expect(model.stopped()).toBe(model.requests.length)
  })

  it('that is cancelled stops nothing where another one waits', async () => {
    const { open, opened } = createLatch()
    const { harness, model } = await withTranscript({ before: () => opened })
    const { leave, watch } = createLeavingCaller()
    const left = format(harness, 'faithful', watch)
    left.catch(() => {})
    const staying = format(harness)
    await vi.waitFor(() => expect(model.requests).not.toHaveLength(0), eventually)
    leave()
    await expect(left).rejects.toThrow()
    open()
    expect((await staying).status).toBe('completed')
    expect(model.stopped()).toBe(0)
  })

  it('that merely goes stops nothing', async () => {
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

  it('whose connection broke has a moment to come back', async () => {
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

  it('that does not come back does not go on for nobody', async () => {
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
  it('a transcript that is being formatted stops that, and whoever waits hears of it', async () => {
    const { harness, model } = await withTranscript({ before: () => new Promise(() => {}) })
    const waiting = format(harness)
    waiting.catch(() => {})
    await vi.waitFor(() => expect(model.requests).not.toHaveLength(0), eventually)
    expect(await harness.jobs.cancel(owner, id)).toMatchObject({ state: 'completed' })
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(model.stopped()).toBe(model.requests.length)
  })

  it('leaves nothing of what was formatted', async () => {
    const { harness, left } = await withWatchedStore()
    await format(harness)
    expect(await left()).not.toEqual([])
    await harness.jobs.remove(owner, id)
    expect(await left()).toEqual([])
  })

  it('leaves nothing either while pieces are still on their way', async () => {
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

  it('elsewhere leaves nothing either', async () => {
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

describe('a process that ends while it formats', () => {
  it('answers who waits with what there is, and the next one asks for the rest alone', async () => {
    const { harness, model } = await withTranscript({
      before: (_, n) => (n === 0 ? Promise.resolve() : new Promise(() => {})),
      concurrency: 1,
    })
    const waiting = format(harness)
    await vi.waitFor(() => expect(model.requests.length).toBeGreaterThan(1), eventually)
    await harness.close()
    expect(await waiting).toMatchObject({ status: 'running' })
    expect(model.stopped()).toBe(1)

    const next = fakeTextModel()
    const other = await workspace.open({ textModel: next })
    expect(await format(other)).toMatchObject({ status: 'completed', cached: false })
    expect(next.requests).not.toContain(model.requests[0])
    expect(next.requests).toContain(model.requests[1])
  })

  it('answers the next one from what is whole', async () => {
    const { harness } = await withTranscript()
    await format(harness)
    await harness.close()
    const next = fakeTextModel()
    const other = await workspace.open({ textModel: next })
    expect(await format(other)).toMatchObject({ cached: true })
    expect(next.requests).toEqual([])
  })
})

describe('a store that fails', () => {
  it('does not cost the formatted text: this process reads it from memory, with a warning', async () => {
    const { harness, model, read } = await withTranscript({}, store => ({
      ...store,
      putCheckpoint: () =>
        Promise.reject(new SpeechError('DISK_FULL', 'The disk is full.', { hint: 'Make room.' })),
    }))
    expect(await format(harness)).toMatchObject({ status: 'completed' })
    expect((await read()).formatted!.warnings).toEqual([
      expect.stringMatching(/could not be stored.*DISK_FULL/),
    ])
    const requests = model.requests.length
    expect(await format(harness)).toMatchObject({ cached: true })
    expect(model.requests).toHaveLength(requests)
  })

  it('stores the formatted text of another style once it works again', async () => {
    let isFailing = true
    const { harness, read } = await withTranscript({}, store => ({
      ...store,
      async putCheckpoint(...given) {
        if (isFailing) throw new SpeechError('DISK_FULL', 'The disk is full.', { hint: 'Make room.' })
        return store.putCheckpoint(...given)
      },
    }))
    await format(harness)
    isFailing = false
    await format(harness, 'clean')
    expect((await read()).formatted).toMatchObject({ style: 'clean', warnings: [] })
    const other = await workspace.open()
    expect((await other.jobs.read(owner, id)).formatted).toMatchObject({ style: 'clean' })
  })

  it('to be read gives the transcript as it was recognised', async () => {
    const { harness, read } = await withTranscript({}, store => ({
      ...store,
      getCheckpoint: () =>
        Promise.reject(new SpeechError('STORE_FAILED', 'It cannot be read.', { hint: 'Look at the disk.' })),
    }))
    await format(harness)
    expect(await read()).toEqual(longTranscript(id))
  })
})
