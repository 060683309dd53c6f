// Contract of the `Store` port: every driver runs this suite in one line.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../../src/domain/ports.ts'
import { longTranscript, segment, transcript } from '../transcripts.ts'
import { jobsContract } from './store-jobs.ts'
import { searchContract } from './store-search.ts'
import { spendingContract } from './store-spending.ts'

/** An empty storage location. */
export interface StoreLocation {
  /** Another store on the same data. */
  open(): Store
  remove(): Promise<void>
}

const owner = 'ann'
const day = (n: number) => `2026-03-${String(n).padStart(2, '0')}T10:00:00.000Z`

export function storeContract(name: string, createLocation: () => Promise<StoreLocation>): void {
  describe(`${name} fulfils the store contract:`, () => {
    let location: StoreLocation
    let opened: Store[]

    beforeEach(async () => {
      location = await createLocation()
      opened = []
    })
    afterEach(async () => {
      for (const store of opened) await store.close()
      await location.remove()
    })

    function open(): Store {
      const store = location.open()
      opened.push(store)
      return store
    }

    /** Stores short transcripts by id and day of the month. */
    async function put(store: Store, ...all: [id: string, day: number][]): Promise<void> {
      for (const [id, n] of all) await store.putTranscript(owner, transcript({ id, createdAt: day(n) }))
    }

    /** Ids of all pages, one list per page; `between` runs after each page but the last. */
    async function pages(store: Store, limit: number, between?: () => Promise<void>): Promise<string[][]> {
      const found: string[][] = []
      let cursor: string | undefined
      do {
        const page = await store.listTranscripts(owner, { limit, ...(cursor && { cursor }) })
        found.push(page.transcripts.map(({ id }) => id))
        cursor = page.nextCursor
        if (cursor) await between?.()
      } while (cursor && found.length < 50)
      return found
    }

    it('a stored transcript is read back unchanged', async () => {
      const store = open()
      const given = transcript({
        id: 'every-field',
        segments: [
          { ...segment('One two.', 0, 1), language: 'en', words: [{ text: 'One', start: 0, end: 0.5 }] },
        ],
        gaps: [{ start: 5, end: 7.125, reason: 'THROTTLED: too fast' }],
        warnings: ['Cut off at 1:00.'],
      })
      await store.putTranscript(owner, given)
      expect(await store.getTranscript(owner, 'every-field')).toStrictEqual(given)
    })

    it.each([
      ['Chinese', '你好，世界。'],
      ['emoji of several code points', '👩‍👩‍👧 ok 🏳️‍🌈'],
      ['composed and decomposed accents', 'é e\u0301'],
      ['right to left', 'مرحبا שלום'],
      ['a zero character, quotes and line breaks', 'a\u0000b "c" \'d\'\r\n\\'],
      ['half a surrogate pair', 'cut \ud83d off'],
    ])('text is stored unchanged: %s', async (_, text) => {
      const store = open()
      const given = transcript({ id: text, title: text, segments: [segment(text, 0, 1)] })
      await store.putTranscript(owner, given)
      expect(await store.getTranscript(owner, text)).toStrictEqual(given)
      expect((await store.listTranscripts(owner, { limit: 1 })).transcripts[0]?.title).toBe(text)
    })

    it('a transcript of four hours with word times is stored', async () => {
      const store = open()
      const given = longTranscript('four-hours')
      await store.putTranscript(owner, given)
      expect(await store.getTranscript(owner, 'four-hours')).toStrictEqual(given)
    })

    it('storing a transcript again replaces it', async () => {
      const store = open()
      await put(store, ['a', 1])
      await store.putTranscript(owner, transcript({ id: 'a', createdAt: day(2), title: 'Better' }))
      expect(await store.getTranscript(owner, 'a')).toMatchObject({ title: 'Better', createdAt: day(2) })
      expect((await store.listTranscripts(owner, { limit: 9 })).transcripts).toMatchObject([
        { id: 'a', title: 'Better', createdAt: day(2) },
      ])
    })

    it('an unknown id reads as undefined', async () => {
      expect(await open().getTranscript(owner, 'unknown')).toBeUndefined()
    })

    it('a list contains summaries without text', async () => {
      const store = open()
      const { language: _, ...unknown } = transcript({ id: 'b', createdAt: day(1) })
      await store.putTranscript(owner, unknown)
      await store.putTranscript(owner, transcript({ id: 'a', createdAt: day(2) }))
      const facts = { title: 'A talk', status: 'completed', duration: 2 }
      expect(await store.listTranscripts(owner, { limit: 9 })).toStrictEqual({
        transcripts: [
          { id: 'a', createdAt: day(2), language: 'en', ...facts },
          { id: 'b', createdAt: day(1), ...facts },
        ],
      })
    })

    it('an empty store lists no transcripts', async () => {
      expect(await open().listTranscripts(owner, { limit: 5 })).toStrictEqual({ transcripts: [] })
    })

    it.each([
      { limit: 1, expected: [['e'], ['d'], ['c'], ['b'], ['a']] },
      { limit: 2, expected: [['e', 'd'], ['c', 'b'], ['a']] },
      { limit: 5, expected: [['e', 'd', 'c', 'b', 'a']] },
      { limit: 6, expected: [['e', 'd', 'c', 'b', 'a']] },
    ])('pages of $limit list transcripts from the newest to the oldest', async ({ limit, expected }) => {
      const store = open()
      await put(store, ['c', 3], ['a', 1], ['e', 5], ['b', 2], ['d', 4])
      expect(await pages(store, limit)).toEqual(expected)
    })

    it('transcripts of the same millisecond are listed by id, each once', async () => {
      const store = open()
      await put(store, ['m', 1], ['z', 1], ['a', 1], ['old', 0], ['new', 2])
      expect(await pages(store, 1)).toEqual([['new'], ['z'], ['m'], ['a'], ['old']])
    })

    it('a transcript that is added between two pages neither repeats nor hides another', async () => {
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
    ])('an invalid list cursor (%j) is rejected', async cursor => {
      const list = open().listTranscripts(owner, { limit: 1, cursor })
      await expect(list).rejects.toMatchObject({ code: 'BAD_INPUT', retryable: false })
    })

    it('transcripts survive closing and reopening', async () => {
      const first = open()
      await put(first, ['a', 1], ['b', 2])
      await first.close()
      const second = open()
      expect((await second.getTranscript(owner, 'a'))?.id).toBe('a')
      expect(await pages(second, 9)).toEqual([['b', 'a']])
    })

    it('a store can be closed twice, also before its first use', async () => {
      const store = open()
      await store.close()
      await put(store, ['a', 1])
      await store.close()
      await store.close()
    })

    it('two stores on the same data see each other’s writes at once', async () => {
      const [left, right] = [open(), open()]
      await put(left, ['a', 1])
      await put(right, ['b', 2])
      await left.putTranscript(owner, transcript({ id: 'b', createdAt: day(2), title: 'From the left' }))
      expect((await right.getTranscript(owner, 'b'))?.title).toBe('From the left')
      expect(await pages(left, 9)).toEqual([['b', 'a']])
      expect(await pages(right, 9)).toEqual([['b', 'a']])
    })

    it('many concurrent writes are all kept', async () => {
      const stores = [open(), open()]
      const ids = Array.from({ length: 40 }, (_, i) => `t${String(i).padStart(2, '0')}`)
      await Promise.all(ids.map((id, i) => stores[i % 2]!.putTranscript(owner, transcript({ id }))))
      expect(await pages(open(), 40)).toEqual([ids.toReversed()])
    })

    it('transcripts of another owner read as missing', async () => {
      const store = open()
      await put(store, ['a', 1], ['b', 2])
      expect(await store.getTranscript('bob', 'a')).toBeUndefined()
      expect(await store.listTranscripts('bob', { limit: 9 })).toStrictEqual({ transcripts: [] })
      expect(await store.deleteTranscript('bob', 'a')).toBe(false)
      expect(await pages(store, 9)).toEqual([['b', 'a']])
    })

    it('two owners can use the same transcript id', async () => {
      const store = open()
      await store.putTranscript(owner, transcript({ id: 'a', title: 'Hers' }))
      await store.putTranscript('bob', transcript({ id: 'a', title: 'His' }))
      expect((await store.getTranscript(owner, 'a'))?.title).toBe('Hers')
      expect(await store.deleteTranscript(owner, 'a')).toBe(true)
      expect(await store.getTranscript(owner, 'a')).toBeUndefined()
      expect((await store.getTranscript('bob', 'a'))?.title).toBe('His')
    })

    it('a deleted transcript is gone, and a second deletion reports so', async () => {
      const store = open()
      await put(store, ['a', 1], ['b', 2])
      expect(await store.deleteTranscript(owner, 'a')).toBe(true)
      expect(await store.deleteTranscript(owner, 'a')).toBe(false)
      expect(await store.getTranscript(owner, 'a')).toBeUndefined()
      expect(await pages(store, 9)).toEqual([['b']])
    })

    it('the last of several concurrent writes and deletions wins', async () => {
      const store = open()
      const long = longTranscript('a')
      await Promise.all([
        store.putTranscript(owner, long),
        store.putTranscript(owner, transcript({ id: 'a', title: 'Short' })),
        store.putTranscript(owner, { ...long, id: 'b' }),
        store.deleteTranscript(owner, 'b'),
      ])
      expect((await store.getTranscript(owner, 'a'))?.title).toBe('Short')
      expect(await store.getTranscript(owner, 'b')).toBeUndefined()
    })

    it('a healthy store has no warning', async () => {
      const store = open()
      await put(store, ['a', 1])
      expect(store.warnings()).toEqual([])
    })

    jobsContract(open)
    spendingContract(open)
    searchContract(open, createLocation)
  })
}
