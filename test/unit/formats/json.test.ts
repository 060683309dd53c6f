// JSON format, and the names of all output formats.
import { describe, expect, it } from 'vitest'
import { formatNames, isFormatName, outputFormats } from '../../../src/formats/index.ts'
import { segment, transcript } from '../../support/transcripts.ts'

describe('json', () => {
  it('the json format has the whole transcript in snake case', async () => {
    const words = [{ text: 'camelCase', start: 0, end: 1 }]
    const given = transcript({
      segments: [{ ...segment('camelCase', 0, 1), words }],
      gaps: [{ start: 1, end: 2, reason: 'X: stays asItIs' }],
    })
    const { createdAt, coverage, usage, ...rest } = given
    expect(JSON.parse(await outputFormats.json.render(given))).toStrictEqual({
      ...rest,
      created_at: createdAt,
      coverage: { speech_seconds: 1, transcribed_seconds: 1, gaps: coverage.gaps },
      usage: { audio_seconds: usage.audioSeconds, cached_seconds: 0, cost_usd: 0.01 },
      text: 'camelCase\n\n[no text from 0:01 to 0:02: X: stays asItIs]',
    })
  })
})

describe('format names', () => {
  it('isFormatName accepts exactly the existing formats', () => {
    expect(formatNames).toEqual([
      'txt',
      'md',
      'json',
      'srt',
      'vtt',
      'vtt-names',
      'ass',
      'ttml',
      'docx',
      'csv',
      'csv-words',
      'rttm',
      'ctm',
    ])
    expect(['txt', 'vtt'].every(isFormatName)).toBe(true)
    expect(['TXT', '', 'constructor', 'toString'].some(isFormatName)).toBe(false)
  })
})
