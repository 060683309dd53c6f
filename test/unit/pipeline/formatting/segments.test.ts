// What was spoken is formatted: times and speakers stay with their words, and turns begin paragraphs.
import { describe, expect, it } from 'vitest'
import type { Segment } from '../../../../src/domain/transcript.ts'
import {
  type FormatOptions,
  formatSegments,
  segmentsHash,
} from '../../../../src/pipeline/formatting/format-text.ts'
import { createSeededRandom } from '../../../support/emulators/expected-words.ts'
import { type Asked, readable, type WriterWish, writer } from '../../../support/text/fake-writer.ts'
import { conversation, keeping, runOf, talk } from '../../../support/text/generated-speech.ts'
import { words } from '../../../support/text/words.ts'

async function formatted(segments: Segment[], wish: WriterWish = {}, how: Partial<FormatOptions> = {}) {
  const model = writer({ concurrency: 1_000, ...wish })
  const run = runOf({ checkpoints: keeping().checkpoints })
  const result = await formatSegments(segments, { style: 'faithful', ...how }, { textModel: model }, run)
  return { model, ...result }
}

function segment(text: string, start: number, end: number, speaker?: string | null): Segment {
  return { text, start, end, estimated: false, ...(speaker !== undefined && { speaker }) }
}

const filling = (seed: number) => segment(talk('en', 60, seed), 1_000, 1_030, 'S9')

/** For each of the raw segments that has words left what it has become. */
function apart(raw: Segment[], made: Segment[]): { of: Segment; parts: Segment[] }[] {
  let next = 0
  const found: { of: Segment; parts: Segment[] }[] = []
  for (const of of raw) {
    const said = words(of.text)
    if (said.length === 0) continue
    const parts: Segment[] = []
    const left: string[] = []
    while (left.length < said.length && made[next]) {
      left.push(...words(made[next]!.text))
      parts.push(made[next++]!)
    }
    expect(left).toEqual(said)
    found.push({ of, parts })
  }
  return found
}

function expectInPlace(raw: Segment[], made: Segment[]): void {
  const all = apart(raw, made)
  expect(all.flatMap(({ parts }) => parts)).toHaveLength(made.length)
  for (const { of, parts } of all) {
    expect(parts[0]!.start).toBe(of.start)
    expect(parts.at(-1)!.end).toBe(of.end)
    const isInOrder = parts.every(
      ({ start, end }, i) => start >= (parts[i - 1]?.end ?? of.start) && end >= start,
    )
    expect(isInOrder).toBe(true)
    const facts = ({ speaker, estimated, confidence }: Segment) => [speaker, estimated, confidence].join()
    expect(new Set(parts.map(facts))).toEqual(new Set([facts(of)]))
  }
}

