// Data of a transcript for the page.
import { describe, expect, it } from 'vitest'
import { viewerData } from '../../../src/viewer/data.ts'
import { talk } from '../../support/speaker-transcript.ts'
import { longTranscript, segment, transcript } from '../../support/transcripts.ts'

const wordsOf = ({ text, words }: { text: string; words: number[] }) =>
  Array.from({ length: words.length / 4 }, (_, i) => text.slice(words[i * 4], words[i * 4 + 1]))

describe('the data of the page', () => {
  it('speakers have their labels, and speech without one is marked as unknown', async () => {
    const { speakers, rows } = await viewerData(talk, ['srt'])
    expect(speakers).toEqual([
      { id: 'S1', label: 'Alice', share: 0.75 },
      { id: 'S2', label: 'S2', share: 0.25 },
    ])
    expect(rows.map(({ speaker }) => speaker)).toEqual([0, 0, 1, -1, 0])
  })

  it('gaps stand between sentences in order of time', async () => {
    const { rows } = await viewerData(
      transcript({
        segments: [segment('One.', 0, 1), segment('Two.', 9, 10)],
        gaps: [{ start: 2, end: 8, reason: 'refused' }],
      }),
      [],
    )
    expect(rows.map(({ text, isGap }) => [text, isGap])).toEqual([
      ['One.', undefined],
      ['refused', true],
      ['Two.', undefined],
    ])
  })

  it('measured words lie at their places in the text, at their times from its start', async () => {
    const words = [
      { text: 'Well,', start: 10.1, end: 10.3 },
      { text: 'yes', start: 10.4, end: 10.9 },
    ]
    const { rows } = await viewerData(
      transcript({ segments: [{ ...segment('Well, yes.', 10, 11), estimated: false, words }] }),
      [],
    )
    expect(rows[0]!.words).toEqual([0, 5, 100, 300, 6, 9, 400, 900])
    expect(rows[0]!.isEstimated).toBeUndefined()
  })

  it('words that differ from their text give way to it', async () => {
    const words = [{ text: 'other', start: 0, end: 1 }]
    const { rows } = await viewerData(transcript({ segments: [{ ...segment('One two', 0, 2), words }] }), [])
    expect(wordsOf(rows[0]!)).toEqual(['One', 'two'])
  })

  it('the server splits Thai and Chinese into words, as browsers do it differently', async () => {
    const { rows } = await viewerData(
      transcript({ segments: [segment('สวัสดีครับ', 0, 2), segment('你好吗', 2, 3)] }),
      [],
    )
    expect(rows.map(wordsOf)).toEqual([['สวัสดี', 'ครับ'], [...'你好吗']])
  })

  it('a speaker that was assigned with little confidence is doubtful', async () => {
    const { rows } = await viewerData(
      transcript({ segments: [{ ...segment('Mhm.', 0, 1), speaker: 'S1', confidence: 0.3 }] }),
      [],
    )
    expect(rows[0]).toMatchObject({ speaker: -1, isDoubtful: true, isEstimated: true })
  })

  it('control characters and marks that reverse the text are no part of it', async () => {
    const { title, rows } = await viewerData(
      transcript({ title: 'a\u202eb\u0000', segments: [segment('c\u202ed', 0, 1)] }),
      [],
    )
    expect([title, rows[0]!.text]).toEqual(['a b', 'c d'])
  })

  it('the revision changes with a name, and not with the formats that are offered', async () => {
    const revisionOf = async (speakers: typeof talk.speakers, formats: string[]) =>
      (await viewerData({ ...talk, speakers }, formats)).revision
    const renamed = talk.speakers!.map(one => ({ ...one, name: `${one.name}!` }))
    expect(await revisionOf(talk.speakers, ['srt'])).toBe(await revisionOf(talk.speakers, []))
    expect(await revisionOf(renamed, [])).not.toBe(await revisionOf(talk.speakers, []))
  })

  it('four hours of words have less than three megabytes', async () => {
    expect(JSON.stringify(await viewerData(longTranscript('tr_long'), [])).length).toBeLessThan(3e6)
  })
})
