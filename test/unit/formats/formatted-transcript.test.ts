// Output formats of a transcript with formatted text.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FormattedSegments, type Segment, withoutFormatted } from '../../../src/domain/transcript.ts'
import { excerpts } from '../../../src/formats/excerpts.ts'
import { type FormatName, formatNames } from '../../../src/formats/index.ts'
import { paragraphs } from '../../../src/formats/paragraphs.ts'
import { allWarnings, filterSegments, preferFormatted } from '../../../src/formats/shown-segments.ts'
import { cues } from '../../../src/formats/subtitles/cues.ts'
import { outline, plainText, timedText } from '../../../src/formats/text.ts'
import { rendered } from '../../support/rendered.ts'
import { type Facts, segment, transcript } from '../../support/transcripts.ts'

/** A sentence of a formatted text. */
const sentence = (text: string, start: number, end: number, opens = false): Segment => ({
  ...segment(text, start, end),
  opens,
})

function formatted(segments: Segment[], more: Partial<FormattedSegments> = {}): FormattedSegments {
  return {
    style: 'faithful',
    models: ['qwen-flash'],
    changed: 0.25,
    paragraphs: 2,
    kept: 0,
    pieces: 1,
    failed: 0,
    removed: {},
    warnings: [],
    of: 'x',
    segments,
    usage: { inputTokens: 40, outputTokens: 30, costUsd: 0.0001 },
    ...more,
  }
}

const recognised = [segment('so we met and then', 0, 4), segment('it rained what a day', 4, 9)]
const sentences = [
  sentence('So we met.', 0, 2.5, true),
  sentence('And then it rained.', 2.5, 6),
  sentence('What a day!', 6, 9, true),
]
const talk = (more: Partial<FormattedSegments> = {}, facts: Facts = {}) =>
  transcript({ segments: recognised, formatted: formatted(sentences, more), ...facts })
const render = (format: FormatName, of = talk()) => rendered(of, format)

describe('a formatted transcript', () => {
  it('a formatted transcript is shown in its paragraphs with the times of its sentences', async () => {
    expect(timedText(talk())).toBe('[0:00] So we met. And then it rained.\n[0:06] What a day!')
    expect(await render('txt')).toBe('So we met. And then it rained.\n\nWhat a day!\n')
    expect(outline(talk())).toBe('[0:00] So we met. And then it rained.')
  })

  it('a formatted transcript can be shown as recognised', () => {
    expect(plainText(withoutFormatted(talk()))).toBe('so we met and then it rained what a day')
    expect(plainText(withoutFormatted(talk()))).toBe(plainText(transcript({ segments: recognised })))
  })

  it('the md format names the formatting models and their warnings', async () => {
    const text = await render('md', talk({ models: ['qwen-flash', 'a_b'], warnings: ['Some was not.'] }))
    expect(text.split('\n\n')).toEqual([
      '# A talk',
      'Transcript of 0:09 · English · created 2026-03-01 · formatted by qwen-flash, a\\_b',
      '> Some was not.',
      '**[0:00]** So we met. And then it rained.',
      '**[0:06]** What a day!\n',
    ])
  })

  it.each(['srt', 'vtt'] as const)('the %s format has a cue for each formatted sentence', async format => {
    const text = await render(format)
    const lines = text.split('\n').filter(line => /\p{L}/u.test(line) && line !== 'WEBVTT')
    expect(lines).toEqual(['So we met.', 'And then it rained.', 'What a day!'])
    expect((await cues(talk())).map(({ start }) => start)).toEqual([0, 2.5, 6])
  })

  it('the json format has formatted and recognised segments and the summary', async () => {
    const found = JSON.parse(await render('json', talk({ removed: { 'I mean': 2 }, warnings: ['Look.'] })))
    expect(found).toMatchObject({
      text: 'So we met. And then it rained.\n\nWhat a day!',
      segments: sentences,
      raw_segments: recognised,
      warnings: ['Look.'],
    })
    expect(found.formatted).toStrictEqual({
      style: 'faithful',
      models: ['qwen-flash'],
      changed: 0.25,
      paragraphs: 2,
      kept: 0,
      removed: { 'I mean': 2 },
      usage: { input_tokens: 40, output_tokens: 30, cost_usd: 0.0001 },
    })
  })

  it('the json format counts pieces without an answer', async () => {
    const found = JSON.parse(await render('json', talk({ pieces: 5, failed: 2 })))
    expect(found.formatted).toMatchObject({ pieces: 5, failed: 2 })
    expect(JSON.parse(await render('json', talk({ pieces: 5 }))).formatted).not.toHaveProperty('failed')
  })

  it('the json format of an unformatted transcript has no formatting fields', async () => {
    const found = JSON.parse(await render('json', transcript({ segments: recognised })))
    expect(found).not.toHaveProperty('formatted')
    expect(found).not.toHaveProperty('raw_segments')
    expect(found.segments).toEqual(recognised)
  })

  it('excerpts show the formatted text', async () => {
    expect(await excerpts(talk(), 'rained')).toEqual([{ start: 2.5, text: 'And then it rained.' }])
  })

  it('a formatted transcript shows its gaps', () => {
    const gaps = [{ start: 9, end: 20, reason: 'X: y' }]
    const after = [...sentences, sentence('Later.', 21, 22)]
    const text = plainText(transcript({ segments: recognised, formatted: formatted(after), gaps }))
    expect(text).toMatch(/What a day!\n\n\[no text from 0:09 to 0:20: X: y\]\n\nLater\.$/)
  })

  it('a formatted transcript shows the current names of speakers', () => {
    const said = sentences.map(one => ({ ...one, speaker: one.start < 6 ? 'S1' : 'S2' }))
    const speakers = [
      { id: 'S1', name: 'Alice', seconds: 6, share: 0.7 },
      { id: 'S2', seconds: 3, share: 0.3 },
    ]
    const of = talk({ segments: said }, { speakers })
    expect(timedText(of)).toBe('[0:00] Alice: So we met. And then it rained.\n[0:06] S2: What a day!')
    expect(timedText({ ...of, onlySpeakers: ['S2'] })).toBe('[0:06] S2: What a day!')
  })

  it('filterSegments filters formatted and recognised segments', () => {
    const stretch = filterSegments(talk(), ({ start }) => start >= 4)
    expect(plainText(stretch)).toBe('What a day!')
    expect(plainText(withoutFormatted(stretch))).toBe('it rained what a day')
  })
})