describe('a conversation', () => {
  for (const tongue of ['en', 'ru', 'ja', 'th', 'ar', 'mixed'] as const)
    it(`keeps its times and speakers in ${tongue}, also where sentences begin and end within a segment`, async () => {
      for (const seed of [1, 2]) {
        const raw = conversation(40, seed, { tongue, longest: 60, timed: seed === 2 && tongue === 'en' })
        const { segments, kept, pieces } = await formatted(raw)
        expectInPlace(raw, segments)
        expect(kept).toBe(0)
        expect(pieces).toBeGreaterThan(1)
        expect(segments.length).toBeGreaterThanOrEqual(raw.length)
      }
    })

  it('begins a paragraph with each turn, and after a long silence', async () => {
    const raw = conversation(100, 4)
    const silent = raw.map((one, i) => (i < 50 ? one : { ...one, start: one.start + 60, end: one.end + 60 }))
    const { segments } = await formatted(silent)
    const all = apart(silent, segments)
    for (const [i, { of, parts }] of all.entries()) {
      const before = silent[i - 1]
      if (!before || before.speaker !== of.speaker || of.start - before.end >= 5)
        expect(parts[0]!.opens).toBe(true)
    }
    expect(all[50]!.parts[0]!.opens).toBe(true)
    for (const { opens } of segments) expect(typeof opens).toBe('boolean')
    expect(segments.filter(({ opens }) => !opens).length).toBeGreaterThan(10)
  })

  it('shows the model where another one speaks, and has a line for each turn', async () => {
    const raw = [
      segment('so what do you say to that', 0, 2, 'S1'),
      segment('to all of it', 2, 3, 'S1'),
      segment('nothing at all if I may', 3, 5, 'S2'),
      filling(5),
    ]
    const { model } = await formatted(raw)
    expect(model.asked[0]!.text.split('\n').slice(0, 2)).toEqual([
      'so what do you say to that to all of it',
      'nothing at all if I may',
    ])
  })

  it('has the same words at the same times: those of its words follow', async () => {
    const raw = conversation(60, 6, { timed: true, longest: 50 })
    const { segments } = await formatted(raw)
    const times = (list: Segment[]) =>
      list.flatMap(({ words: own }) => own!.map(({ start, end }) => [start, end]))
    expect(times(segments)).toEqual(times(raw))
    for (const { text, words: own, start, end } of segments) {
      expect(own!.map(word => word.text).join(' ')).toBe(text)
      expect(start).toBeLessThanOrEqual(own![0]!.start)
      expect(end).toBeGreaterThanOrEqual(own!.at(-1)!.end)
    }
  })

  it('keeps the times of words in scripts without blanks', async () => {
    const raw = conversation(12, 7, { tongue: 'zh', longest: 80 }).map(one => {
      const signs = [...one.text].map((text, i) => ({ text, start: one.start + i, end: one.start + i + 1 }))
      return { ...one, end: one.start + signs.length, words: signs }
    })
    const { segments, pieces } = await formatted(raw)
    expect(pieces).toBeGreaterThan(1)
    const signs = segments.flatMap(({ words: own }) => own!)
    expect(signs.map(({ start }) => start)).toEqual(
      raw.flatMap(({ words: own }) => own.map(({ start }) => start)),
    )
    for (const { text, words: own } of segments) expect(own!.map(word => word.text).join('')).toBe(text)
  })

  it('stands as it was where the model has failed', async () => {
    const raw = conversation(90, 8, { timed: true })
    const { segments } = await formatted(raw, { answer: () => 'Certainly!' })
    expectInPlace(raw, segments)
    expect(segments.map(({ text }) => text)).toEqual(raw.map(({ text }) => text))
    expect(segments.flatMap(({ words: own }) => own)).toEqual(raw.flatMap(({ words: own }) => own))
  })

  it('has one sentence where pieces meet in the middle of one', async () => {
    for (const tongue of ['en', 'th'] as const) {
      const text = talk(tongue, 1_500, 9)
      const { segments, pieces } = await formatted([segment(text, 0, 600)])
      expect(pieces).toBeGreaterThan(1)
      expect(segments.map(one => one.text).join(' ')).toBe(readable(text).replace(/\s+/g, ' '))
      if (tongue === 'en') expect(segments.every(one => one.text.endsWith('.'))).toBe(true)
    }
  })

  it('may be one segment, with all the times of its words', async () => {
    const text = talk('en', 1_500, 9)
    const all = text.split(' ').map((said, i) => ({ text: said, start: i, end: i + 0.5 }))
    const { segments } = await formatted([{ ...segment(text, 0, 1_500), words: all }])
    expect(segments.length).toBeGreaterThan(50)
    const joined = segments.map(({ words: own }) => own!.map(one => one.text).join(' '))
    expect(joined).toEqual(segments.map(one => one.text))
    const times = segments.flatMap(({ words: own }) => own!.map(({ start }) => start))
    expect(times).toEqual(all.map(({ start }) => start))
    for (const [i, one] of segments.entries()) expect(one.start).toBe(i === 0 ? 0 : one.words![0]!.start)
  })
})

