// Transcripts made readable: once for whoever asks, kept beside what was recognised, gone with it.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Store } from '../../../../src/domain/ports.ts'
import type { Segment, Style, Transcript } from '../../../../src/domain/transcript.ts'
import type { WatchOptions } from '../../../../src/jobs/jobs.ts'
import { scribe } from '../../../support/jobs/fake-text-model.ts'
import { createLatch, type House, me, type Site, startSite } from '../../../support/jobs/harness.ts'
import { longTranscript, wordsOf } from '../../../support/text/unpunctuated.ts'
import { segment, transcript } from '../../../support/transcripts.ts'

let site: Site
beforeEach(async () => {
  site = await startSite()
})
afterEach(() => site.close())

const patient = { timeout: 30_000, interval: 20 }
const id = 'tr_1'
const refused = new SpeechError('CONTENT_REFUSED', 'No.', { hint: 'Ask for something else.' })

function format({ jobs }: House, style: Style = 'faithful', more: Partial<WatchOptions> = {}) {
  const { signal } = new AbortController()
  return jobs.format({ transcriptId: id, style }, { owner: me, signal, ...more })
}

/** A house with a transcript of many pieces that was made before there were jobs. */
async function withTalk(wish: Parameters<typeof scribe>[0] = {}, store?: (store: Store) => Store) {
  const model = scribe(wish)
  const house = await site.open({ textModel: model, ...(store && { store }) })
  await house.store.putTranscript(me, longTranscript(id))
  return { house, model, read: () => house.jobs.read(me, id) }
}

/** A caller who goes, and how. */
function leaver(departure?: WatchOptions['disconnectReason']) {
  const leaving = new AbortController()
  return {
    leave: () => leaving.abort(),
    watch: { signal: leaving.signal, ...(departure && { departure }) },
  }
}

function changeWords({ segments, ...rest }: Transcript): Transcript {
  const [first, ...others] = segments
  return { ...rest, segments: [{ ...first, text: `hear hear ${first!.text}` } as Segment, ...others] }
}

describe('a transcript that is formatted', () => {
  it('in one style unseen and then in another is made anew in the first one', async () => {
    const { house, read } = await withTalk()
    expect(await format(house, 'faithful', { seconds: 0 })).toMatchObject({ status: 'running' })
    await vi.waitUntil(async () => (await read()).formatted !== undefined, patient)
    await format(house, 'clean')
    expect((await read()).formatted?.style).toBe('clean')
    expect(await format(house, 'faithful')).toMatchObject({ status: 'completed' })
    expect((await read()).formatted?.style).toBe('faithful')
  })

  it('has its formatted text beside it, in the same words, and the same call costs nothing', async () => {
    const { house, model, read } = await withTalk()
    expect(await format(house)).toEqual({ status: 'completed', answered: false, warnings: [] })
    const { formatted, segments } = await read()
    expect(formatted).toMatchObject({ style: 'faithful', models: ['quill'], failed: 0 })
    expect(formatted!.segments[0]!.text).toMatch(/^The/)
    expect(wordsOf(formatted!.segments)).toEqual(wordsOf(segments))
    expect(model.asked.length).toBeGreaterThan(1)

    const asked = model.asked.length
    expect(await format(house)).toEqual({ status: 'completed', answered: true, warnings: [] })
    expect(model.asked).toHaveLength(asked)
  })

  it('is stored as it was recognised, whatever is written of it later', async () => {
    const { house, read } = await withTalk()
    await format(house)
    const renamed = await house.jobs.rename(me, id, { title: 'A talk about talks' })
    expect(renamed.formatted).toBeDefined()
    expect((await house.stored(id)).transcript).toEqual({
      ...longTranscript(id),
      title: 'A talk about talks',
    })
    expect((await read()).formatted).toEqual(renamed.formatted)
  })

  it('is told of to who listens', async () => {
    const { house, read } = await withTalk()
    const heard: unknown[] = []
    house.jobs.subscribe(change => void heard.push(change, read()))
    await format(house)
    expect(heard[0]).toEqual({ owner: me, id, listed: false })
    expect(await heard[1]).toMatchObject({ formatted: { style: 'faithful' } })
  })

  it('reads as it was asked for last, and going back costs nothing', async () => {
    const { house, model, read } = await withTalk()
    await format(house, 'faithful')
    const { formatted } = await read()
    await format(house, 'clean')
    expect((await read()).formatted).toMatchObject({ style: 'clean' })
    const asked = model.asked.length
    await format(house, 'faithful')
    expect((await read()).formatted).toMatchObject({ style: 'faithful', segments: formatted!.segments })
    expect(model.asked).toHaveLength(asked)
  })

  it('shows its own words when they have changed since, and says that it can be formatted again', async () => {
    const { house, read } = await withTalk()
    await format(house)
    await house.store.putTranscript(me, changeWords(longTranscript(id)))
    const changed = await read()
    expect(changed.formatted).toBeUndefined()
    expect(changed.warnings).toEqual([expect.stringMatching(/have changed .* format_text/)])

    expect(await format(house)).toMatchObject({ answered: false })
    expect(await read()).toMatchObject({ warnings: [], formatted: { style: 'faithful' } })
    expect((await read()).formatted!.segments[0]!.text).toMatch(/^Hear hear the/)
  })

  it('is not shown in words that changed while they were formatted', async () => {
    const { open, opened } = createLatch()
    const { house, model, read } = await withTalk({ before: () => opened })
    const formatting = format(house)
    await vi.waitFor(() => expect(model.asked).not.toHaveLength(0), patient)
    await house.store.putTranscript(me, changeWords(longTranscript(id)))
    open()
    expect((await formatting).warnings).toEqual([expect.stringContaining('changed while')])
    expect(await read()).toMatchObject({ warnings: [] })
    expect((await read()).formatted).toBeUndefined()
  })

  it('is asked about again in another language', async () => {
    const { house } = await withTalk()
    const { signal } = new AbortController()
    const inGerman = () =>
      house.jobs.format({ transcriptId: id, style: 'clean', language: 'de' }, { owner: me, signal })
    await format(house, 'clean')
    expect((await inGerman()).answered).toBe(false)
    expect((await inGerman()).answered).toBe(true)
    expect((await format(house, 'clean')).answered).toBe(true)
  })
})

