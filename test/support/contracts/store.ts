// What every driver of the `Store` port must do; a driver's test file runs it in one line.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../../src/domain/ports.ts'
import { longTranscript, segment, transcript } from '../transcripts.ts'
import { jobsContract } from './store-jobs.ts'
import { searchContract } from './store-search.ts'

/** A place for transcripts, empty at first. */
export interface StorePlace {
  /** Another store on the same transcripts. */
  open(): Store
  remove(): Promise<void>
}

/** The owner in tests that are not about owners. */
const me = 'ann'
const day = (n: number) => `2026-03-${String(n).padStart(2, '0')}T10:00:00.000Z`

export function storeContract(name: string, createPlace: () => Promise<StorePlace>): void {
  describe(`${name} keeps the contract of a store:`, () => {
    let place: StorePlace
    let opened: Store[]

    beforeEach(async () => {
      place = await createPlace()
      opened = []
    })
    afterEach(async () => {
      for (const store of opened) await store.close()
      await place.remove()
    })

    function open(): Store {
      const store = place.open()
      opened.push(store)
      return store
    }

    /** Puts empty transcripts, by id and day of the month. */
    async function put(store: Store, ...all: [id: string, day: number][]): Promise<void> {
      for (const [id, n] of all) await store.putTranscript(me, transcript({ id, createdAt: day(n) }))
    }

    /** The ids of all pages, one list a page; `between` runs after each of them. */
    async function pages(store: Store, limit: number, between?: () => Promise<void>): Promise<string[][]> {
      const found: string[][] = []
      let cursor: string | undefined
      do {
        const page = await store.listTranscripts(me, { limit, ...(cursor && { cursor }) })
        found.push(page.transcripts.map(({ id }) => id))
        cursor = page.nextCursor
        if (cursor) await between?.()
      } while (cursor && found.length < 50)
      return found
    }

    it('what was put is got back as it was', async () => {
      const store = open()
      const given = transcript({
        id: 'every-field',
        segments: [
          { ...segment('One two.', 0, 1), language: 'en', words: [{ text: 'One', start: 0, end: 0.5 }] },
        ],
        gaps: [{ start: 5, end: 7.125, reason: 'THROTTLED: too fast' }],
        warnings: ['Cut off at 1:00.'],
      })
      await store.putTranscript(me, given)
      expect(await store.getTranscript(me, 'every-field')).toStrictEqual(given)
    })

    it.each([
      ['Chinese', '你好，世界。'],
      ['emoji of several code points', '👩‍👩‍👧 ok 🏳️‍🌈'],
      ['composed and decomposed accents', 'é e\u0301'],
      ['right to left', 'مرحبا שלום'],
      ['a zero character, quotes and line breaks', 'a\u0000b "c" \'d\'\r\n\\'],
      ['half a surrogate pair', 'cut \ud83d off'],
    ])('text survives: %s', async (_, text) => {
      const store = open()
      const given = transcript({ id: text, title: text, segments: [segment(text, 0, 1)] })
      await store.putTranscript(me, given)
      expect(await store.getTranscript(me, text)).toStrictEqual(given)
      expect((await store.listTranscripts(me, { limit: 1 })).transcripts[0]?.title).toBe(text)
    })

    it('a transcript of four hours with word times fits', async () => {
      const store = open()
      const given = longTranscript('four-hours')
      await store.putTranscript(me, given)
      expect(await store.getTranscript(me, 'four-hours')).toStrictEqual(given)
    })

    it('a second put replaces the first', async () => {
      const store = open()
      await put(store, ['a', 1])
      await store.putTranscript(me, transcript({ id: 'a', createdAt: day(2), title: 'Better' }))
      expect(await store.getTranscript(me, 'a')).toMatchObject({ title: 'Better', createdAt: day(2) })
      expect((await store.listTranscripts(me, { limit: 9 })).transcripts).toMatchObject([
        { id: 'a', title: 'Better', createdAt: day(2) },
      ])
    })

    it('an id that nobody put is undefined', async () => {
      expect(await open().getTranscript(me, 'nobody')).toBeUndefined()
    })

    it('a list shows the facts of each and not its words', async () => {
      const store = open()
      const { language: _, ...unknown } = transcript({ id: 'b', createdAt: day(1) })
      await store.putTranscript(me, unknown)
      await store.putTranscript(me, transcript({ id: 'a', createdAt: day(2) }))
      const facts = { title: 'A talk', status: 'completed', duration: 2 }
      expect(await store.listTranscripts(me, { limit: 9 })).toStrictEqual({
        transcripts: [
          { id: 'a', createdAt: day(2), language: 'en', ...facts },
          { id: 'b', createdAt: day(1), ...facts },
        ],
      })
    })

    it('a store without transcripts lists none', async () => {
      expect(await open().listTranscripts(me, { limit: 5 })).toStrictEqual({ transcripts: [] })
    })

    it.each([
      { limit: 1, expected: [['e'], ['d'], ['c'], ['b'], ['a']] },
      { limit: 2, expected: [['e', 'd'], ['c', 'b'], ['a']] },
      { limit: 5, expected: [['e', 'd', 'c', 'b', 'a']] },
      { limit: 6, expected: [['e', 'd', 'c', 'b', 'a']] },
    ])('pages of $limit go from the newest to the oldest', async ({ limit, expected }) => {
      const store = open()
      await put(store, ['c', 3], ['a', 1], ['e', 5], ['b', 2], ['d', 4])
      expect(await pages(store, limit)).toEqual(expected)
    })

    it('transcripts of the same millisecond come by id, each once', async () => {
      const store = open()
      await put(store, ['m', 1], ['z', 1], ['a', 1], ['old', 0], ['new', 2])
      expect(await pages(store, 1)).toEqual([['new'], ['z'], ['m'], ['a'], ['old']])
    })

    it('a transcript that comes between two pages neither repeats nor hides another', async () => {
      const store = open()
      await put(store, ['a', 1], ['b', 2], ['c', 3], ['d', 4])
      let n = 5
      const found = await pages(store, 2, () => put(store, [`new${n}`, n++]))
      expect(found).toEqual([
        ['d', 'c'],
        ['b', 'a'],
      ])
    })

    it.each([
      'rubbish',
      '',
      Buffer.from('{}').toString('base64url'),
      Buffer.from('null').toString('base64url'),
      Buffer.from('[1,2]').toString('base64url'),
      Buffer.from('["2026"]').toString('base64url'),
    ])('a cursor that no list gave (%j) is bad input', async cursor => {
      const list = open().listTranscripts(me, { limit: 1, cursor })
      await expect(list).rejects.toMatchObject({ code: 'BAD_INPUT', retryable: false })
    })

    it('what was put is there after closing and opening again', async () => {
      const first = open()
      await put(first, ['a', 1], ['b', 2])
      await first.close()
      const second = open()
      expect((await second.getTranscript(me, 'a'))?.id).toBe('a')
      expect(await pages(second, 9)).toEqual([['b', 'a']])
    })

    it('closing twice, or before the first call, is no error', async () => {
      const store = open()
      await store.close()
      await put(store, ['a', 1])
      await store.close()
      await store.close()
    })

    it('two stores on one place see each other’s writes at once', async () => {
      const [left, right] = [open(), open()]
      await put(left, ['a', 1])
      await put(right, ['b', 2])
      await left.putTranscript(me, transcript({ id: 'b', createdAt: day(2), title: 'Left was here' }))
      expect((await right.getTranscript(me, 'b'))?.title).toBe('Left was here')
      expect(await pages(left, 9)).toEqual([['b', 'a']])
      expect(await pages(right, 9)).toEqual([['b', 'a']])
    })

    it('many puts at once are all kept', async () => {
      const stores = [open(), open()]
      const ids = Array.from({ length: 40 }, (_, i) => `t${String(i).padStart(2, '0')}`)
      await Promise.all(ids.map((id, i) => stores[i % 2]!.putTranscript(me, transcript({ id }))))
      expect(await pages(open(), 40)).toEqual([ids.toReversed()])
    })

    it('what belongs to another owner is as if it were not there', async () => {
      const store = open()
      await put(store, ['a', 1], ['b', 2])
      expect(await store.getTranscript('bob', 'a')).toBeUndefined()
      expect(await store.listTranscripts('bob', { limit: 9 })).toStrictEqual({ transcripts: [] })
      expect(await store.deleteTranscript('bob', 'a')).toBe(false)
      expect(await pages(store, 9)).toEqual([['b', 'a']])
    })

    it('one id may belong to two owners', async () => {
      const store = open()
      await store.putTranscript(me, transcript({ id: 'a', title: 'Hers' }))
      await store.putTranscript('bob', transcript({ id: 'a', title: 'His' }))
      expect((await store.getTranscript(me, 'a'))?.title).toBe('Hers')
      expect(await store.deleteTranscript(me, 'a')).toBe(true)
      expect(await store.getTranscript(me, 'a')).toBeUndefined()
      expect((await store.getTranscript('bob', 'a'))?.title).toBe('His')
    })

    it('a deleted transcript is gone, and deleting it again finds none', async () => {
      const store = open()
      await put(store, ['a', 1], ['b', 2])
      expect(await store.deleteTranscript(me, 'a')).toBe(true)
      expect(await store.deleteTranscript(me, 'a')).toBe(false)
      expect(await store.getTranscript(me, 'a')).toBeUndefined()
      expect(await pages(store, 9)).toEqual([['b']])
    })

    it('of puts and deletes that do not wait for each other, the last one stands', async () => {
      const store = open()
      const long = longTranscript('a')
      await Promise.all([
        store.putTranscript(me, long),
        store.putTranscript(me, transcript({ id: 'a', title: 'Short' })),
        store.putTranscript(me, { ...long, id: 'b' }),
        store.deleteTranscript(me, 'b'),
      ])
      expect((await store.getTranscript(me, 'a'))?.title).toBe('Short')
      expect(await store.getTranscript(me, 'b')).toBeUndefined()
    })

    it('as a rule has nothing to notice', async () => {
      const store = open()
      await put(store, ['a', 1])
      expect(store.warning()).toBeUndefined()
    })

    jobsContract(open)
    searchContract(open)
  })
}