describe('without fillers', () => {
  /** Leaves out what it may. */
  const cleaner = ({ text }: Asked) => readable(text.replace(/\b(?:um|uh)\b ?/g, ''))
  const clean = { style: 'clean', language: 'en' } as const

  it('the times of the other words stay, and what is gone is counted once', async () => {
    const random = createSeededRandom(10)
    const raw = conversation(110, 10, { timed: true, longest: 40 }).map(one => {
      const all = one.words!.flatMap(word =>
        random() < 0.15 ? [{ ...word, text: random() < 0.5 ? 'um' : 'uh' }, word] : [word],
      )
      return { ...one, text: all.map(({ text }) => text).join(' '), words: all }
    })
    const filler = (word: { text: string }) => word.text === 'um' || word.text === 'uh'
    const { segments, removed, kept, pieces } = await formatted(raw, { answer: cleaner }, clean)
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

  it('a turn of nothing else is gone, and what comes next still begins a paragraph', async () => {
    for (const next of ['S1', 'S2']) {
      const raw = [
        segment(`${talk('en', 20, 11)} and`, 0, 9, 'S1'),
        segment('um uh um', 9, 10, 'S2'),
        segment(talk('en', 20, 12), 10, 19, next),
      ]
      const { segments, removed } = await formatted(raw, { answer: cleaner }, clean)
      expect(removed).toEqual({ um: 2, uh: 1 })
      expect(segments.some(({ start }) => start === 9)).toBe(false)
      expect(segments.find(({ start }) => start === 10)).toMatchObject({ speaker: next, opens: true })
    }
  })

  it('a turn that is one such sound is an answer, and stays', async () => {
    const raw = [
      segment(`${talk('en', 30, 13)}`, 0, 9, 'S1'),
      segment('mm', 9, 10, 'S2'),
      segment(talk('en', 20, 14), 10, 19, 'S1'),
    ]
    const answer = ({ text }: Asked) => readable(text.replace(/\nmm\n/, '\n'))
    const { segments, removed } = await formatted(raw, { answer }, clean)
    expect(removed).toEqual({})
    expect(segments.find(({ speaker }) => speaker === 'S2')).toMatchObject({ text: 'mm', start: 9, end: 10 })
  })
})

describe('odd segments', () => {
  it('without text are gone', async () => {
    const raw = conversation(30, 15).flatMap((one, i) => [
      one,
      { ...one, text: [' ', '', '\n'][i % 3]!, start: one.end, end: one.end },
    ])
    const { segments } = await formatted(raw)
    expectInPlace(raw, segments)
  })

  it('without length keep their time', async () => {
    const raw = conversation(40, 16).map(one => ({ ...one, end: one.start }))
    const { segments } = await formatted(raw)
    expectInPlace(raw, segments)
  })

  it('of speakers who speak at once keep their times', async () => {
    const raw = conversation(60, 17, { speakers: 4 }).map((one, i) => ({
      ...one,
      start: Math.max(0, one.start - (i % 3) * 4),
      end: one.end - (i % 3) * 4 + 6,
      speaker: i % 7 ? one.speaker! : null,
    }))
    const { segments } = await formatted(raw)
    expectInPlace(raw, segments)
  })

  it('without speakers open paragraphs where the model does', async () => {
    const text = talk('en', 400, 18)
    const said = text.split(' ')
    const raw = Array.from({ length: 40 }, (_, i) =>
      segment(said.slice(i * 10, i * 10 + 10).join(' '), i * 4, i * 4 + 4),
    )
    const { segments } = await formatted(raw)
    const paragraphs: string[][] = []
    for (const { text: part, opens } of segments)
      opens ? paragraphs.push([part]) : paragraphs.at(-1)!.push(part)
    expect(paragraphs.map(parts => parts.join(' '))).toEqual(readable(text).split('\n\n'))
  })

  it('with line breaks and marks of their own keep their words', async () => {
    const raw = conversation(60, 19).map((one, i) => ({
      ...one,
      text: i % 2 ? `${readable(one.text).replace(/\s+/g, ' ')}\r\n\t…` : `— ${one.text}`,
    }))
    const { segments } = await formatted(raw)
    expectInPlace(raw, segments)
  })

  it('whose words are not those of their text lose none of either', async () => {
    const raw = conversation(40, 20, { timed: true }).map((one, i) =>
      i % 4
        ? one
        : { ...one, words: one.words!.map((word, k) => (k % 3 ? word : { ...word, text: `${word.text}2` })) },
    )
    const { segments } = await formatted(raw)
    expectInPlace(raw, segments)
    const times = (list: Segment[]) => list.flatMap(({ words: own }) => own!.map(({ start }) => start))
    expect(times(segments)).toEqual(times(raw))
  })

  it('in their thousands are one transcript', async () => {
    const raw = conversation(12_000, 21, { longest: 3 })
    const { segments, kept } = await formatted(raw, { concurrency: 32 })
    expect(kept).toBe(0)
    expect(words(segments.map(({ text }) => text).join(' '))).toEqual(
      words(raw.map(({ text }) => text).join(' ')),
    )
    expect(new Set(segments.map(({ start }) => start)).size).toBeGreaterThanOrEqual(12_000)
    expect(segments.at(-1)!.end).toBe(raw.at(-1)!.end)
  })

  it('that are few words are given back as they are', async () => {
    const raw = [segment('good morning', 0, 1, 'S1'), segment('and to you', 1, 2, 'S2')]
    const { segments, warnings, model } = await formatted(raw)
    expect(segments).toEqual(raw)
    expect(warnings).toEqual(['A text of at most 100 characters is not formatted.'])
    expect(model.asked).toEqual([])
    expect((await formatted([])).segments).toEqual([])
  })
})

describe('the hash by which a formatting knows its words', () => {
  const raw = conversation(5, 22)
  const [first, ...others] = raw
  const changed = (change: Partial<Segment>) => segmentsHash([{ ...first!, ...change }, ...others])

  it('changes with a text, a time, a speaker, and the number of segments', () => {
    const all = [
      segmentsHash(raw),
      changed({ text: `${first!.text}s` }),
      changed({ start: first!.start + 0.001 }),
      changed({ end: first!.end + 0.001 }),
      changed({ speaker: 'S7' }),
      changed({ speaker: null }),
      segmentsHash(others),
      segmentsHash([...others, first!]),
    ]
    expect(new Set(all).size).toBe(all.length)
  })

  it('stays with what a reader does not see as words, and is in the result', async () => {
    expect(changed({ confidence: 0.1, words: [], opens: true })).toBe(segmentsHash(raw))
    expect((await formatted(raw)).of).toBe(segmentsHash(raw))
  })
})
