// Search in the contract of the `Store` port.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Store } from '../../../src/domain/ports.ts'
import { segment, transcript } from '../transcripts.ts'
import { plainSearch, queries, randomLibrary } from './plain-search.ts'
import type { StoreLocation } from './store.ts'

const ann = 'ann'
const texts = {
  english: 'The well-known meeting was moved to Tuesday, don’t forget the budget.',
  french: 'Un café crème, s’il vous plaît, à l’hôtel.',
  german: 'Die Straße ist naß, schöne Grüße.',
  chinese: '今天我们讨论人工智能的未来。',
  japanese: '東京タワーで会議をします。データを見ました。',
  thai: 'สวัสดีครับ วันนี้เราจะประชุมกัน',
  arabic: 'أهلاً وسهلاً بكم في الاجتماع مُحَمَّد',
  russian: 'Ёлка стоит в комнате, совещание завтра.',
  greek: 'Καλημέρα, ο λόγος.',
  hindi: 'नमस्ते दुनिया, बैठक कल है।',
  korean: '오늘 회의에서 예산을 이야기합니다.',
}
type Name = keyof typeof texts

async function put(store: Store, id: string, text: string, facts: { title?: string; day?: number } = {}) {
  const createdAt = `2026-03-${String(facts.day ?? 1).padStart(2, '0')}T10:00:00.000Z`
  const [title, segments] = [facts.title ?? 'Untitled', [segment(text, 0, 1)]]
  await store.putTranscript(ann, transcript({ id, title, createdAt, segments }))
}

async function found(store: Store, query: string, owner = ann): Promise<string[]> {
  const { transcripts } = await store.searchTranscripts(owner, query, { limit: 50 })
  return transcripts.map(({ id }) => id)
}