describe('a transcript that cannot be formatted', () => {
  it('stays as it is where no piece has an answer, says why, and is tried again', async () => {
    let isWell = false
    const { house, model, read } = await withTalk({
      before: () => (isWell ? Promise.resolve() : Promise.reject(refused)),
    })
    const { status, warnings } = await format(house)
    expect(status).toBe('completed')
    expect(warnings).not.toEqual([])
    expect((await read()).formatted).toBeUndefined()
    isWell = true
    const asked = model.asked.length
    expect(await format(house)).toEqual({ status: 'completed', answered: false, warnings: [] })
    expect(model.asked.length).toBeGreaterThan(asked)
    expect((await read()).formatted).toBeDefined()
  })

  it('in part shows the rest, and asks again for nothing but that part', async () => {
    let isWell = false
    const { house, model, read } = await withTalk({
      before: async text => {
        if (!isWell && text.includes('passage 7 ')) throw refused
      },
    })
    await format(house)
    const { formatted, segments } = await read()
    expect(formatted!.failed).toBe(1)
    expect(formatted!.warnings).not.toEqual([])
    expect(wordsOf(formatted!.segments)).toEqual(wordsOf(segments))

    isWell = true
    const asked = model.asked.length
    expect((await format(house)).answered).toBe(false)
    expect(model.asked.slice(asked)).toEqual([expect.stringContaining('passage 7 ')])
    expect((await read()).formatted!.failed).toBe(0)
    expect((await format(house)).answered).toBe(true)
  })

  it('is one without text', async () => {
    const { house, model } = await withTalk()
    await house.store.putTranscript(me, transcript({ id, segments: [] }))
    expect(await format(house)).toMatchObject({ status: 'completed', answered: true, warnings: [/no text/] })
    expect(model.asked).toEqual([])
  })

  it('is one with hardly any text, and costs no request', async () => {
    const { house, model, read } = await withTalk()
    await house.store.putTranscript(me, transcript({ id, segments: [segment('hello there', 0, 1)] }))
    expect(await format(house)).toMatchObject({ status: 'completed' })
    expect(model.asked).toEqual([])
    expect((await read()).segments[0]!.text).toBe('hello there')
  })

  it('is one that there is not, or that is somebody else’s', async () => {
    const { open, opened } = createLatch()
    const { house, model } = await withTalk({ before: () => opened })
    const other = { owner: 'bob' }
    await expect(format(house, 'faithful', other)).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
    const formatting = format(house)
    await vi.waitFor(() => expect(model.asked).not.toHaveLength(0), patient)
    await expect(format(house, 'faithful', other)).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
    await expect(house.jobs.cancel('bob', id)).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
    open()
    expect((await formatting).status).toBe('completed')
    await expect(format(house, 'faithful', other)).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
  })
})

