// From the chunks' texts to one transcript: seams, loops, times, and the hands that ask for several chunks at once.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SpeechError } from '../src/domain/errors.ts'
import { estimateTokens, joinText, tokens } from '../src/domain/text.ts'
import type { Span } from '../src/domain/transcript.ts'
import { findLoop } from '../src/pipeline/loops.ts'
import { merge } from '../src/pipeline/merge.ts'
import { parallel } from '../src/pipeline/parallel.ts'
import type { Piece } from '../src/pipeline/recognise.ts'
import { joinOverlap } from '../src/pipeline/seams.ts'
import { timeTexts, timeWords } from '../src/pipeline/timing.ts'

const runs = { seed: 20261103, numRuns: 300 }
const keys = (text: string) => tokens(text).map(({ key }) => key)

const vocabulary = (
  'time people way day man thing woman life child world school state family student group country problem hand part ' +
  'place case week company system program question work government number night point home water room mother area ' +
  'money story fact month lot right study book eye job word business issue side kind head house service friend'
).split(' ')

describe('joinOverlap', () => {
  it.each([
    ['the same words', 'we went to the market', 'to the market and home', 'we went to the market and home'],
    ['one word', 'we went home', 'home is good', 'we went home is good'],
    ['a word cut off on the left', 'went to the mark', 'to the market again', 'went to the market again'],
    ['a word cut off on the right', 'went to the market', 'oo the market again', 'went to the market again'],
    [
      'words spoilt on both sides',
      'I like red gr pl',
      'uh ed red green blue plums',
      'I like red green blue plums',
    ],
    [
      'a capital and a full stop at the cut',
      'He went to the market.',
      'The market is far.',
      'He went to the market is far.',
    ],
    [
      'a comma that only one heard',
      'well, yes, of course',
      'yes of course I do',
      'well, yes, of course I do',
    ],
    ['a real repetition inside', 'he said no, no, no', 'no, no, no and left', 'he said no, no, no and left'],
    ['a repetition that is heard in part', 'he said no no', 'no no no and left', 'he said no no no and left'],
    [
      'a word said twice, once before the overlap',
      'no that is no good',
      'good is that no',
      'no that is no good is that no',
    ],
    ['Chinese', '今天天气很好我们', '很好，我们去公园。', '今天天气很好我们去公园。'],
    ['a spoilt Chinese character', '今天天气很好我门', '天气很好我们去公园', '今天天气很好我们去公园'],
    ['Chinese and Latin', '我们用 Python 写', 'Python 写程序', '我们用 Python 写程序'],
  ])('keeps once what both heard: %s', (_, left, right, expected) => {
    expect(joinText(...joinOverlap(left, right, 2))).toBe(expected)
  })

  it.each([
    ['no word in common', 'one two three', 'four five six'],
    ['nothing on the left', '', 'one two'],
    ['nothing on the right', 'one two', ''],
    [
      'the same word far from the seam',
      `home ${'and so on '.repeat(20)}end`,
      `start ${'of it all '.repeat(20)}home`,
    ],
  ])('keeps both whole: %s', (_, left, right) => {
    expect(joinOverlap(left, right, 1)).toEqual([left, right])
  })

  it('gives the words that were said, whatever the overlap and however the cuts spoilt its ends', () => {
    const spoilt = (...forms: string[]) => fc.array(fc.constantFrom(...forms), { maxLength: 2 })
    const said = fc.shuffledSubarray(vocabulary, { minLength: 45, maxLength: 55 })
    fc.assert(
      fc.property(
        said,
        fc.nat(20),
        fc.integer({ min: 1, max: 12 }),
        spoilt('brr', 'zz'),
        spoilt('ack', 'ooh'),
        (words, before, common, endsIn, beginsIn) => {
          const left = [...words.slice(0, before + beginsIn.length + common), ...endsIn]
          const right = [...beginsIn, ...words.slice(before + beginsIn.length)]
          const seconds = (beginsIn.length + common + endsIn.length) / 2.5
          const [head, tail] = joinOverlap(left.join(' '), right.join(' '), seconds)
          expect(keys(joinText(head, tail))).toEqual(words)
        },
      ),
      runs,
    )
  })

  it('finds long overlaps also where words come again and again', () => {
    const few = fc.constantFrom(...vocabulary.slice(0, 12))
    fc.assert(
      fc.property(
        fc.array(few, { minLength: 40, maxLength: 40 }),
        fc.integer({ min: 8, max: 12 }),
        (words, common) => {
          const left = words.slice(0, 15 + common).join(' ')
          const right = words.slice(15).join(' ')
          expect(keys(joinText(...joinOverlap(left, right, common / 2.5)))).toEqual(words)
        },
      ),
      runs,
    )
  })
})

