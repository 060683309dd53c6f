// formatSegments on unusual segments, and the hash of segments.
import { describe, expect, it } from 'vitest'
import type { Segment } from '../../../../src/domain/transcript.ts'
import { segmentsHash } from '../../../../src/pipeline/formatting/format-text.ts'
import { punctuate } from '../../../support/text/fake-text-model.ts'
import { expectInPlace, formatWithFake, spokenSegment } from '../../../support/text/formatted-segments.ts'
import { generateConversation, generateText } from '../../../support/text/generated-speech.ts'
import { words } from '../../../support/text/words.ts'

describe('unusual segments', () => {
  it('segments without text disappear', async () => {
    const raw = generateConversation(30, 15).flatMap((one, i) => [
      one,
      { ...one, text: [' ', '', '\n'][i % 3]!, start: one.end, end: one.end },
    ])
    const { segments } = await formatWithFake(raw)
    expectInPlace(raw, segments)
  })

  it('segments of zero length keep their time', async () => {
    const raw = generateConversation(40, 16).map(one => ({ ...one, end: one.start }))
    const { segments } = await formatWithFake(raw)
    expectInPlace(raw, segments)
  })

  it('segments of overlapping speakers keep their times', async () => {
    const raw = generateConversation(60, 17, { speakers: 4 }).map((one, i) => ({
      ...one,
      start: Math.max(0, one.start - (i % 3) * 4),
      end: one.end - (i % 3) * 4 + 6,
      speaker: i % 7 ? one.speaker! : null,
    }))
    const { segments } = await formatWithFake(raw)
    expectInPlace(raw, segments)
  })

  it('segments without speakers begin paragraphs where the answer does', async () => {
    const text = generateText('en', 400, 18)
    const said = text.split(' ')
    const raw = Array.from({ length: 40 }, (_, i) =>
      spokenSegment(said.slice(i * 10, i * 10 + 10).join(' '), i * 4, i * 4 + 4),
    )
    const { segments } = await formatWithFake(raw)
    const paragraphs: string[][] = []
    for (const { text: part, opens } of segments)
      opens ? paragraphs.push([part]) : paragraphs.at(-1)!.push(part)
    expect(paragraphs.map(parts => parts.join(' '))).toEqual(punctuate(text).split('\n\n'))
  })

  it('segments with line breaks and punctuation keep their words', async () => {
    const raw = generateConversation(60, 19).map((one, i) => ({
      ...one,
      text: i % 2 ? `${punctuate(one.text).replace(/\s+/g, ' ')}\r\n\t…` : `— ${one.text}`,
    }))
    const { segments } = await formatWithFake(raw)
    expectInPlace(raw, segments)
  })

  it('segments whose timed words differ from the text keep both', async () => {
    const raw = generateConversation(40, 20, { timed: true }).map((one, i) =>
      i % 4
        ? one
        : { ...one, words: one.words!.map((word, k) => (k % 3 ? word : { ...word, text: `${word.text}2` })) },
    )
    const { segments } = await formatWithFake(raw)
    expectInPlace(raw, segments)
    const times = (list: Segment[]) => list.flatMap(({ words: own }) => own!.map(({ start }) => start))
    expect(times(segments)).toEqual(times(raw))
  })

  it('12,000 segments are formatted as one transcript', async () => {
    const raw = generateConversation(12_000, 21, { maxWords: 3 })
    const { segments, kept } = await formatWithFake(raw, { concurrency: 32 })
    expect(kept).toBe(0)
    expect(words(segments.map(({ text }) => text).join(' '))).toEqual(
      words(raw.map(({ text }) => text).join(' ')),
    )
    expect(new Set(segments.map(({ start }) => start)).size).toBeGreaterThanOrEqual(12_000)
    expect(segments.at(-1)!.end).toBe(raw.at(-1)!.end)
  })

  it('segments of few words are returned unchanged', async () => {
    const raw = [spokenSegment('good morning', 0, 1, 'S1'), spokenSegment('and to you', 1, 2, 'S2')]
    const { segments, warnings, model } = await formatWithFake(raw)
    expect(segments).toEqual(raw)
    expect(warnings).toEqual(['A text of at most 100 characters is not formatted.'])
    expect(model.requests).toEqual([])
    expect((await formatWithFake([])).segments).toEqual([])
  })
})

describe('segmentsHash', () => {
  const raw = generateConversation(5, 22)
  const [first, ...others] = raw
  const changed = (change: Partial<Segment>) => segmentsHash([{ ...first!, ...change }, ...others])

  it('the hash changes with text, times, speakers and the number of segments', () => {
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

  it('the hash ignores confidence, timed words and paragraphs, and is part of the result', async () => {
    expect(changed({ confidence: 0.1, words: [], opens: true })).toBe(segmentsHash(raw))
    expect((await formatWithFake(raw)).of).toBe(segmentsHash(raw))
  })
})
