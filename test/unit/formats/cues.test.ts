// Subtitle cues: line breaks, duration and order.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cues } from '../../../src/formats/subtitles/cues.ts'
import { segment, transcript } from '../../support/transcripts.ts'

const runs = { seed: 20261102, numRuns: 300 }
const withoutSpaces = (text: string) => text.replace(/\s+/g, '')

describe('cues', () => {
  const isWide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}，。]/u
  /** Columns of Latin script; an ideograph fills 42/18 of one. */
  const columnsOf = (line: string) =>
    [...line].reduce((sum, character) => sum + (isWide.test(character) ? 42 / 18 : 1), 0)
  const linesOf = async (text: string, start: number, end: number) =>
    (await cues(transcript({ segments: [segment(text, start, end)] }))).map(({ lines }) => lines)

  it('a short sentence is a cue of one line', async () => {
    expect(await linesOf('Forty-two columns fit into a line of text.', 0, 4)).toEqual([
      ['Forty-two columns fit into a line of text.'],
    ])
  })

  it('a longer sentence is a cue of two lines of similar length', async () => {
    expect(await linesOf('This sentence is too long for a line, but two will do.', 0, 4)).toEqual([
      ['This sentence is too long', 'for a line, but two will do.'],
    ])
  })

  it('a Chinese cue breaks between characters', async () => {
    expect(await linesOf('今天天气很好，我们一起去公园散步，然后回家吃饭。', 0, 6)).toEqual([
      ['今天天气很好，我们一起去', '公园散步，然后回家吃饭。'],
    ])
  })

  it('a short cue is shown for a second if there is room', async () => {
    const said = [segment('No.', 0, 0.2), segment('Yes.', 0.5, 0.6), segment('Well.', 5, 6)]
    expect(await cues(transcript({ segments: said }))).toMatchObject([
      { start: 0, end: 0.5 },
      { start: 0.5, end: 1.5 },
      { start: 5, end: 6 },
    ])
  })

  const word = fc.oneof(
    { weight: 4, arbitrary: fc.stringMatching(/^[a-z]{1,11}[,.]?$/) },
    fc.constantFrom('你', '世界，', '안녕하세요', '3.5', '—', 'カード'),
    fc.constantFrom('Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz', '好'.repeat(50)),
  )
  const spoken = fc.record({
    words: fc.array(word, { minLength: 1, maxLength: 50 }),
    seconds: fc.double({ min: 0, max: 60, noNaN: true }),
    // Segments of two chunks may overlap a little.
    pause: fc.double({ min: -1, max: 3, noNaN: true }),
  })
  const segmentLists = fc.array(spoken, { maxLength: 6 }).map(all => {
    let end = 2
    return all.map(({ words, seconds, pause }) => {
      const start = end + pause
      end = start + seconds
      return segment(words.join(' '), start, end)
    })
  })

  it('cues fit two lines and seven seconds for any text', async () => {
    await fc.assert(
      fc.asyncProperty(segmentLists, async segments => {
        for (const { start, end, lines } of await cues(transcript({ segments }))) {
          expect(lines.length).toBeLessThanOrEqual(2)
          for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(42.001)
          expect(end - start).toBeLessThanOrEqual(7.001)
        }
      }),
      runs,
    )
  })

  it('cues are in order and do not overlap', async () => {
    await fc.assert(
      fc.asyncProperty(segmentLists, async segments => {
        const all = await cues(transcript({ segments }))
        for (const { start, end } of all) expect(end).toBeGreaterThan(start)
        for (let i = 1; i < all.length; i++) expect(all[i]!.start).toBeGreaterThanOrEqual(all[i - 1]!.end)
      }),
      runs,
    )
  })

  it('cues have every word once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(segmentLists, async segments => {
        const shown = (await cues(transcript({ segments }))).flatMap(({ lines }) => lines)
        expect(withoutSpaces(shown.join(''))).toBe(withoutSpaces(segments.map(({ text }) => text).join('')))
        expect(shown).not.toContain('')
      }),
      runs,
    )
  })
})
