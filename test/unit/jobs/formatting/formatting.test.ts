// Formatted transcripts: formatted once for all calls, stored beside the recognised text, deleted with it.
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

const eventually = { timeout: 60_000, interval: 20 }
const id = 'tr_1'
const refused = new SpeechError('CONTENT_REFUSED', 'No.', { hint: 'Ask for something else.' })

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

function changeWords({ segments, ...rest }: Transcript): Transcript {
  const [first, ...others] = segments
  return { ...rest, segments: [{ ...first, text: `hear hear ${first!.text}` } as Segment, ...others] }
}

describe('a transcript that is formatted', () => {
  it('a transcript formatted in two styles can be formatted in the first one again', async () => {
    const { harness, read } = await withTranscript()
    expect(await format(harness, 'faithful', { seconds: 0 })).toMatchObject({ status: 'running' })
    await vi.waitUntil(async () => (await read()).formatted !== undefined, eventually)
    await format(harness, 'clean')
    expect((await read()).formatted?.style).toBe('clean')
    expect(await format(harness, 'faithful')).toMatchObject({ status: 'completed' })
    expect((await read()).formatted?.style).toBe('faithful')
  })

  it('a transcript is formatted in its own words, and the same call again costs nothing', async () => {
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

  it('a formatted transcript is stored as it was recognised, also after a rename', async () => {
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

  it('subscribers are notified of a formatted transcript', async () => {
    const { harness, read } = await withTranscript()
    const changes: unknown[] = []
    harness.jobs.subscribe(change => void changes.push(change, read()))
    await format(harness)
    expect(changes[0]).toEqual({ owner, id, listChanged: false })
    expect(await changes[1]).toMatchObject({ formatted: { style: 'faithful' } })
  })

  it('a transcript shows the style requested last, and an earlier style costs nothing', async () => {
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

  it('a transcript whose words have changed is shown unformatted with a warning', async () => {
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

  it('a formatted text is discarded if the words changed meanwhile', async () => {
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

  it('a transcript is formatted again for another language', async () => {
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
  it('a transcript without any formatted piece stays as it is, says why, and is tried again', async () => {
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

  it('a partly formatted transcript asks again for the failed piece only', async () => {
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

  it('a transcript without text is not formatted', async () => {
    const { harness, model } = await withTranscript()
    await harness.store.putTranscript(owner, transcript({ id, segments: [] }))
    expect(await format(harness)).toMatchObject({ status: 'completed', cached: true, warnings: [/no text/] })
    expect(model.requests).toEqual([])
  })

  it('a transcript with hardly any text costs no request', async () => {
    const { harness, model, read } = await withTranscript()
    await harness.store.putTranscript(owner, transcript({ id, segments: [segment('hello there', 0, 1)] }))
    expect(await format(harness)).toMatchObject({ status: 'completed' })
    expect(model.requests).toEqual([])
    expect((await read()).segments[0]!.text).toBe('hello there')
  })

  it('an unknown or foreign transcript is not found', async () => {
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

describe('a process that ends while it formats', () => {
  it('a closing process answers with `running`, and the next one formats only the rest', async () => {
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

  it('a completely formatted transcript is cached for the next process', async () => {
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
  it('a formatted text that cannot be stored is read from memory with a warning', async () => {
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

  it('a format in another style is stored once the store works again', async () => {
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

  it('a format that cannot be read leaves the transcript as it was recognised', async () => {
    const { harness, read } = await withTranscript({}, store => ({
      ...store,
      getCheckpoint: () =>
        Promise.reject(new SpeechError('STORE_FAILED', 'It cannot be read.', { hint: 'Look at the disk.' })),
    }))
    await format(harness)
    expect(await read()).toEqual(longTranscript(id))
  })
})