describe('a call for formatted text', () => {
  it('joins the one that is under way', async () => {
    const { open, opened } = createLatch()
    const { house, model } = await withTalk({ before: () => opened })
    const calls = [format(house), format(house)]
    await vi.waitFor(() => expect(model.asked).not.toHaveLength(0), patient)
    calls.push(format(house))
    open()
    for (const state of await Promise.all(calls)) expect(state.status).toBe('completed')
    expect(new Set(model.asked).size).toBe(model.asked.length)
  })

  it('whose time is up leaves the work going, and the next one has what it paid for', async () => {
    const { open, opened } = createLatch()
    const { house, model, read } = await withTalk({ before: () => opened })
    expect(await format(house, 'faithful', { seconds: 0 })).toMatchObject({ status: 'running' })
    const { leave, watch } = leaver()
    const left = format(house, 'faithful', watch)
    left.catch(() => {})
    leave()
    await expect(left).rejects.toThrow()
    open()
    await vi.waitFor(async () => expect((await read()).formatted).toBeDefined(), patient)
    expect(model.stopped()).toBe(0)
    expect(await format(house)).toMatchObject({ status: 'completed', answered: false })
    expect(await format(house)).toMatchObject({ status: 'completed', answered: true })
  })

  it('hears how far it is', async () => {
    const { house } = await withTalk({ concurrency: 1 })
    const steps: (number | undefined)[] = []
    await format(house, 'faithful', { onProgress: ({ done, total }) => steps.push(total && done) })
    expect(steps.length).toBeGreaterThan(1)
    expect(steps.at(-1)).toBeGreaterThan(0)
  })

  it('that is cancelled stops the work', async () => {
    const { house, model } = await withTalk({ before: () => new Promise(() => {}) })
    const { leave, watch } = leaver()
    const left = format(house, 'faithful', watch)
    left.catch(() => {})
    await vi.waitFor(() => expect(model.asked).not.toHaveLength(0), patient)
    leave()
    await expect(left).rejects.toThrow()
    expect(model.stopped()).toBe(model.asked.length)
  })

  it('that is cancelled stops nothing where another one waits', async () => {
    const { open, opened } = createLatch()
    const { house, model } = await withTalk({ before: () => opened })
    const { leave, watch } = leaver()
    const left = format(house, 'faithful', watch)
    left.catch(() => {})
    const staying = format(house)
    await vi.waitFor(() => expect(model.asked).not.toHaveLength(0), patient)
    leave()
    await expect(left).rejects.toThrow()
    open()
    expect((await staying).status).toBe('completed')
    expect(model.stopped()).toBe(0)
  })

  it('that merely goes stops nothing', async () => {
    const { open, opened } = createLatch()
    const { house, model, read } = await withTalk({ before: () => opened })
    const { leave, watch } = leaver(() => 'gone')
    const left = format(house, 'faithful', watch)
    left.catch(() => {})
    await vi.waitFor(() => expect(model.asked).not.toHaveLength(0), patient)
    leave()
    await expect(left).rejects.toThrow()
    open()
    await vi.waitFor(async () => expect((await read()).formatted).toBeDefined(), patient)
  })

  it('whose connection broke has a moment to come back', async () => {
    const { open, opened } = createLatch()
    const { house, model } = await withTalk({ before: () => opened })
    const { leave, watch } = leaver(() => 'closed')
    const left = format(house, 'faithful', watch)
    left.catch(() => {})
    await vi.waitFor(() => expect(model.asked).not.toHaveLength(0), patient)
    leave()
    await expect(left).rejects.toThrow()
    const back = format(house)
    open()
    expect((await back).status).toBe('completed')
    expect(model.stopped()).toBe(0)
  })

  it('that does not come back does not go on for nobody', async () => {
    const { house, model } = await withTalk({ before: () => new Promise(() => {}) })
    const { leave, watch } = leaver(() => 'closed')
    const left = format(house, 'faithful', watch)
    left.catch(() => {})
    await vi.waitFor(() => expect(model.asked).not.toHaveLength(0), patient)
    leave()
    await expect(left).rejects.toThrow()
    await vi.waitFor(() => expect(model.stopped()).toBe(model.asked.length), patient)
  })
})

