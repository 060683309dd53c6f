// Subtitle formats SRT and WebVTT.
import { describe, expect, it } from 'vitest'
import type { Gap, Segment } from '../../../src/domain/transcript.ts'
import type { FormatName } from '../../../src/formats/index.ts'
import { rendered } from '../../support/rendered.ts'
import { segment, transcript } from '../../support/transcripts.ts'

const render = (format: FormatName, segments: Segment[], gaps: Gap[] = []) =>
  rendered(transcript({ segments, gaps }), format)

describe('srt', () => {
  it('SRT cues are numbered from 1 and have commas in their times', async () => {
    const text = await render('srt', [segment('Hello there.', 0.25, 2), segment('Bye.', 3.5, 5.125)])
    expect(text).toBe(
      '1\n00:00:00,250 --> 00:00:02,000\nHello there.\n\n2\n00:00:03,500 --> 00:00:05,125\nBye.\n',
    )
  })

  it('SRT times have hours and are rounded to the millisecond', async () => {
    expect(await render('srt', [segment('Late.', 36_061.0006, 36_063.9994)])).toContain(
      '10:01:01,001 --> 10:01:03,999',
    )
    expect(await render('srt', [segment('Late.', 59.9999, 61)])).toContain('00:01:00,000 -->')
  })

  it('an empty transcript gives an empty SRT file', async () => {
    expect(await render('srt', [])).toBe('')
  })
})

describe('vtt', () => {
  it('a WebVTT file begins with its name and has points in its times', async () => {
    expect(await render('vtt', [segment('Hello.', 3600, 3602)])).toBe(
      'WEBVTT\n\n01:00:00.000 --> 01:00:02.000\nHello.\n',
    )
  })

  it('WebVTT cue text escapes markup', async () => {
    expect(await render('vtt', [segment('R&D <b>is</b> x > y &lt;', 0, 3)])).toContain(
      'R&amp;D &lt;b&gt;is&lt;/b&gt; x &gt; y &amp;lt;',
    )
  })

  it('an empty transcript gives a WebVTT file without cues', async () => {
    expect(await render('vtt', [])).toBe('WEBVTT\n')
  })
})

describe.each(['srt', 'vtt'] as const)('%s', format => {
  it(`${format} text has no arrows except in its lines of times`, async () => {
    const text = await render(format, [segment('a --> b', 0, 1), segment('00:00 --->\n--> x', 9, 10)])
    expect(text.match(/-->/g)).toHaveLength(2)
    expect(text).toContain('a → b')
  })

  it(`a gap is a cue of its own in ${format}`, async () => {
    const said = [segment('Before.', 0, 2), segment('After.', 60, 62)]
    const text = await render(format, said, [{ start: 2.5, end: 59, reason: 'THROTTLED: too fast' }])
    expect(text).toMatch(/Before\..*00:00:02.500 --> 00:00:09.500\n\[no text until 0:59\].*After\./s)
  })
})
