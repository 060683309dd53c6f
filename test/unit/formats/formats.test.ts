// The forms in which a transcript leaves the house: subtitles, texts, JSON, pages.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { estimateTokens } from '../../../src/domain/token-estimate.ts'
import { tokens } from '../../../src/domain/tokens.ts'
import type { Gap, Segment } from '../../../src/domain/transcript.ts'
import { cues } from '../../../src/formats/cues.ts'
import { type FormatName, formatNames, isFormatName, outputFormats } from '../../../src/formats/index.ts'
import { cutPage } from '../../../src/formats/page.ts'
import { outline, plainText, timedText } from '../../../src/formats/text.ts'
import { segment, transcript } from '../../support/transcripts.ts'

const runs = { seed: 20261102, numRuns: 300 }
const withoutBlanks = (text: string) => text.replace(/\s+/g, '')
const render = (format: FormatName, segments: Segment[], gaps: Gap[] = []) =>
  outputFormats[format].render(transcript({ segments, gaps }))

describe('srt', () => {
  it('numbers its cues from 1, with commas in the times', () => {
    const text = render('srt', [segment('Hello there.', 0.25, 2), segment('Bye.', 3.5, 5.125)])
    expect(text).toBe(
      '1\n00:00:00,250 --> 00:00:02,000\nHello there.\n\n2\n00:00:03,500 --> 00:00:05,125\nBye.\n',
    )
  })

  it('counts hours, and rounds to the millisecond', () => {
    expect(render('srt', [segment('Late.', 36_061.0006, 36_063.9994)])).toContain(
      '10:01:01,001 --> 10:01:03,999',
    )
    expect(render('srt', [segment('Late.', 59.9999, 61)])).toContain('00:01:00,000 -->')
  })

  it('of nothing is empty', () => {
    expect(render('srt', [])).toBe('')
  })
})

describe('vtt', () => {
  it('begins with its name, and has points in the times', () => {
    expect(render('vtt', [segment('Hello.', 3600, 3602)])).toBe(
      'WEBVTT\n\n01:00:00.000 --> 01:00:02.000\nHello.\n',
    )
  })

  it('escapes what would be markup', () => {
    expect(render('vtt', [segment('R&D <b>is</b> x > y &lt;', 0, 3)])).toContain(
      'R&amp;D &lt;b>is&lt;/b> x > y &amp;lt;',
    )
  })

  it('of nothing is a file without cues', () => {
    expect(render('vtt', [])).toBe('WEBVTT\n')
  })
})

describe.each(['srt', 'vtt'] as const)('%s', format => {
  it('has no arrow but in its lines of times', () => {
    const text = render(format, [segment('a --> b', 0, 1), segment('00:00 --->\n--> x', 1, 2)])
    expect(text.match(/-->/g)).toHaveLength(2)
    expect(text).toContain('a → b')
  })

  it('shows a hole where it lies', () => {
    const said = [segment('Before.', 0, 2), segment('After.', 60, 62)]
    const text = render(format, said, [{ start: 2.5, end: 59, reason: 'THROTTLED: too fast' }])
    expect(text).toMatch(/Before\..*00:00:02.500 --> 00:00:09.500\n\[no text until 0:59\].*After\./s)
  })
})

