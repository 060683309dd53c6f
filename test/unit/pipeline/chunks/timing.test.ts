// Estimated times of sentences and words, from detected speech.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tokens } from '../../../../src/domain/tokens.ts'
import type { Span } from '../../../../src/domain/transcript.ts'
import { timeTexts, timeWords } from '../../../../src/pipeline/chunks/timing.ts'

const runs = { seed: 20261103, numRuns: 300 }

const keys = (text: string) => tokens(text).map(({ key }) => key)

/** Spans in order, at whole tenths of a second, so that sums are exact where possible. */
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

  it('timeTexts gives a single text all the speech', () => {
    expect(timeTexts(['Hello.'], speech)).toEqual([{ start: 1, end: 10.5 }])
  })

  it('timeTexts ends texts in pauses near the positions that their lengths suggest', () => {
    expect(timeTexts(['aaaaa bbbb.', 'ccccc ddddd', 'eeeee fffff ggggg hhhhh'], speech)).toEqual(speech)
  })

  it('timeTexts ends texts inside speech where there are more of them than pauses', () => {
    const spans = timeTexts(['aaaa', 'bbbb', 'cccc', 'dddd'], [{ start: 2, end: 6 }])
    expect(spans).toEqual([2, 3, 4, 5].map(start => ({ start, end: start + 1 })))
  })

  it('no sentence goes on at a comma after a long pause', () => {
    const texts = ['Tell us how it began.', 'Well, with a light that went out on a screen in a small office.']
    const speech = [
      { start: 0, end: 1.4 },
      { start: 1.5, end: 1.9 },
      { start: 25, end: 29 },
    ]
    expect(timeTexts(texts, speech)[1]).toEqual({ start: 25, end: 29 })
  })

  it('weighs ideographs by their speaking time', () => {
    const [first] = timeTexts(['你好你好', 'abcd'], [{ start: 0, end: 10 }])
    expect(first!.end).toBeGreaterThan(7)
  })

  it.each([
    ['no speech', []],
    ['speech without length', [{ start: 5, end: 5 }]],
  ])('gives times for texts with %s', (_, spans) => {
    const at = spans[0]?.start ?? 0
    expect(timeTexts(['a', 'b', 'c'], spans)).toEqual(Array(3).fill({ start: at, end: at }))
  })

  it('timeTexts does not go backwards over speech without length', () => {
    const moments = [1, 2].map(at => ({ start: at, end: at }))
    const times = timeTexts(['a', 'b', 'c'], moments).flatMap(({ start, end }) => [start, end])
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  it('returns nothing for no texts', () => {
    expect(timeTexts([], speech)).toEqual([])
  })

  it('timeTexts goes forward and stays inside the speech, for any texts', () => {
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
  it('times very many short texts quickly and in order', () => {
    const texts = Array.from({ length: 1300 }, () => 'No.')
    const speech = Array.from({ length: 300 }, (_, i) => ({ start: i / 2, end: i / 2 + 0.3 }))
    const times = timeTexts(texts, speech)
    for (let i = 1; i < times.length; i++) expect(times[i]!.start).toBeGreaterThanOrEqual(times[i - 1]!.end)
  })
})

describe('timeWords', () => {
  it('distributes the words over the speech inside the span', () => {
    const speech = [
      { start: 0, end: 2 },
      { start: 5, end: 7 },
    ]
    expect(timeWords('abcd efgh, ijkl', { start: 1, end: 7 }, speech)).toEqual([
      { text: 'abcd', start: 1, end: 1.833 },
      { text: 'efgh,', start: 1.833, end: 6 },
      { text: 'ijkl', start: 6, end: 7 },
    ])
  })

  it('begins a word behind a comma where a pause ends', () => {
    const speech = [
      { start: 0, end: 2.3 },
      { start: 3, end: 5 },
    ]
    const words = timeWords('one two three, four five six', { start: 0, end: 5 }, speech)
    expect(words[2]).toMatchObject({ text: 'three,', end: 2.3 })
    expect(words[3]).toMatchObject({ text: 'four', start: 3 })
  })

  it('uses the whole span where no speech is known', () => {
    expect(timeWords('你好', { start: 1, end: 2 }, [])).toEqual([
      { text: '你', start: 1, end: 1.5 },
      { text: '好', start: 1.5, end: 2 },
    ])
  })

  it('timeWords goes forward through the span, with a time for each word', () => {
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
