// CSV: rows, quotes, formulas, gaps and words.
import { describe, expect, it } from 'vitest'
import type { FormatName } from '../../../src/formats/index.ts'
import { rendered } from '../../support/rendered.ts'
import { talk } from '../../support/speaker-transcript.ts'
import { type Facts, segment, transcript } from '../../support/transcripts.ts'

const header = 'start,end,speaker,text,kind,times'
const rowsOf = async (facts: Facts, format: FormatName = 'csv') =>
  (await rendered(transcript(facts), format)).replace(/^\ufeff/, '').split('\r\n')

describe('csv', () => {
  it('a CSV file begins with a byte order mark and a header, and ends its lines with CR LF', async () => {
    expect(await rendered(transcript({ segments: [segment('Hello.', 0.25, 2)] }), 'csv')).toBe(
      `\ufeff${header}\r\n0.25,2,,Hello.,speech,estimated\r\n`,
    )
  })

  it('a CSV file has a row for each segment with its speaker', async () => {
    const [, ...rows] = (await rendered(talk, 'csv')).split('\r\n')
    expect(rows.slice(0, 4)).toEqual([
      '0,2,Alice,Shall we begin?,speech,measured',
      '4.5,6,Alice,The budget first.,speech,measured',
      '6.1,7,S2,It is fine.,speech,measured',
      '7.1,7.4,?,Mhm.,speech,measured',
    ])
  })

  it('commas, quotes and line breaks are quoted', async () => {
    const [, row] = await rowsOf({ segments: [segment('Yes, "no"', 0, 1)] })
    expect(row).toBe('0,1,,"Yes, ""no""",speech,estimated')
    expect((await rendered(transcript({ segments: [segment('a\nb', 0, 1)] }), 'csv')).split('\r\n')[1]).toBe(
      '0,1,,"a\nb",speech,estimated',
    )
  })

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1', '＋1', '－1', '＠A1'])(
    'a text that a spreadsheet would run (%j) gets an apostrophe',
    async text => {
      const csv = await rendered(transcript({ segments: [segment(text, 0, 1)] }), 'csv')
      expect(csv).toMatch(/0,1,,"?'/)
    },
  )

  it('the name of a speaker cannot be a formula', async () => {
    const speakers = [{ id: 'S1', name: '=HYPERLINK("x")', seconds: 1, share: 1 }]
    const [, row] = await rowsOf({ speakers, segments: [{ ...segment('Hi.', 0, 1), speaker: 'S1' }] })
    expect(row).toBe(`0,1,"'=HYPERLINK(""x"")",Hi.,speech,estimated`)
  })

  it('a gap is a row of its own in the order of time', async () => {
    const segments = [segment('Before.', 0, 2), segment('After.', 60, 62)]
    const gaps = [
      { start: 2.5, end: 59, reason: 'THROTTLED: too fast.' },
      { start: 62, end: 70, reason: 'X: y.' },
    ]
    expect(await rowsOf({ segments, gaps })).toEqual([
      header,
      '0,2,,Before.,speech,estimated',
      '2.5,59,,[no text until 0:59: THROTTLED: too fast.],gap,',
      '60,62,,After.,speech,estimated',
      '62,70,,[no text until 1:10: X: y.],gap,',
      '',
    ])
  })
})

describe('csv-words', () => {
  it('the table of words has measured times where there are any, and else times by length', async () => {
    const words = [
      { text: 'So,', start: 0, end: 0.4 },
      { text: 'yes.', start: 0.5, end: 1 },
    ]
    const segments = [{ ...segment('So, yes.', 0, 1), words, estimated: false }, segment('ab cdefg', 2, 4)]
    expect((await rowsOf({ segments }, 'csv-words')).slice(1, -1)).toEqual([
      '0,0.4,,"So,",speech,measured',
      '0.5,1,,yes.,speech,measured',
      '2,2.75,,ab,speech,estimated',
      '2.75,4,,cdefg,speech,estimated',
    ])
  })

  it('each ideograph is a row, with the mark behind it', async () => {
    const rows = await rowsOf({ segments: [segment('今日は。', 0, 4)] }, 'csv-words')
    expect(rows.slice(1, -1).map(row => row.split(',')[3])).toEqual(['今', '日', 'は。'])
  })
})