describe('joinOverlap in a refrain', () => {
  it.each([
    ['la', 1],
    ['we will rock you', 4],
    ['one two three four five six seven eight nine ten', 10],
  ])('of "%s" keeps nearly every word, by the pace of the speech', (phrase, _) => {
    const words = Array.from({ length: 800 }, (_, i) => phrase.split(' ')[i % phrase.split(' ').length]!)
    const [left, right] = joinOverlap(words.slice(0, 400).join(' '), words.slice(392).join(' '), 3, 8)
    expect(Math.abs(tokens(`${left} ${right}`).length - 800)).toBeLessThanOrEqual(2)
  })
})

describe('findLoop', () => {
  it.each([
    ['one character, twenty times', '嗯'.repeat(20), '嗯'],
    ['one word, ten times', 'no '.repeat(10).trim(), 'no'],
    ['a phrase, six times', 'I see you. '.repeat(6), 'I see you.'],
    ['a phrase in Chinese', '谢谢大家，'.repeat(5), '谢谢大家，'],
    [
      'a long sentence, four times',
      'and then he went back to the house again. '.repeat(4),
      'and then he went back to the house again.',
    ],
    ['a phrase with other marks and capitals', 'Thank you. thank you, THANK YOU! '.repeat(3), 'Thank you.'],
    ['speech on both sides', `First. ${'Go on. '.repeat(9)}Last.`, 'First. Go on. Last.'],
    ['speech that begins as the phrase does', `${'I see. '.repeat(9)}I went.`, 'I see. I went.'],
    ['two loops', `${'ha '.repeat(12)}well ${'ho '.repeat(12)}`, 'ha well ho'],
    ['a loop between Chinese characters', `你好${'的'.repeat(15)}再见`, '你好的再见'],
  ])('%s', (_, text, collapsed) => {
    expect(findLoop(text)).toEqual({ collapsed, tokens: tokens(text).length })
  })

  it.each([
    ['nothing', ''],
    ['ordinary speech', 'We went to the market, and then we went home, and then we slept.'],
    ['a word said three times', 'No, no, no, I did not say that.'],
    ['a word said nine times', 'very '.repeat(9)],
    ['a number', 'Call 5 5 5 0 1 0 0 0 now.'],
    ['a refrain sung three times', `${'Row, row, row your boat gently down the stream. '.repeat(3)}Merrily.`],
    ['Chinese with doubled words', '谢谢谢谢，好好好，慢慢走，天天见。'],
    ['the same words in turns', 'one two one three one four one five one six one seven'],
  ])('ordinary: %s', (_, text) => {
    expect(findLoop(text)).toBeUndefined()
  })

  it('is found wherever it lies, and only the repeats are struck out', () => {
    const distinct = fc.shuffledSubarray(vocabulary, { minLength: 12, maxLength: 30 })
    fc.assert(
      fc.property(distinct, fc.integer({ min: 1, max: 6 }), fc.nat(5), (words, phrase, before) => {
        const repeated = words.slice(before, before + phrase)
        const looping = [
          ...words.slice(0, before),
          ...Array(11).fill(repeated).flat(),
          ...words.slice(before + phrase),
        ]
        expect(findLoop(looping.join(' '))).toEqual({ collapsed: words.join(' '), tokens: looping.length })
      }),
      runs,
    )
  })
})

/** Spans in order, at whole tenths of a second, so that sums meet exactly where they can. */
const speeches = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 60 })), {
    minLength: 1,
    maxLength: 12,
  })
  .map(all => {
    let at = 0
    return all.map(([pause, length]): Span => {
      const start = at + pause
      at = start + length
      return { start: start / 10, end: at / 10 }
    })
  })