describe('cues', () => {
  const isWide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}，。]/u
  /** In columns of Latin script: of 18 ideographs each fills 42/18. */
  const columnsOf = (line: string) =>
    [...line].reduce((sum, sign) => sum + (isWide.test(sign) ? 42 / 18 : 1), 0)
  const linesOf = (text: string, start: number, end: number) =>
    cues(transcript({ segments: [segment(text, start, end)] })).map(({ lines }) => lines)

  it('of a short sentence is one line', () => {
    expect(linesOf('Forty-two columns fit into a line of text.', 0, 4)).toEqual([
      ['Forty-two columns fit into a line of text.'],
    ])
  })

  it('of a longer one is two lines of about the same length', () => {
    expect(linesOf('This sentence is too long for a line, but two will do.', 0, 4)).toEqual([
      ['This sentence is too long', 'for a line, but two will do.'],
    ])
  })

  it('of Chinese breaks between characters', () => {
    expect(linesOf('今天天气很好，我们一起去公园散步，然后回家吃饭。', 0, 6)).toEqual([
      ['今天天气很好，我们一起去', '公园散步，然后回家吃饭。'],
    ])
  })

  it('stay up for a second where there is room', () => {
    const said = [segment('No.', 0, 0.2), segment('Yes.', 0.5, 0.6), segment('Well.', 5, 6)]
    expect(cues(transcript({ segments: said }))).toMatchObject([
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

  it('fit two lines and seven seconds, whatever is said', () => {
    fc.assert(
      fc.property(segmentLists, segments => {
        for (const { start, end, lines } of cues(transcript({ segments }))) {
          expect(lines.length).toBeLessThanOrEqual(2)
          for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(42.001)
          expect(end - start).toBeLessThanOrEqual(7.001)
        }
      }),
      runs,
    )
  })

  it('come in order, without overlap', () => {
    fc.assert(
      fc.property(segmentLists, segments => {
        const all = cues(transcript({ segments }))
        for (const { start, end } of all) expect(end).toBeGreaterThan(start)
        for (let i = 1; i < all.length; i++) expect(all[i]!.start).toBeGreaterThanOrEqual(all[i - 1]!.end)
      }),
      runs,
    )
  })

  it('hold every word once, in order', () => {
    fc.assert(
      fc.property(segmentLists, segments => {
        const shown = cues(transcript({ segments })).flatMap(({ lines }) => lines)
        expect(withoutBlanks(shown.join(''))).toBe(withoutBlanks(segments.map(({ text }) => text).join('')))
        expect(shown).not.toContain('')
      }),
      runs,
    )
  })
})

describe('readable texts', () => {
  const said = [
    segment('One.', 0, 2),
    segment('Two.', 2.2, 4),
    segment('A new thought.', 8, 10),
    segment('After the hole.', 75, 80),
  ]
  const gaps = [{ start: 10, end: 75, reason: 'PROVIDER_FAILED: DashScope failed to answer.' }]
  const hole = '[no text from 0:10 to 1:15: PROVIDER_FAILED: DashScope failed to answer.]'

  it('txt is paragraphs, with the hole between them', () => {
    expect(render('txt', said, gaps)).toBe(`One. Two.\n\nA new thought.\n\n${hole}\n\nAfter the hole.\n`)
  })

  it('the text of a tool’s answer has a time for each paragraph', () => {
    expect(timedText(transcript({ segments: said, gaps }))).toBe(
      `[0:00] One. Two.\n[0:08] A new thought.\n[0:10] ${hole}\n[1:15] After the hole.`,
    )
  })

  it('md has a title, facts, times and the hole, and says that it is incomplete', () => {
    const text = outputFormats.md.render(
      transcript({ segments: said, gaps, title: 'Talk', warnings: ['Cut off.'] }),
    )
    expect(text.split('\n\n')).toEqual([
      '# Talk',
      'Transcript of 1:20 · English · created 2026-03-01 · **incomplete: 1 gap(s)**',
      '> Cut off.',
      '**[0:00]** One. Two.',
      '**[0:08]** A new thought.',
      `**[0:10]** ${hole.replace(/[[\]_]/g, '\\$&')}`,
      '**[1:15]** After the hole.\n',
    ])
  })

  it.each([
    ['*bold* _it_ `code`', '# \\*bold\\* \\_it\\_ \\`code\\`'],
    ['[link](x) <b> # & ~~', '# \\[link\\](x) \\<b\\> \\# \\& \\~\\~'],
    ['back\\slash', '# back\\\\slash'],
    ['two\nlines', '# two lines'],
  ])('the title %j is no markup in md', (title, line) => {
    expect(outputFormats.md.render(transcript({ title })).split('\n')[0]).toBe(line)
  })

  it('a hole parts what would be one paragraph', () => {
    const near = [segment('One.', 0, 2), segment('Two.', 3, 4)]
    const text = plainText(transcript({ segments: near, gaps: [{ start: 2.1, end: 2.9, reason: 'X: y' }] }))
    expect(text).toBe('One.\n\n[no text from 0:02 to 0:02: X: y]\n\nTwo.')
  })

  it('sentences of overlapping chunks stay in the order of the recording', () => {
    const crossed = [segment('One.', 0, 20), segment('Two.', 29, 31), segment('Three.', 28.5, 60)]
    expect(plainText(transcript({ segments: crossed }))).toBe('One.\n\nTwo.\n\nThree.')
  })

  it('a talk without a pause still has paragraphs', () => {
    const endless = Array.from({ length: 40 }, (_, i) => segment(`Sentence ${i}.`, i * 3, i * 3 + 3))
    const blocks = plainText(transcript({ segments: endless })).split('\n\n')
    expect(blocks).toHaveLength(4)
    expect(blocks.join(' ')).toBe(endless.map(({ text }) => text).join(' '))
  })

  it('Chinese sentences are joined without blanks', () => {
    expect(plainText(transcript({ segments: [segment('你好。', 0, 1), segment('再见。', 1, 2)] }))).toBe(
      '你好。再见。',
    )
  })
})

describe('outline', () => {
  it.each([
    { minutes: 2, most: 4 },
    { minutes: 30, most: 30 },
    { minutes: 240, most: 30 },
  ])('of $minutes minutes has at most $most lines, over the whole length', ({ minutes, most }) => {
    const all = Array.from({ length: minutes * 6 }, (_, i) => segment(`Sentence ${i}.`, i * 10, i * 10 + 5))
    const lines = outline(transcript({ segments: all })).split('\n')
    expect(lines[0]).toBe('[0:00] Sentence 0.')
    expect(lines.length).toBeLessThanOrEqual(most)
    expect(lines.length).toBeGreaterThan(most / 2)
  })

  it('of a stretch is as fine as one of a recording of that length', () => {
    const all = Array.from({ length: 60 }, (_, i) => segment(`Sentence ${i}.`, 7200 + i * 10, 7205 + i * 10))
    const lines = outline(transcript({ segments: all, duration: 14_400 })).split('\n')
    expect(lines[0]).toBe('[2:00:00] Sentence 0.')
    expect(lines.length).toBeGreaterThan(12)
  })

  it.each([
    ['at a blank', `${'word '.repeat(30)}end.`, /^\[0:00\] (word ){16,17}word…$/],
    ['of Chinese', '好'.repeat(200), /^\[0:00\] 好{90}…$/],
    ['without half a sign', `x${'😀'.repeat(80)}`, /^\[0:00\] x(😀){44}…$/u],
  ])('cuts long paragraphs short: %s', (_, text, line) => {
    expect(outline(transcript({ segments: [segment(text, 0, 9)] }))).toMatch(line)
  })

  it('of nothing is empty', () => {
    expect(outline(transcript({ segments: [] }))).toBe('')
  })
})

describe('json', () => {
  it('is the whole transcript in snake case', () => {
    const words = [{ text: 'camelCase', start: 0, end: 1 }]
    const given = transcript({
      segments: [{ ...segment('camelCase', 0, 1), words }],
      gaps: [{ start: 1, end: 2, reason: 'X: stays asItIs' }],
    })
    const { createdAt, coverage, usage, ...rest } = given
    expect(JSON.parse(outputFormats.json.render(given))).toStrictEqual({
      ...rest,
      created_at: createdAt,
      coverage: { speech_seconds: 1, transcribed_seconds: 1, gaps: coverage.gaps },
      usage: { audio_seconds: usage.audioSeconds, cached_seconds: 0, cost_usd: 0.01 },
      text: 'camelCase\n\n[no text from 0:01 to 0:02: X: stays asItIs]',
    })
  })
})

describe('format names', () => {
  it('are those that there are', () => {
    expect(formatNames).toEqual(['txt', 'md', 'json', 'srt', 'vtt'])
    expect(['txt', 'vtt'].every(isFormatName)).toBe(true)
    expect(['TXT', '', 'constructor', 'toString'].some(isFormatName)).toBe(false)
  })
})

describe('cutPage', () => {
  /** All pages of a text; more than this many would mean that it does not get on. */
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

  describe.each(kinds)('of %s', (_, texts) => {
    const limits = fc.integer({ min: 4, max: 60 })

    it('gives every word back', () => {
      fc.assert(
        fc.property(texts, limits, (text, limit) => {
          expect(withoutBlanks(pagesOf(text, limit).join(''))).toBe(withoutBlanks(text))
        }),
        runs,
      )
    })

    it('keeps to the limit', () => {
      fc.assert(
        fc.property(texts, limits, (text, limit) => {
          for (const page of pagesOf(text, limit)) expect(estimateTokens(page)).toBeLessThanOrEqual(limit)
        }),
        runs,
      )
    })

    it('cuts no sign in half, wherever a page begins', () => {
      fc.assert(
        fc.property(texts, limits, fc.nat(300), (text, limit, offset) => {
          expect(cutPage(text, offset, limit).text).not.toMatch(/\p{Surrogate}/u)
        }),
        runs,
      )
    })
  })

  it('cuts no word in two where there is a blank', () => {
    fc.assert(
      fc.property(fc.lorem({ maxCount: 80 }), text => {
        expect(pagesOf(text, 20).flatMap(page => tokens(page).map(({ key }) => key))).toEqual(
          tokens(text).map(({ key }) => key),
        )
      }),
      runs,
    )
  })

  it.each([
    ['a line', 5, 'One two three.\nFour. Six seven', 'One two three.'],
    ['a sentence', 5, 'One two three. Four five six', 'One two three.'],
    ['a Chinese sentence', 10, '一二三四五六七。八九十一二三', '一二三四五六七。'],
    ['a blank', 5, 'one two three four five', 'one two three four'],
  ])('ends a page at %s', (_, limit, text, first) => {
    expect(cutPage(text, 0, limit).text).toBe(first)
  })

  it('says where the next page begins, and nothing on the last', () => {
    expect(cutPage('one two three', 0, 2)).toEqual({ text: 'one two', nextOffset: 8 })
    expect(cutPage('one two three', 8, 2)).toEqual({ text: 'three' })
  })

  it.each([13, 14, 1e9])('beyond the end (%i) is empty and the last', offset => {
    expect(cutPage('one two three', offset)).toEqual({ text: '' })
  })
})
