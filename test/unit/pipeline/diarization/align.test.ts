// Alignment of a speaker recognition and a text recognition: the speaker of each word.
import { describe, expect, it } from 'vitest'
import type { FileRecognition, RecognisedSentence } from '../../../../src/domain/ports.ts'
import { align } from '../../../../src/pipeline/diarization/align.ts'
import {
  answer,
  exchange,
  question,
  recognitionOf,
  segmentLines,
  sentenceOf,
  shifted,
  talk,
  thanks,
  withoutSpeakers,
} from '../../../support/audio/recognitions.ts'

describe('align', () => {
  it('numbers speakers by first appearance, with the time and share of each', async () => {
    const { segments, speakers, alignment, warnings } = await align(
      recognitionOf(...talk),
      withoutSpeakers(...talk),
      10,
    )
    expect(segmentLines({ segments })).toEqual([...exchange, 'S1: Thank you, then I will come by bus.'])
    expect(speakers).toEqual([
      { id: 'S1', voice: expect.any(String), seconds: 4.5, share: 0.682 },
      { id: 'S2', voice: expect.any(String), seconds: 2.1, share: 0.318 },
    ])
    expect(alignment).toEqual({ offset: 0, matched: 1, unassigned: 0, timeOnly: 0 })
    expect(warnings).toEqual([])
    expect(segments[1]).toMatchObject({ start: 3.4, end: 5.5, estimated: false })
    expect(segments[1]!.words![1]).toEqual({ text: 'nine,', start: 3.7, end: 4 })
    for (const { confidence } of segments) expect(confidence).toBeGreaterThan(0.9)
  })

  it.each([3.2, -0.8, 12])(
    'finds the speakers with a clock that is %s s ahead, and reports the offset',
    async offset => {
      const speakerRecognition = shifted(
        recognitionOf(...[...talk, sentenceOf(20, 'Mind the stairs behind the door.', 3)]),
        offset,
      )
      const textRecognition = withoutSpeakers(...talk, sentenceOf(20, 'Mind the stairs behind the door.'))
      const found = await align(speakerRecognition, textRecognition, 23)
      expect(segmentLines(found).slice(0, 2)).toEqual(exchange)
      expect(segmentLines(found)[3]).toBe('S2: Mind the stairs behind the door.')
      expect(found.alignment!.offset).toBeCloseTo(offset, 1)
      expect(found.segments[0]!.start).toBe(1)
    },
  )

  it('align does not stretch times where one model recognised more at the end', async () => {
    const more = sentenceOf(60, 'And this nobody else has noticed at all.', 3)
    const found = await align(recognitionOf(...talk, more), withoutSpeakers(...talk), 70)
    expect(segmentLines(found).slice(0, 2)).toEqual(exchange)
    expect(found.alignment!.offset).toBe(0)
  })

  it('follows the words where times and words disagree', async () => {
    const late = { ...answer, words: answer.words!.map((word, i) => (i < 2 ? { ...word, end: 5 } : word)) }
    const speakerRecognition = recognitionOf({ ...question, end: 4.2 }, { ...late, start: 4.1 }, thanks)
    expect(segmentLines(await align(speakerRecognition, withoutSpeakers(...talk), 10)).slice(0, 2)).toEqual(
      exchange,
    )
  })

  it('changes the speaker at the full stop where the words beside it were misrecognised', async () => {
    const garbled = (sentence: RecognisedSentence, ...wrong: number[]) => ({
      ...sentence,
      words: sentence.words!.map((word, i) => (wrong.includes(i) ? { ...word, text: 'xyzzy ' } : word)),
    })
    const speakerRecognition = recognitionOf(garbled(question, 5, 6), garbled(answer, 0, 1), thanks)
    expect(segmentLines(await align(speakerRecognition, withoutSpeakers(...talk), 10)).slice(0, 2)).toEqual(
      exchange,
    )
  })

  it('align keeps a back-channel inside the turn of another speaker', async () => {
    const before = sentenceOf(1, 'So we took the ferry to the island', 0)
    const after = sentenceOf(3.9, 'and walked up to the lighthouse before noon.', 0)
    const yes = sentenceOf(3.45, 'Mm-hm.', 1)
    const found = await align(recognitionOf(before, yes, after), withoutSpeakers(before, yes, after), 8)
    expect(segmentLines(found)).toEqual([
      'S1: So we took the ferry to the island',
      'S2: Mm-hm.',
      'S1: and walked up to the lighthouse before noon.',
    ])
  })

  it('distinguishes two speakers who speak at once', async () => {
    const one = sentenceOf(1, 'Seventeen kiosks are waiting in the basement of Oakfield.', 0)
    const other = sentenceOf(2.4, 'Nobody ordered printers.', 1)
    const mixed = [...one.words!, ...other.words!].sort((a, b) => a.start - b.start)
    const text = mixed.map(word => `${word.text.trim()} `)
    const textRecognition = recognitionOf({
      start: 1,
      end: 4,
      text: text.join('').trim(),
      words: mixed.map((word, i) => ({ ...word, text: text[i]! })),
    })
    const said = new Map<string | null, string[]>()
    for (const { speaker, words } of (await align(recognitionOf(one, other), textRecognition, 6)).segments)
      said.set(speaker!, [...(said.get(speaker!) ?? []), ...words!.map(word => word.text)])
    expect(said.get('S1')!.join(' ')).toBe(one.text)
    expect(said.get('S2')!.join(' ')).toBe(other.text)
  })

  it('assigns speakers by time where one model knows none of the words, and reports the share', async () => {
    const mumbled = talk.map(sentence =>
      sentenceOf(sentence.start, 'ба бу бе бо ба бе ба бо', sentence.speaker),
    )
    const found = await align(recognitionOf(...mumbled), withoutSpeakers(...talk), 10)
    expect(segmentLines(found).slice(0, 2)).toEqual(exchange)
    expect(found.alignment).toMatchObject({ matched: 0, timeOnly: 1 })
  })

  it('estimates the clock offset from onsets where no word is known', async () => {
    const starts = Array.from({ length: 14 }, (_, i) => 1 + i * 3 + ((i * i) % 7) * 0.15)
    const said = starts.map((start, i) => sentenceOf(start, 'This is another sentence of theirs.', i % 2))
    const mumbled = starts.map((start, i) => sentenceOf(start, 'ба бу бе бо ба бе', i % 2))
    const found = await align(shifted(recognitionOf(...mumbled), 1.2), withoutSpeakers(...said), 50)
    expect(found.alignment!.offset).toBeCloseTo(1.2, 1)
    expect(found.segments.map(({ speaker }) => speaker)).toEqual(starts.map((_, i) => `S${(i % 2) + 1}`))
  })

  it('align gives a speaker the same voice with and without the text, and another voice in another recognition', async () => {
    const speakerRecognition = recognitionOf(sentenceOf(0, 'Mm.', 3), ...talk)
    const voices = async (...[first, second]: Parameters<typeof align>) =>
      Object.fromEntries((await align(first, second, 10)).speakers.map(({ id, voice }) => [id, voice]))
    const alone = await voices(speakerRecognition, undefined, 10)
    const stored = JSON.parse(JSON.stringify(speakerRecognition)) as FileRecognition
    const together = await voices(stored, withoutSpeakers(...talk), 10)
    expect(together).toEqual({ S1: alone.S2, S2: alone.S1 })
    expect(alone.S1).not.toBe(alone.S2)
    for (const voice of Object.values(await voices(recognitionOf(...talk), undefined, 10)))
      expect(Object.values(alone)).not.toContain(voice)
  })

  it('assigns all words to the only speaker', async () => {
    const speakerRecognition = recognitionOf({ ...question, speaker: 4 }, { ...thanks, speaker: 4 })
    const { segments, speakers } = await align(speakerRecognition, withoutSpeakers(...talk), 10)
    expect(segments.map(({ speaker }) => speaker)).toEqual(['S1', 'S1', 'S1'])
    expect(speakers).toMatchObject([{ id: 'S1', share: 1 }])
  })

  it('align takes the labels of a model with both text and speakers unchanged', async () => {
    const both = recognitionOf(...talk)
    const found = await align(both, both, 10)
    expect(segmentLines(found).slice(0, 2)).toEqual(exchange)
    expect(found.alignment).toEqual({ offset: 0, matched: 1, unassigned: 0, timeOnly: 0 })
  })
})