describe('timeTexts', () => {
  const speech = [
    { start: 1, end: 3 },
    { start: 4, end: 6 },
    { start: 6.5, end: 10.5 },
  ]

  it('gives a text alone all the speech', () => {
    expect(timeTexts(['Hello.'], speech)).toEqual([{ start: 1, end: 10.5 }])
  })

  it('ends texts in pauses near the places that their lengths suggest', () => {
    expect(timeTexts(['aaaaa bbbb.', 'ccccc ddddd', 'eeeee fffff ggggg hhhhh'], speech)).toEqual(speech)
  })

  it('ends texts inside speech where there are more of them than pauses', () => {
    const spans = timeTexts(['aaaa', 'bbbb', 'cccc', 'dddd'], [{ start: 2, end: 6 }])
    expect(spans).toEqual([2, 3, 4, 5].map(start => ({ start, end: start + 1 })))
  })

  it('counts ideographs and digits for what they take to say', () => {
    const [first] = timeTexts(['你好你好', 'abcd'], [{ start: 0, end: 10 }])
    expect(first!.end).toBeGreaterThan(7)
  })

  it.each([
    ['no speech', []],
    ['speech without length', [{ start: 5, end: 5 }]],
  ])('gives %s times too', (_, spans) => {
    const at = spans[0]?.start ?? 0
    expect(timeTexts(['a', 'b', 'c'], spans)).toEqual(Array(3).fill({ start: at, end: at }))
  })

  it('does not run backwards over speech without length', () => {
    const moments = [1, 2].map(at => ({ start: at, end: at }))
    const times = timeTexts(['a', 'b', 'c'], moments).flatMap(({ start, end }) => [start, end])
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  it('of no text is nothing', () => {
    expect(timeTexts([], speech)).toEqual([])
  })

  it('goes forward, and stays inside the speech', () => {
    const texts = fc.array(
      fc.constantFrom('a', 'no', '...', '你好', 'a longer sentence, said at ease', '12', 'four'),
      {
        minLength: 1,
        maxLength: 12,
      },
    )
    fc.assert(
      fc.property(texts, speeches, (all, spans) => {
        const times = timeTexts(all, spans).flatMap(({ start, end }) => [start, end])
        expect(times).toEqual(times.toSorted((a, b) => a - b))
        expect(times).not.toContain(Number.NaN)
        expect(times).toHaveLength(2 * all.length)
        for (const time of times)
          expect(spans.some(({ start, end }) => time >= start - 0.001 && time <= end + 0.001)).toBe(true)
      }),
      runs,
    )
  })
})

describe('timeTexts of very many short texts', () => {
  it('stays quick and in order', () => {
    const texts = Array.from({ length: 1300 }, () => 'No.')
    const speech = Array.from({ length: 300 }, (_, i) => ({ start: i / 2, end: i / 2 + 0.3 }))
    const times = timeTexts(texts, speech)
    for (let i = 1; i < times.length; i++) expect(times[i]!.start).toBeGreaterThanOrEqual(times[i - 1]!.end)
  })
})

describe('timeWords', () => {
  it('spreads the words over the speech inside the span', () => {
    const speech = [
      { start: 0, end: 2 },
      { start: 5, end: 7 },
    ]
    expect(timeWords('abcd efgh, ijkl', { start: 1, end: 7 }, speech)).toEqual([
      { text: 'abcd', start: 1, end: 2 },
      { text: 'efgh,', start: 2, end: 6 },
      { text: 'ijkl', start: 6, end: 7 },
    ])
  })

  it('makes do with the span where no speech is known', () => {
    expect(timeWords('你好', { start: 1, end: 2 }, [])).toEqual([
      { text: '你', start: 1, end: 1.5 },
      { text: '好', start: 1.5, end: 2 },
    ])
  })

  it('goes forward through the span, a time for each word', () => {
    const texts = fc.array(fc.constantFrom('a', 'word,', '你', '...', '3.5'), { maxLength: 20 })
    fc.assert(
      fc.property(texts, speeches, (parts, speech) => {
        const text = parts.join(' ')
        const span = { start: speech[0]!.start, end: speech.at(-1)!.end }
        const words = timeWords(text, span, speech)
        const times = words.flatMap(({ start, end }) => [start, end])
        expect(words.map(word => word.text).flatMap(keys)).toEqual(keys(text))
        expect([span.start, ...times, span.end]).toEqual(
          [span.start, ...times, span.end].toSorted((a, b) => a - b),
        )
      }),
      runs,
    )
  })
})

describe('merge', () => {
  function piece(text: string, start: number, end: number, facts: Partial<Piece> = {}): Piece {
    const overlap = facts.overlap ?? 0
    const speech = [{ start: start + overlap, end }]
    return { text, start, end, speech, overlap, sent: end - start, language: 'en', ...facts }
  }
  const failure = new SpeechError('CONTENT_REFUSED', 'It was refused.', { hint: 'Go on.' })
  async function* stream(pieces: Piece[]): AsyncGenerator<Piece> {
    yield* pieces
  }
  const textOf = ({ segments }: { segments: { text: string }[] }) =>
    segments.map(({ text }) => text).join(' ')

  it('puts the pieces into the order of the recording', async () => {
    const merged = await merge(
      stream([piece('Three.', 20, 30), piece('One.', 0, 10), piece('Two.', 10, 20)]),
      'segment',
    )
    expect(merged.segments).toMatchObject([
      { text: 'One.', start: 0, end: 10, estimated: true, language: 'en' },
      { text: 'Two.', start: 10, end: 20 },
      { text: 'Three.', start: 20, end: 30 },
    ])
    expect(merged).toMatchObject({ sent: 30, language: 'en' })
  })

  it('says once what two pieces heard, over several seams', async () => {
    const pieces = [
      piece('One two three four fi', 0, 10),
      piece('ee four five six seven', 8, 20, { overlap: 2 }),
      piece('Seven eight.', 18, 30, { overlap: 2 }),
    ]
    expect(textOf(await merge(stream(pieces.toReversed()), 'segment'))).toBe(
      'One two three four five six seven eight.',
    )
  })

  it('keeps a word that is said before and after a pause', async () => {
    expect(textOf(await merge(stream([piece('Go on.', 0, 5), piece('On we go.', 5, 9)]), 'segment'))).toBe(
      'Go on. On we go.',
    )
  })

  it('names the hole that a failure leaves, and counts it as missing', async () => {
    const pieces = [piece('One.', 0, 10), piece('', 10, 25, { failure, sent: 0 }), piece('Two.', 25, 30)]
    const { coverage, segments } = await merge(stream(pieces), 'segment')
    expect(segments.map(({ text }) => text)).toEqual(['One.', 'Two.'])
    expect(coverage).toEqual({
      speechSeconds: 30,
      transcribedSeconds: 15,
      gaps: [{ start: 10, end: 25, reason: 'CONTENT_REFUSED: It was refused.' }],
    })
  })

  it('keeps both sides whole beside a hole', async () => {
    const pieces = [
      piece('one two', 0, 10),
      piece('', 8, 20, { failure, overlap: 2 }),
      piece('two three', 18, 30, { overlap: 2 }),
    ]
    expect(textOf(await merge(stream(pieces), 'segment'))).toBe('one two two three')
  })

  it('a piece in which nothing was said is no hole', async () => {
    const { coverage } = await merge(stream([piece('', 0, 10)]), 'segment')
    expect(coverage).toEqual({ speechSeconds: 10, transcribedSeconds: 10, gaps: [] })
  })

  it('takes the language that is spoken longest', async () => {
    const pieces = [
      piece('Hi.', 0, 5),
      piece('你好。', 5, 20, { language: 'zh' }),
      piece('Bye.', 20, 25),
      piece('', 25, 99, { language: 'ru' }),
    ]
    expect(await merge(stream(pieces), 'segment')).toMatchObject({ language: 'zh' })
  })

  it('of nothing is nothing', async () => {
    expect(await merge(stream([]), 'segment')).toEqual({
      segments: [],
      coverage: { speechSeconds: 0, transcribedSeconds: 0, gaps: [] },
      sent: 0,
    })
  })

  it('gives words times only where they are wanted', async () => {
    const one = () => stream([piece('One two.', 0, 4)])
    expect((await merge(one(), 'segment')).segments[0]).not.toHaveProperty('words')
    expect((await merge(one(), 'word')).segments[0]!.words!.map(({ text }) => text)).toEqual(['One', 'two.'])
  })

  it.each([
    ['with commas', 'and some more of it, '.repeat(40)],
    ['without a mark', 'and some more of it '.repeat(40)],
    ['in Chinese with commas', '今天天气很好，'.repeat(40)],
    ['in Chinese without a mark', '今天天气很好'.repeat(40)],
    ['in Korean', '오늘 날씨가 좋아요 '.repeat(40)],
  ])('parts an endless sentence, and loses nothing of it: %s', async (_, text) => {
    const { segments } = await merge(stream([piece(text.trim(), 0, 100)]), 'segment')
    expect(segments.length).toBeGreaterThan(2)
    for (const segment of segments) expect(estimateTokens(segment.text)).toBeLessThanOrEqual(90)
    expect(segments.flatMap(segment => keys(segment.text))).toEqual(keys(text))
  })
})

describe('parallel', () => {
  /** Work that ends when the test says so. */
  function bench() {
    const doors = new Map<number, { open(): void; fail(error: Error): void }>()
    const pulled: number[] = []
    let closed = false
    return {
      doors,
      pulled,
      isClosed: () => closed,
      async *source(count: number): AsyncGenerator<number> {
        try {
          for (let i = 0; i < count; i++) {
            pulled.push(i)
            yield i
          }
        } finally {
          closed = true
        }
      },
      work: (item: number) =>
        new Promise<string>((resolve, reject) => {
          doors.set(item, { open: () => resolve(`done ${item}`), fail: reject })
        }),
    }
  }
  /** Long enough for everything that can happen to happen. */
  const settle = () => new Promise(resolve => setImmediate(resolve))

  it('has no more than the limit in work, and pulls nothing ahead', async () => {
    const { doors, pulled, source, work } = bench()
    const results = parallel(source(9), 3, work)
    const first = results.next()
    await settle()
    expect([...doors.keys()]).toEqual([0, 1, 2])
    expect(pulled).toEqual([0, 1, 2])
    doors.get(1)!.open()
    expect(await first).toEqual({ value: 'done 1', done: false })
    await settle()
    expect(pulled).toEqual([0, 1, 2])
    const second = results.next()
    await settle()
    expect(pulled).toEqual([0, 1, 2, 3])
    doors.get(3)!.open()
    expect((await second).value).toBe('done 3')
    await results.return(undefined)
  })

  it('gives each result once, as soon as it is there', async () => {
    const items = Array.from({ length: 50 }, (_, i) => i)
    const results: number[] = []
    async function* source() {
      yield* items
    }
    for await (const result of parallel(source(), 7, async item => item * 2)) results.push(result)
    expect(results.toSorted((a, b) => a - b)).toEqual(items.map(item => item * 2))
  })

  it('of nothing ends at once', async () => {
    const { source, work } = bench()
    expect(await parallel(source(0), 3, work).next()).toEqual({ value: undefined, done: true })
  })

  it('hands results out while the source is still thinking', async () => {
    async function* slow() {
      yield 1
      await new Promise(() => {})
    }
    expect((await parallel(slow(), 3, async item => item).next()).value).toBe(1)
  })

  it('stops at the first error: no further item, and the source is closed', async () => {
    const { doors, pulled, source, work, isClosed } = bench()
    const first = parallel(source(9), 2, work).next()
    await settle()
    const error = new Error('refused')
    doors.get(0)!.fail(error)
    await expect(first).rejects.toBe(error)
    doors.get(1)!.fail(new Error('late'))
    await settle()
    expect(pulled).toEqual([0, 1])
    expect(isClosed()).toBe(true)
  })

  it('throws the error of the source', async () => {
    const error = new Error('broken')
    async function* source() {
      yield 1
      throw error
    }
    const results = parallel(source(), 1, async item => item)
    expect((await results.next()).value).toBe(1)
    await expect(results.next()).rejects.toBe(error)
  })

  it('closes the source when its reader leaves early', async () => {
    const { doors, source, work, isClosed } = bench()
    const results = parallel(source(9), 2, work)
    const first = results.next()
    await settle()
    doors.get(0)!.open()
    await first
    await results.return(undefined)
    doors.get(1)!.fail(new Error('late'))
    await settle()
    expect(isClosed()).toBe(true)
  })
})