export function searchContract(open: () => Store, createLocation: () => Promise<StoreLocation>): void {
  describe('search', () => {
    let location: StoreLocation
    /** Holds the texts above; no test writes to it. */
    let library: Store

    beforeAll(async () => {
      location = await createLocation()
      library = location.open()
      for (const [id, text] of Object.entries(texts)) await put(library, id, text)
    })
    afterAll(async () => {
      await library.close()
      await location.remove()
    })

    it.each<[string, string, Name]>([
      ['a word', 'meeting', 'english'],
      ['the beginning of a word', 'meet', 'english'],
      ['capitals', 'TUESDAY', 'english'],
      ['several words in any order', 'budget tuesday', 'english'],
      ['one part of a word with a hyphen', 'known', 'english'],
      ['a word with a hyphen', 'well-known', 'english'],
      ['a word with an apostrophe of another kind', "don't", 'english'],
      ['words in quotes', '"moved to tuesday"', 'english'],
      ['words in curly quotes', '“moved to Tuesday”', 'english'],
      ['no accents where the text has some', 'cafe creme', 'french'],
      ['accents where the text has others', 'hôtèl', 'french'],
      ['a word behind an article', 'hotel', 'french'],
      ['ss for ß', 'STRASSE', 'german'],
      ['two characters of Chinese', '智能', 'chinese'],
      ['a run that no dictionary has', '们讨', 'chinese'],
      ['two runs of Chinese', '未来 今天', 'chinese'],
      ['Chinese in its quotes', '「人工智能」', 'chinese'],
      ['kanji', '会議', 'japanese'],
      ['katakana with a long vowel', 'タワー', 'japanese'],
      ['katakana of half width', 'ﾃﾞｰﾀ', 'japanese'],
      ['scripts that meet in one word', '京タワーで', 'japanese'],
      ['a word of Thai', 'ประชุม', 'thai'],
      ['Thai that a dictionary parts in another way', 'ดีครับ', 'thai'],
      ['Arabic without vowel points', 'محمد', 'arabic'],
      ['Arabic with another alef', 'اهلا', 'arabic'],
      ['Cyrillic in capitals', 'СОВЕЩАНИЕ', 'russian'],
      ['е for ё', 'елка', 'russian'],
      ['Greek in capitals', 'ΛΟΓΟΣ', 'greek'],
      ['a word of Hindi', 'नमस्ते', 'hindi'],
      ['a word of Korean without its particle', '회의', 'korean'],
    ])('a search finds a transcript by %s (%s)', async (_, query, name) => {
      expect(await found(library, query)).toEqual([name])
    })

    it.each([
      ['a missing word', 'budget friday'],
      ['the end of a word', 'eeting'],
      ['words in quotes that stand apart', '"meeting tuesday"'],
      ['the beginning of a word in quotes', '"moved to tues"'],
      ['characters of Chinese that stand apart', '今我'],
      ['Thai with another tone', 'สวัสดิ์'],
    ])('a search does not match %s (%s)', async (_, query) => {
      expect(await found(library, query)).toEqual([])
    })

    it('a search matches title and text together', async () => {
      const store = open()
      await put(store, 'a', 'we talked about money', { title: 'Board of March' })
      for (const query of ['board', 'money', 'money board']) expect(await found(store, query)).toEqual(['a'])
      expect(await found(store, '"march we"')).toEqual([])
    })

    it('a search matches across segments', async () => {
      const store = open()
      const segments = [segment('我们讨论人工', 0, 1), segment('智能', 1, 2)]
      await store.putTranscript(ann, transcript({ id: 'a', segments }))
      expect(await found(store, '人工智能')).toEqual(['a'])
    })

    it('a search returns pages from the newest to the oldest, each transcript once', async () => {
      const store = open()
      const days = { c: 3, a: 1, e: 5, b: 2, d: 4, f: 4 }
      for (const [id, day] of Object.entries(days)) await put(store, id, 'the same word', { day })
      await put(store, 'other', 'nothing', { day: 3 })
      const pages: string[][] = []
      let cursor: string | undefined
      do {
        const request = { limit: 2, ...(cursor && { cursor }) }
        const page = await store.searchTranscripts(ann, 'word', request)
        pages.push(page.transcripts.map(({ id }) => id))
        cursor = page.nextCursor
      } while (cursor && pages.length < 9)
      expect(pages).toEqual([
        ['e', 'f'],
        ['d', 'c'],
        ['b', 'a'],
      ])
    })

    it('a search result equals the entry of a list', async () => {
      const store = open()
      await put(store, 'a', 'word')
      expect(await store.searchTranscripts(ann, 'word', { limit: 9 })).toStrictEqual(
        await store.listTranscripts(ann, { limit: 9 }),
      )
    })

    it('a search finds a running transcript', async () => {
      const store = open()
      const segments = [segment('first words', 0, 1)]
      await store.putTranscript(ann, transcript({ id: 'a', status: 'running', segments }))
      expect(await found(store, 'first')).toEqual(['a'])
    })

    it('a search finds the new words of a replaced transcript and not the old ones', async () => {
      const store = open()
      await put(store, 'a', 'old words', { title: 'Former' })
      await put(store, 'a', 'new words', { title: 'Latter' })
      const queries = ['old', 'former', 'new', 'latter', 'words']
      const all = await Promise.all(queries.map(query => found(store, query)))
      expect(all).toEqual([[], [], ['a'], ['a'], ['a']])
    })

    it('a search does not find a deleted transcript', async () => {
      const store = open()
      await put(store, 'a', 'word')
      await put(store, 'b', 'word')
      await store.deleteTranscript(ann, 'a')
      expect(await found(store, 'word')).toEqual(['b'])
      await put(store, 'a', 'something else')
      expect(await found(store, 'word')).toEqual(['b'])
    })

    it('a search does not find a transcript of another owner', async () => {
      const store = open()
      await put(store, 'a', 'word')
      expect(await found(store, 'word', 'bob')).toEqual([])
    })

    it.each([
      ['nothing', ''],
      ['blanks', ' \n\t'],
      ['a quote', '"'],
      ['quotes with nothing between', '"" \'\''],
      ['a star', '*'],
      ['marks', '- + ^ : ( ) { } [ ] ; -- \\ % _ ?'],
      ['emoji', '😀 👩‍👩‍👧'],
      ['half a surrogate pair', '\ud83d'],
      ['a zero character', '\0'],
    ])('a search for %s finds nothing', async (_, query) => {
      expect(await library.searchTranscripts(ann, query, { limit: 9 })).toStrictEqual({ transcripts: [] })
    })

    it.each([
      'meeting"',
      '"meeting',
      'meeting*',
      '*meeting',
      '^meeting',
      '(meeting',
      '-meeting',
      '+meeting +tuesday',
      'meeting;--',
      "meeting'",
      'meeting\0',
      'meeting 😀',
    ])('a search ignores punctuation: %j', async query => {
      expect(await found(library, query)).toEqual(['english'])
    })

    it.each([
      'meeting AND',
      'meeting OR forget NOT tuesday',
      'NEAR(meeting tuesday)',
      'NEAR',
      'title: meeting',
      'text:friday',
      '{title text}: meeting',
      'meeting NOT budget',
      "x' OR 1=1 --",
      '%',
    ])('a search treats query operators as words: %j', async query => {
      expect(await found(library, query)).toEqual([])
    })

    it('a search returns, page by page, what a plain reading of all transcripts finds', async () => {
      const store = open()
      const all = randomLibrary()
      for (const { owner, ...facts } of all) await store.putTranscript(owner, transcript(facts))
      await fc.assert(
        fc.asyncProperty(
          queries,
          fc.constantFrom(ann, 'bob'),
          fc.integer({ min: 1, max: 30 }),
          async (query, owner, limit) => {
            const pages: string[][] = []
            for (let cursor: string | undefined, isFirst = true; isFirst || cursor; isFirst = false) {
              const page = await store.searchTranscripts(owner, query, { limit, ...(cursor && { cursor }) })
              pages.push(page.transcripts.map(({ id }) => id))
              cursor = page.nextCursor
            }
            const expected = plainSearch(
              all.filter(one => one.owner === owner),
              query,
            )
            expect(pages.flat()).toEqual(expected)
            expect(pages.length).toBe(Math.max(1, Math.ceil(expected.length / limit)))
          },
        ),
        { numRuns: 40 },
      )
    })

    it('a search uses the first 32 words of a query', async () => {
      const store = open()
      const words = Array.from({ length: 33 }, (_, n) => `word${n + 10}`)
      await put(store, 'a', words.slice(0, 32).join(' '))
      await put(store, 'b', words.slice(0, 31).join(' '))
      expect(await found(store, words.join(' '))).toEqual(['a'])
      expect(await found(store, `"${words.join(' ')}"`)).toEqual(['a'])
    })

    it('a search accepts thousands of words', async () => {
      expect(await found(library, 'meeting tuesday '.repeat(2000))).toEqual(['english'])
      expect(await found(library, '今天'.repeat(5000))).toEqual([])
    })

    it.each(['meeting', ''])('an invalid search cursor is rejected (query %j)', async query => {
      const search = open().searchTranscripts(ann, query, { limit: 1, cursor: 'invalid' })
      await expect(search).rejects.toMatchObject({ code: 'BAD_INPUT', retryable: false })
    })
  })
}
