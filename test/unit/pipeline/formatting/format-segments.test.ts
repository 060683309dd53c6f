// formatSegments: words keep their times and speakers, and turns begin paragraphs.
import { describe, expect, it } from 'vitest'
import type { Segment } from '../../../../src/domain/transcript.ts'
import { createSeededRandom } from '../../../support/emulators/expected-words.ts'
import { punctuate, type ReceivedRequest } from '../../../support/text/fake-text-model.ts'
import {
  expectInPlace,
  formatWithFake,
  groupByOrigin,
  spokenSegment,
} from '../../../support/text/formatted-segments.ts'
import { generateConversation, generateText } from '../../../support/text/generated-speech.ts'

const filling = (seed: number) => spokenSegment(generateText('en', 60, seed), 1_000, 1_030, 'S9')

describe('a conversation', () => {
  for (const language of ['en', 'ru', 'ja', 'th', 'ar', 'mixed'] as const)
    it(`a conversation in ${language} keeps its times and speakers, even with sentences across segments`, async () => {
      for (const seed of [1, 2]) {
        const raw = generateConversation(40, seed, {
          language,
          maxWords: 60,
          timed: seed === 2 && language === 'en',
        })
        const { segments, kept, pieces } = await formatWithFake(raw)
        expectInPlace(raw, segments)
        expect(kept).toBe(0)
        expect(pieces).toBeGreaterThan(1)
        expect(segments.length).toBeGreaterThanOrEqual(raw.length)
      }
    })

  it('each turn and each long pause begins a paragraph', async () => {
    const raw = generateConversation(100, 4)
    const silent = raw.map((one, i) => (i < 50 ? one : { ...one, start: one.start + 60, end: one.end + 60 }))
    const { segments } = await formatWithFake(silent)
    const all = groupByOrigin(silent, segments)
    for (const [i, { source, parts }] of all.entries()) {
      const before = silent[i - 1]
      if (!before || before.speaker !== source.speaker || source.start - before.end >= 5)
        expect(parts[0]!.opens).toBe(true)
    }
    expect(all[50]!.parts[0]!.opens).toBe(true)
    for (const { opens } of segments) expect(typeof opens).toBe('boolean')
    expect(segments.filter(({ opens }) => !opens).length).toBeGreaterThan(10)
  })

  it('the model receives each turn on a line of its own', async () => {
    const raw = [
      spokenSegment('so what do you say to that', 0, 2, 'S1'),
      spokenSegment('to all of it', 2, 3, 'S1'),
      spokenSegment('nothing at all if I may', 3, 5, 'S2'),
      filling(5),
    ]
    const { model } = await formatWithFake(raw)
    expect(model.requests[0]!.text.split('\n').slice(0, 2)).toEqual([
      'so what do you say to that to all of it',
      'nothing at all if I may',
    ])
  })

  it('formatted words keep the times of the recognised words', async () => {
    const raw = generateConversation(60, 6, { timed: true, maxWords: 50 })
    const { segments } = await formatWithFake(raw)
    const times = (list: Segment[]) =>
      list.flatMap(({ words: own }) => own!.map(({ start, end }) => [start, end]))
    expect(times(segments)).toEqual(times(raw))
    for (const { text, words: own, start, end } of segments) {
      expect(own!.map(word => word.text).join(' ')).toBe(text)
      expect(start).toBeLessThanOrEqual(own![0]!.start)
      expect(end).toBeGreaterThanOrEqual(own!.at(-1)!.end)
    }
  })

  it('words of unspaced scripts keep their times', async () => {
    const raw = generateConversation(12, 7, { language: 'zh', maxWords: 80 }).map(one => {
      const signs = [...one.text].map((text, i) => ({ text, start: one.start + i, end: one.start + i + 1 }))
      return { ...one, end: one.start + signs.length, words: signs }
    })
    const { segments, pieces } = await formatWithFake(raw)
    expect(pieces).toBeGreaterThan(1)
    const signs = segments.flatMap(({ words: own }) => own!)
    expect(signs.map(({ start }) => start)).toEqual(
      raw.flatMap(({ words: own }) => own.map(({ start }) => start)),
    )
    for (const { text, words: own } of segments) expect(own!.map(word => word.text).join('')).toBe(text)
  })

  it('segments with a bad answer keep text, times and words', async () => {
    const raw = generateConversation(90, 8, { timed: true })
    const { segments } = await formatWithFake(raw, { answer: () => 'Certainly!' })
    expectInPlace(raw, segments)
    expect(segments.map(({ text }) => text)).toEqual(raw.map(({ text }) => text))
    expect(segments.flatMap(({ words: own }) => own)).toEqual(raw.flatMap(({ words: own }) => own))
  })

  it('a sentence across two pieces stays one sentence', async () => {
    for (const language of ['en', 'th'] as const) {
      const text = generateText(language, 1_500, 9)
      const { segments, pieces } = await formatWithFake([spokenSegment(text, 0, 600)])
      expect(pieces).toBeGreaterThan(1)
      expect(segments.map(one => one.text).join(' ')).toBe(punctuate(text).replace(/\s+/g, ' '))
      if (language === 'en') expect(segments.every(one => one.text.endsWith('.'))).toBe(true)
    }
  })

  it('a single long segment is split with the times of its words', async () => {
    const text = generateText('en', 1_500, 9)
    const all = text.split(' ').map((said, i) => ({ text: said, start: i, end: i + 0.5 }))
    const { segments } = await formatWithFake([{ ...spokenSegment(text, 0, 1_500), words: all }])
    expect(segments.length).toBeGreaterThan(50)
    const joined = segments.map(({ words: own }) => own!.map(one => one.text).join(' '))
    expect(joined).toEqual(segments.map(one => one.text))
    const times = segments.flatMap(({ words: own }) => own!.map(({ start }) => start))
    expect(times).toEqual(all.map(({ start }) => start))
    for (const [i, one] of segments.entries()) expect(one.start).toBe(i === 0 ? 0 : one.words![0]!.start)
  })
})