describe('preferFormatted', () => {
  it('preferFormatted leaves unformatted transcripts alone and is idempotent', () => {
    const plain = transcript({ segments: recognised })
    expect(preferFormatted(plain)).toBe(plain)
    expect(preferFormatted(preferFormatted(talk()))).toEqual(preferFormatted(talk()))
  })

  it('warnings of formatting and transcription stay separate', () => {
    const of = talk({ warnings: ['New.'] }, { warnings: ['Old.'] })
    expect(allWarnings(of)).toEqual(['New.', 'Old.'])
    expect(allWarnings(withoutFormatted(of))).toEqual(['Old.'])
  })
})

describe('paragraphs of a formatted text', () => {
  const texts = (segments: Segment[]) => [...paragraphs(segments)].map(({ text }) => text)

  it('formatted paragraphs begin where marked, not after a short pause', () => {
    const said = [sentence('One.', 0, 2, true), sentence('Two.', 6, 8), sentence('Three.', 8, 9, true)]
    expect(texts(said)).toEqual(['One. Two.', 'Three.'])
  })

  it('formatted paragraphs begin after a long pause and with another speaker', () => {
    const said = [sentence('One.', 0, 2, true), sentence('Two.', 7, 8)]
    expect(texts(said)).toEqual(['One.', 'Two.'])
    const two = [
      { ...sentence('One.', 0, 2, true), speaker: 'S1' },
      { ...sentence('Two.', 2, 4), speaker: 'S2' },
    ]
    expect(texts(two)).toEqual(['One.', 'Two.'])
  })

  it('formatted paragraphs last at most a minute and end with a sentence', () => {
    const endless = Array.from({ length: 60 }, (_, i) => sentence(`S${i}.`, i * 4, i * 4 + 4, i === 0))
    const found = [...paragraphs(endless)]
    expect(found).toHaveLength(4)
    for (const { start, end } of found) expect(end - start).toBe(60)
  })

  it('paragraphs keep all words in order for any paragraph starts', () => {
    const facts = fc.record({ opens: fc.boolean(), pause: fc.double({ min: 0, max: 9, noNaN: true }) })
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 30 }), all => {
        let end = 0
        const said = all.map(({ opens, pause }, i) => {
          const start = end + pause
          end = start + 3
          return sentence(`word${i}.`, start, end, opens)
        })
        const of = transcript({ segments: [], formatted: formatted(said) })
        const words = said.map(({ text }) => text)
        expect(plainText(of).split(/\s+/).filter(Boolean)).toEqual(words)
        expect([...paragraphs(said)].length).toBeGreaterThanOrEqual(
          said.filter(({ opens }, i) => opens && i > 0).length,
        )
      }),
      { seed: 20261125, numRuns: 200 },
    )
  })
})

describe('every output format', () => {
  const ofScores = ['rttm', 'ctm', 'csv-words']
  it.each(formatNames.filter(name => !ofScores.includes(name)))(
    'the %s format shows the formatted words',
    async format => {
      expect(await render(format)).toContain('What a day!')
    },
  )
})
