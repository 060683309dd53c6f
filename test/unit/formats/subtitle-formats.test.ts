// Subtitle formats: escapes, karaoke, names in the text, and times of long recordings.
import { describe, expect, it } from 'vitest'
import type { Segment } from '../../../src/domain/transcript.ts'
import { checkFormat, type FormatName, outputFormats } from '../../../src/formats/index.ts'
import { cues } from '../../../src/formats/subtitles/cues.ts'
import type { PresetName } from '../../../src/formats/subtitles/presets.ts'
import { alice, second, talk } from '../../support/speaker-transcript.ts'
import { segment, transcript } from '../../support/transcripts.ts'

const formats = ['srt', 'vtt', 'vtt-names', 'ass', 'ttml'] as const
const render = (format: FormatName, segments: Segment[], preset?: PresetName) =>
  outputFormats[format].render(transcript({ segments }), { preset })

const sung: Segment = {
  ...segment('Row your boat', 1, 3),
  words: [
    { text: 'Row', start: 1, end: 1.5 },
    { text: 'your', start: 1.5, end: 2 },
    { text: 'boat', start: 2.25, end: 3 },
  ],
}

describe('markup in subtitles', () => {
  it('each format shows the marks of its markup as they were said', async () => {
    const said = [segment('a < b & c > d, {stop} C:\\new "now".', 0, 5)]
    expect(await render('srt', said)).toContain('a <\u2060 b & c > d, ｛stop｝ C:\\\u2060new "now".')
    for (const format of ['vtt', 'vtt-names'] as const)
      expect(await render(format, said)).toContain('a &lt; b &amp; c &gt; d, ｛stop｝ C:\\\u2060new "now".')
    expect(await render('ass', said)).toContain('a < b & c > d, ｛stop｝ C:\\\u2060new "now".')
    expect(await render('ttml', said)).toContain('a &lt; b &amp; c &gt; d, {stop} C:\\new &quot;now&quot;.')
  })

  it('Markdown escapes the marks of formulas and citations, and leaves addresses alone', async () => {
    const said = 'He had $5, 2^10, @anna and https://a.example/x_y_z?a=1 or b_c@d.example.'
    expect(await render('md', [segment(said, 0, 5)])).toContain(
      'He had \\$5, 2\\^10, \\@anna and https://a.example/x_y_z?a=1 or b_c@d.example.',
    )
  })
})

describe('speakers in subtitles', () => {
  it('WebVTT with names in the text has no voice tags', async () => {
    const text = await outputFormats['vtt-names'].render(talk)
    expect(text).toContain('\nAlice: Shall we begin?\n')
    expect(text).toContain('\nThe budget first.\nS2: It is fine.\n')
    expect(text).not.toContain('<v')
  })

  it('two speakers of a WebVTT cue have a voice each', async () => {
    expect(await outputFormats.vtt.render(talk)).toContain(
      '\n<v Alice>- The budget first.</v>\n<v S2>- It is fine.\n',
    )
  })

  it.each(formats)('no cue of overlapping speakers overlaps another in %s', async format => {
    const segments = Array.from({ length: 12 }, (_, i) => ({
      ...segment(`Sentence number ${i} is said by one of two.`, i * 1.1, i * 1.1 + 3),
      speaker: i % 2 ? 'S1' : 'S2',
    }))
    const text = await outputFormats[format].render(transcript({ segments, speakers: [alice, second] }))
    const times = [...text.matchAll(/(\d+):(\d\d):(\d\d[.,]\d+)/g)].map(
      ([, h, m, s]) => Number(h) * 3600 + Number(m) * 60 + Number(s!.replace(',', '.')),
    )
    expect(times.length).toBeGreaterThan(8)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })
})