describe('cancelling and deleting', () => {
  it('a transcript that is being formatted stops that, and whoever waits hears of it', async () => {
    const { house, model } = await withTalk({ before: () => new Promise(() => {}) })
    const waiting = format(house)
    waiting.catch(() => {})
    await vi.waitFor(() => expect(model.asked).not.toHaveLength(0), patient)
    expect(await house.jobs.cancel(me, id)).toMatchObject({ state: 'completed' })
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(model.stopped()).toBe(model.asked.length)
  })

  it('leaves nothing of what was formatted', async () => {
    const { house, left } = await withWatchedStore()
    await format(house)
    expect(await left()).not.toEqual([])
    await house.jobs.remove(me, id)
    expect(await left()).toEqual([])
  })

  it('leaves nothing either while pieces are still on their way', async () => {
    const { house, model, left } = await withWatchedStore(n =>
      n === 0 ? Promise.resolve() : new Promise(() => {}),
    )
    const waiting = format(house)
    waiting.catch(() => {})
    await vi.waitFor(() => expect(model.asked.length).toBeGreaterThan(1), patient)
    await vi.waitFor(async () => expect(await left()).not.toEqual([]), patient)
    await house.jobs.remove(me, id)
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(await left()).toEqual([])
  })

  it('elsewhere leaves nothing either', async () => {
    const { open, opened } = createLatch()
    const { house, model, left } = await withWatchedStore(() => opened)
    const waiting = format(house)
    waiting.catch(() => {})
    await vi.waitFor(() => expect(model.asked).not.toHaveLength(0), patient)
    const other = await site.open()
    await other.jobs.remove(me, id)
    open()
    await expect(waiting).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
    expect(await left()).toEqual([])
  })

  /** A store of which is known what was ever kept. */
  async function withWatchedStore(before: (n: number) => Promise<unknown> = async () => {}) {
    const keys = new Set<string>()
    const talk = await withTalk({ before: (_, n) => before(n) }, store => ({
      ...store,
      putCheckpoint(owner, key, ...rest) {
        keys.add(key)
        return store.putCheckpoint(owner, key, ...rest)
      },
    }))
    const left = async () => {
      const found = await Promise.all(
        [...keys].map(async key => (await talk.house.store.getCheckpoint(me, key)) && key),
      )
      return found.filter(key => key !== undefined)
    }
    return { ...talk, left }
  }
})

describe('a process that ends while it formats', () => {
  it('answers who waits with what there is, and the next one asks for the rest alone', async () => {
    const { house, model } = await withTalk({
      before: (_, n) => (n === 0 ? Promise.resolve() : new Promise(() => {})),
      concurrency: 1,
    })
    const waiting = format(house)
    await vi.waitFor(() => expect(model.asked.length).toBeGreaterThan(1), patient)
    await house.close()
    expect(await waiting).toMatchObject({ status: 'running' })
    expect(model.stopped()).toBe(1)

    const next = scribe()
    const other = await site.open({ textModel: next })
    expect(await format(other)).toMatchObject({ status: 'completed', answered: false })
    expect(next.asked).not.toContain(model.asked[0])
    expect(next.asked).toContain(model.asked[1])
  })

  it('answers the next one from what is whole', async () => {
    const { house } = await withTalk()
    await format(house)
    await house.close()
    const next = scribe()
    const other = await site.open({ textModel: next })
    expect(await format(other)).toMatchObject({ answered: true })
    expect(next.asked).toEqual([])
  })
})

describe('a store that fails', () => {
  it('does not cost the formatted text, which is stored when it is well again', async () => {
    let isFailing = true
    const { house, read } = await withTalk({}, store => ({
      ...store,
      async putCheckpoint(...given) {
        if (isFailing) throw new SpeechError('DISK_FULL', 'The disk is full.', { hint: 'Make room.' })
        return store.putCheckpoint(...given)
      },
    }))
    expect(await format(house)).toMatchObject({ status: 'completed' })
    expect((await read()).formatted!.warnings).toEqual([
      expect.stringMatching(/could not be stored.*DISK_FULL/),
    ])
    expect(await format(house)).toMatchObject({ answered: true })
    isFailing = false
    await house.close()
    const other = await site.open()
    expect((await other.jobs.read(me, id)).formatted!.warnings).toEqual([])
  })

  it('to be read gives the transcript as it was recognised', async () => {
    const { house, read } = await withTalk({}, store => ({
      ...store,
      getCheckpoint: () =>
        Promise.reject(new SpeechError('STORE_FAILED', 'It cannot be read.', { hint: 'Look at the disk.' })),
    }))
    await format(house)
    expect(await read()).toEqual(longTranscript(id))
  })
})
