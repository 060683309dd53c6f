// Subtitle cues: line breaks, duration and order.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Cue, cues } from '../../../src/formats/subtitles/cues.ts'
import { segment, transcript } from '../../support/transcripts.ts'

const runs = { seed: 20261102, numRuns: 100 }
const withoutSpaces = (text: string) => text.replace(/\s+/g, '')

describe('cues', () => {
  const isWide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}，。]/u
  /** Share of a line: of 42 characters, or of 16 wide ones, where a narrow one counts half. */
  const fullnessOf = (line: string) => {
    const wide = [...line].filter(character => isWide.test(character)).length
    const narrow = [...line].length - wide
    return wide > 0 ? (wide + narrow / 2) / 16 : narrow / 42
  }
  const textsOf = ({ lines }: Cue) => lines.map(({ text }) => text)
  const linesOf = async (text: string, start: number, end: number) =>
    (await cues(transcript({ segments: [segment(text, start, end)] }))).map(textsOf)

  it('a short sentence is a cue of one line', async () => {
    expect(await linesOf('Forty-two columns fit into a line of text.', 0, 4)).toEqual([
      ['Forty-two columns fit into a line of text.'],
    ])
  })

  it('a longer sentence is a cue of two lines, which break behind a comma', async () => {
    expect(await linesOf('This sentence is too long for a line, but two will do.', 0, 4)).toEqual([
      ['This sentence is too long for a line,', 'but two will do.'],
    ])
  })

  it('a Chinese cue breaks between characters', async () => {
    expect(await linesOf('今天天气很好，我们一起去公园散步，然后回家吃饭。', 0, 6)).toEqual([
      ['今天天气很好，我们一起去', '公园散步，然后回家吃饭。'],
    ])
  })

  it('short neighbours share a cue, and a short cue stays for its least time', async () => {
    const said = [segment('No.', 0, 0.2), segment('Yes.', 0.5, 0.6), segment('Well.', 5, 5.1)]
    const all = await cues(transcript({ segments: said }))
    expect(all.map(textsOf)).toEqual([['No. Yes.'], ['Well.']])
    for (const { start, end } of all) expect(end - start).toBeCloseTo(5 / 6, 2)
  })

  it('a cue stays in the pause behind it until it can be read, and leaves two frames before the next', async () => {
    const fast = 'A sentence that is said in a hurry by someone.'
    const [first, second] = await cues(transcript({ segments: [segment(fast, 0, 1), segment(fast, 9, 10)] }))
    expect(first!.end).toBeCloseTo(fast.length / 20, 2)
    expect(second!.start).toBe(9)
    const [near] = await cues(transcript({ segments: [segment(fast, 0, 1), segment(fast, 2, 4)] }))
    expect(near!.end).toBe(1.92)
  })

  it('a cue ends behind a sentence or a comma rather than in a phrase, a name or a number', async () => {
    const said =
      'We met Maria Gonzalez and her brother at the old harbour of Valparaiso, where 3 500 people work every day on ships.'
    const all = (await linesOf(said, 0, 9)).map(lines => lines.join(' '))
    expect(all[0]).toMatch(/Valparaiso,$/)
    for (const text of all) expect(text).not.toMatch(/Maria$|3$/)
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
          for (const { text } of lines) expect(fullnessOf(text)).toBeLessThanOrEqual(1)
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
        const shown = (await cues(transcript({ segments }))).flatMap(textsOf)
        expect(withoutSpaces(shown.join(''))).toBe(withoutSpaces(segments.map(({ text }) => text).join('')))
        expect(shown).not.toContain('')
      }),
      runs,
    )
  })
})
