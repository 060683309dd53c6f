// Text formats: plain, with times, Markdown, outline.
import { describe, expect, it } from 'vitest'
import type { Gap, Segment } from '../../../src/domain/transcript.ts'
import { type FormatName, outputFormats } from '../../../src/formats/index.ts'
import { outline, plainText, timedText } from '../../../src/formats/text.ts'
import { segment, transcript } from '../../support/transcripts.ts'

const render = (format: FormatName, segments: Segment[], gaps: Gap[] = []) =>
  outputFormats[format].render(transcript({ segments, gaps }))

describe('text formats', () => {
  const said = [
    segment('One.', 0, 2),
    segment('Two.', 2.2, 4),
    segment('A new thought.', 8, 10),
    segment('After the gap.', 75, 80),
  ]
  const gaps = [{ start: 10, end: 75, reason: 'PROVIDER_FAILED: DashScope failed to answer.' }]
  const gapText = '[no text from 0:10 to 1:15: PROVIDER_FAILED: DashScope failed to answer.]'

  it('the txt format has paragraphs with the gap between them', async () => {
    expect(await render('txt', said, gaps)).toBe(
      `One. Two.\n\nA new thought.\n\n${gapText}\n\nAfter the gap.\n`,
    )
  })

  it('timedText has a time for each paragraph', () => {
    expect(timedText(transcript({ segments: said, gaps }))).toBe(
      `[0:00] One. Two.\n[0:08] A new thought.\n[0:10] ${gapText}\n[1:15] After the gap.`,
    )
  })

  it('the md format has title, facts, warnings, times and gaps', async () => {
    const text = await outputFormats.md.render(
      transcript({ segments: said, gaps, title: 'Talk', warnings: ['Cut off.'] }),
    )
    expect(text.split('\n\n')).toEqual([
      '# Talk',
      'Transcript of 1:20 · English · created 2026-03-01 · **incomplete: 1 gap(s)**',
      '> Cut off.',
      '**[0:00]** One. Two.',
      '**[0:08]** A new thought.',
      `**[0:10]** ${gapText.replace(/[[\]_]/g, '\\$&')}`,
      '**[1:15]** After the gap.\n',
    ])
  })

  it.each([
    ['*bold* _it_ `code`', '# \\*bold\\* \\_it\\_ \\`code\\`'],
    ['[link](x) <b> # & ~~', '# \\[link\\](x) \\<b\\> \\# \\& \\~\\~'],
    ['back\\slash', '# back\\\\slash'],
    ['two\nlines', '# two lines'],
  ])('the title %j is escaped in md', async (title, line) => {
    expect((await outputFormats.md.render(transcript({ title }))).split('\n')[0]).toBe(line)
  })

  it('a gap splits a paragraph', () => {
    const near = [segment('One.', 0, 2), segment('Two.', 3, 4)]
    const text = plainText(transcript({ segments: near, gaps: [{ start: 2.1, end: 2.9, reason: 'X: y' }] }))
    expect(text).toBe('One.\n\n[no text from 0:02 to 0:02: X: y]\n\nTwo.')
  })

  it('sentences of overlapping chunks stay in the order of the recording', () => {
    const crossed = [segment('One.', 0, 20), segment('Two.', 29, 31), segment('Three.', 28.5, 60)]
    expect(plainText(transcript({ segments: crossed }))).toBe('One.\n\nTwo.\n\nThree.')
  })

  it('speech without a pause is split into paragraphs', () => {
    const endless = Array.from({ length: 40 }, (_, i) => segment(`Sentence ${i}.`, i * 3, i * 3 + 3))
    const blocks = plainText(transcript({ segments: endless })).split('\n\n')
    expect(blocks).toHaveLength(4)
    expect(blocks.join(' ')).toBe(endless.map(({ text }) => text).join(' '))
  })

  it('Chinese sentences are joined without spaces', () => {
    expect(plainText(transcript({ segments: [segment('你好。', 0, 1), segment('再见。', 1, 2)] }))).toBe(
      '你好。再见。',
    )
  })
})

describe('outline', () => {
  it.each([
    { minutes: 2, maxLines: 4 },
    { minutes: 30, maxLines: 30 },
    { minutes: 240, maxLines: 30 },
  ])(
    'the outline of $minutes minutes has at most $maxLines lines over the whole length',
    ({ minutes, maxLines }) => {
      const all = Array.from({ length: minutes * 6 }, (_, i) => segment(`Sentence ${i}.`, i * 10, i * 10 + 5))
      const lines = outline(transcript({ segments: all })).split('\n')
      expect(lines[0]).toBe('[0:00] Sentence 0.')
      expect(lines.length).toBeLessThanOrEqual(maxLines)
      expect(lines.length).toBeGreaterThan(maxLines / 2)
    },
  )

  it('the outline of a part is as fine as that of a recording of its length', () => {
    const all = Array.from({ length: 60 }, (_, i) => segment(`Sentence ${i}.`, 7200 + i * 10, 7205 + i * 10))
    const lines = outline(transcript({ segments: all, duration: 14_400 })).split('\n')
    expect(lines[0]).toBe('[2:00:00] Sentence 0.')
    expect(lines.length).toBeGreaterThan(12)
  })

  it.each([
    ['at a space', `${'word '.repeat(30)}end.`, /^\[0:00\] (word ){16,17}word…$/],
    ['of Chinese', '好'.repeat(200), /^\[0:00\] 好{90}…$/],
    ['without half a character', `x${'😀'.repeat(80)}`, /^\[0:00\] x(😀){44}…$/u],
  ])('the outline shortens long paragraphs: %s', (_, text, line) => {
    expect(outline(transcript({ segments: [segment(text, 0, 9)] }))).toMatch(line)
  })

  it('the outline of an empty transcript is empty', () => {
    expect(outline(transcript({ segments: [] }))).toBe('')
  })
})