describe('speakers who talk at once for long', () => {
  const wordsOf = (name: string) => Array.from({ length: 50 }, (_, i) => `${name}${i}`)
  const said = (name: string, start: number, speaker: string) => ({
    ...segment(wordsOf(name).join(' '), start, start + 20),
    speaker,
    words: wordsOf(name).map((text, i) => ({ text, start: start + i * 0.4, end: start + i * 0.4 + 0.4 })),
  })
  const segments = [said('a', 0, 'S1'), said('b', 0.5, 'S2')]

  it('the words of each are shown in order, and within two seconds and a half', async () => {
    const all = await cues(transcript({ segments, speakers: [alice, second] }), { namesInText: true })
    const shown = all.flatMap(cue =>
      cue.lines.flatMap(line => line.words.map(({ text }) => ({ text: text.trim(), start: cue.start }))),
    )
    for (const { words } of segments) {
      const own = shown.filter(({ text }) => text.startsWith(words[0]!.text[0]!))
      expect(own.map(({ text }) => text)).toEqual(words.map(({ text }) => text))
      for (const [i, { start }] of own.entries()) expect(start - words[i]!.start).toBeLessThan(2.5)
    }
    for (const { start, end } of all) expect(end - start).toBeGreaterThan(0.5)
  })
})

describe('karaoke', () => {
  it('each word of a WebVTT cue lights up at its time, in an element of its own', async () => {
    const text = await render('vtt', [sung], 'karaoke')
    // Older ffmpegs read no cue behind a style block.
    expect(text).not.toContain('STYLE')
    expect(text).toContain('<00:00:01.001><c>Row</c> <00:00:01.500><c>your</c> <00:00:02.250><c>boat</c>\n')
  })

  it('each word of an ASS cue lasts until the next one, and the style orders both directions of writing', async () => {
    const text = await render('ass', [sung], 'karaoke')
    expect(text).toContain('{\\k50}Row {\\k75}your {\\k75}boat')
    expect(text).toMatch(/^Style: .+,-1$/m)
  })

  it('words of no length light up with the word before them: times of a WebVTT cue only grow', async () => {
    const at = (text: string, start: number) => ({ text, start, end: start })
    const words = [at('One', 1), at('two', 1), at('three', 1.5), at('four', 1.5)]
    const text = await render('vtt', [{ ...segment('One two three four', 1, 2), words }], 'karaoke')
    expect(text).toContain('<00:00:01.001><c>One</c> <c>two</c> <00:00:01.500><c>three</c> <c>four</c>\n')
  })

  it('the times of words in TTML count from their paragraph', async () => {
    expect(await render('ttml', [sung], 'karaoke')).toContain(
      '<span><set begin="1.250s" tts:color="yellow"/>boat</span>',
    )
  })

  it('social cues have one or two words each and no names', async () => {
    const given = transcript({ segments: [{ ...sung, speaker: 'S1' }], speakers: [alice] })
    const text = await outputFormats.srt.render(given, { preset: 'social' })
    expect(text.match(/^[A-Z]?[a-z].*$/gm)).toEqual(['Row your', 'boat'])
  })
})

describe('subtitles of long recordings', () => {
  it('hours from 100 on have three digits', async () => {
    const late = [segment('Still here.', 360_000.5, 360_002.5)]
    for (const format of ['srt', 'vtt', 'ass', 'ttml'] as const)
      expect(await render(format, late)).toMatch(/\b100:00:00[.,]50/)
  })
})

describe('the check of a format', () => {
  const fast = transcript({
    segments: [
      segment('These are far too many words for so short a time to be read by anybody at all.', 0, 1),
      segment('And here is a second sentence of a length that fills a whole cue of its own.', 1, 6),
    ],
  })

  it.each(formats)('the check of %s names a cue that is too fast', async format => {
    expect(await checkFormat(fast, format)).toEqual([
      expect.stringMatching(/^Cue 1 at 0:00 .+ a second, at most 20/),
    ])
  })

  it('a format without cues has nothing to check', async () => {
    expect(await checkFormat(fast, 'txt')).toEqual([])
  })
})
