// Pages of a long text.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { estimateModelTokens } from '../../../src/domain/models/model-tokens.ts'
import { tokens } from '../../../src/domain/tokens.ts'
import { cutPage } from '../../../src/formats/page.ts'
import { rendered } from '../../support/rendered.ts'
import { segment, transcript } from '../../support/transcripts.ts'

const runs = { seed: 20261102, numRuns: 300 }
const withoutSpaces = (text: string) => text.replace(/\s+/g, '')

/** Tokens for a character of speech, with the costlier of GPT-4's and Claude 2's tokenizers: measured. */
const tokensPerCharacter: [script: string, speech: string, tokens: number][] = [
  ['English', 'We have to talk about the budget. ', 0.25],
  ['Turkish', 'Önümüzdeki yılın bütçesini konuşmalıyız. ', 0.47],
  ['Russian', 'Нам нужно обсудить бюджет. ', 0.54],
  ['Arabic', 'علينا أن نتحدث عن الميزانية. ', 0.94],
  ['Greek', 'Πρέπει να μιλήσουμε για τον προϋπολογισμό. ', 1.09],
  ['Hindi', 'हमें बजट के बारे में बात करनी है। ', 1.06],
  ['Thai', 'เราต้องพูดคุยเรื่องงบประมาณ ', 1.71],
  ['Tamil', 'நாம் நிதி ஒதுக்கீடு பற்றி பேச வேண்டும். ', 1.88],
  ['Armenian', 'Մենք պետք է խոսենք բյուջեի մասին։ ', 1.82],
  ['Amharic', 'ስለ በጀት መነጋገር አለብን። ', 2.6],
  ['Chinese', '我们需要谈谈预算。', 1.17],
  ['Korean', '우리는 예산에 대해 이야기해야 합니다. ', 1.08],
  ['Subtitles', '00:01:12,480 --> 00:01:15,120\nWe talked.\n', 0.41],
]

describe('cutPage', () => {
  it.each(tokensPerCharacter)('a page of %s is as long as its script allows', (_, speech, tokens) => {
    const { text } = cutPage(speech.repeat(3_000), 0, 8_000)
    expect(text.length * tokens).toBeGreaterThan(4_000)
    expect(text.length * tokens).toBeLessThan(10_000)
  })

  /** Returns all pages of a text; fails if they never end. */
  function pagesOf(text: string, limit: number): string[] {
    const pages: string[] = []
    for (let offset: number | undefined = 0; offset !== undefined; ) {
      const page = cutPage(text, offset, limit)
      pages.push(page.text)
      offset = page.nextOffset
      if (pages.length > 500) throw new Error('The pages do not end.')
    }
    return pages
  }

  const kinds: [string, fc.Arbitrary<string>][] = [
    ['Latin words', fc.lorem({ maxCount: 60 })],
    ['Latin lines', fc.array(fc.lorem({ maxCount: 9 })).map(lines => lines.join('\n\n'))],
    ['Chinese', fc.string({ unit: fc.constantFrom(...'今天天气很好，我们去公园。'), maxLength: 300 })],
    ['emoji', fc.string({ unit: fc.constantFrom('😀', '👩‍👩‍👧', 'a', ' '), maxLength: 200 })],
    ['one endless word', fc.integer({ min: 0, max: 900 }).map(length => 'x'.repeat(length))],
    ['anything', fc.string({ unit: 'grapheme', maxLength: 300 })],
  ]

  describe.each(kinds)('pages of %s', (kind, texts) => {
    const limits = fc.integer({ min: 4, max: 60 })

    it(`pages of ${kind} have every word once`, () => {
      fc.assert(
        fc.property(texts, limits, (text, limit) => {
          expect(withoutSpaces(pagesOf(text, limit).join(''))).toBe(withoutSpaces(text))
        }),
        runs,
      )
    })

    it(`pages of ${kind} keep to the limit`, () => {
      fc.assert(
        fc.property(texts, limits, (text, limit) => {
          for (const page of pagesOf(text, limit))
            expect(estimateModelTokens(page)).toBeLessThanOrEqual(limit)
        }),
        runs,
      )
    })

    it(`pages of ${kind} never split a character, for any offset`, () => {
      fc.assert(
        fc.property(texts, limits, fc.nat(300), (text, limit, offset) => {
          expect(cutPage(text, offset, limit).text).not.toMatch(/\p{Surrogate}/u)
        }),
        runs,
      )
    })
  })

  it('a page ends between words where there is a space', () => {
    fc.assert(
      fc.property(fc.lorem({ maxCount: 80 }), text => {
        expect(pagesOf(text, 20).flatMap(page => tokens(page).map(({ key }) => key))).toEqual(
          tokens(text).map(({ key }) => key),
        )
      }),
      runs,
    )
  })

  it('pages of subtitles never part a cue', async () => {
    const segments = Array.from({ length: 40 }, (_, i) =>
      segment('one two three four '.repeat(1 + (i % 9)), i * 9, i * 9 + 8),
    )
    for (const format of ['srt', 'vtt'] as const) {
      const whole = (await rendered(transcript({ segments }), format)).trimEnd()
      for (const limit of [100, 150, 400])
        expect(pagesOf(whole, limit).flatMap(page => page.split('\n\n'))).toEqual(whole.split('\n\n'))
    }
  })

  it('a title does not stand alone on a page', () => {
    const { text } = cutPage(`Minutes\n\n${'We agreed. '.repeat(90)}`, 0, 100)
    expect(text.length).toBeGreaterThan(200)
  })

  it.each([
    ['a paragraph', 6, 'One two three.\n\nFour five.\nSix seven eight', 'One two three.'],
    ['a line', 5, 'One two three.\nFour. Six seven', 'One two three.'],
    ['a sentence', 5, 'One two three. Four five six', 'One two three.'],
    ['a Chinese sentence', 10, '一二三四五六七。八九十一二三', '一二三四五六七。'],
    ['a space', 5, 'one two three four five', 'one two three four'],
  ])('a page ends at %s', (_, limit, text, first) => {
    expect(cutPage(text, 0, limit).text).toBe(first)
  })

  it('a page has the offset of the next one, except the last', () => {
    expect(cutPage('one two three', 0, 2)).toEqual({ text: 'one two', nextOffset: 8 })
    expect(cutPage('one two three', 8, 2)).toEqual({ text: 'three' })
  })

  it.each([13, 14, 1e9])('a page beyond the end (%i) is empty and the last', offset => {
    expect(cutPage('one two three', offset)).toEqual({ text: '' })
  })
})