describe('the clean style', () => {
  /** Removes all fillers. */
  const withoutFillers = ({ text }: ReceivedRequest) => punctuate(text.replace(/\b(?:um|uh)\b ?/g, ''))
  const clean = { style: 'clean', language: 'en' } as const

  it('removed fillers are counted once, and the other words keep their times', async () => {
    const random = createSeededRandom(10)
    const raw = generateConversation(110, 10, { timed: true, maxWords: 40 }).map(one => {
      const all = one.words!.flatMap(word =>
        random() < 0.15 ? [{ ...word, text: random() < 0.5 ? 'um' : 'uh' }, word] : [word],
      )
      return { ...one, text: all.map(({ text }) => text).join(' '), words: all }
    })
    const filler = (word: { text: string }) => word.text === 'um' || word.text === 'uh'
    const { segments, removed, kept, pieces } = await formatWithFake(raw, { answer: withoutFillers }, clean)
    expect(pieces).toBeGreaterThan(3)
    expect(kept).toBe(0)
    const all = raw.flatMap(({ words: own }) => own)
    const left = segments.flatMap(({ words: own }) => own!)
    expect(left.map(({ start }) => start)).toEqual(
      all.filter(word => !filler(word)).map(({ start }) => start),
    )
    expect(segments.some(({ text }) => /\b(?:um|uh)\b/i.test(text))).toBe(false)
    const count = (name: string) => all.filter(({ text }) => text === name).length
    expect(removed).toEqual({ um: count('um'), uh: count('uh') })
  })

  it('a turn of fillers alone disappears, and the next segment begins a paragraph', async () => {
    for (const next of ['S1', 'S2']) {
      const raw = [
        spokenSegment(`${generateText('en', 20, 11)} and`, 0, 9, 'S1'),
        spokenSegment('um uh um', 9, 10, 'S2'),
        spokenSegment(generateText('en', 20, 12), 10, 19, next),
      ]
      const { segments, removed } = await formatWithFake(raw, { answer: withoutFillers }, clean)
      expect(removed).toEqual({ um: 2, uh: 1 })
      expect(segments.some(({ start }) => start === 9)).toBe(false)
      expect(segments.find(({ start }) => start === 10)).toMatchObject({ speaker: next, opens: true })
    }
  })

  it('a turn of a single filler is an answer and stays', async () => {
    const raw = [
      spokenSegment(`${generateText('en', 30, 13)}`, 0, 9, 'S1'),
      spokenSegment('mm', 9, 10, 'S2'),
      spokenSegment(generateText('en', 20, 14), 10, 19, 'S1'),
    ]
    const answer = ({ text }: ReceivedRequest) => punctuate(text.replace(/\nmm\n/, '\n'))
    const { segments, removed } = await formatWithFake(raw, { answer }, clean)
    expect(removed).toEqual({})
    expect(segments.find(({ speaker }) => speaker === 'S2')).toMatchObject({ text: 'mm', start: 9, end: 10 })
  })
})
