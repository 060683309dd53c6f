// Alignment where speaker labels, words or a whole recognition are missing.
import { describe, expect, it } from 'vitest'
import { align } from '../../../../src/pipeline/diarization/align.ts'
import {
  answer,
  exchange,
  question,
  recognitionOf,
  segmentLines,
  sentenceOf,
  talk,
  thanks,
  withoutSpeaker,
  withoutSpeakers,
} from '../../../support/audio/recognitions.ts'

describe('textRecognition is not known', () => {
  it('names no speaker where the provider gave no label, and warns of it', async () => {
    const found = await align(
      recognitionOf(question, withoutSpeaker(answer), thanks),
      withoutSpeakers(...talk),
      10,
    )
    expect(segmentLines(found)[1]).toBe('null: At nine, as always on a Thursday.')
    expect(found.segments[1]).not.toHaveProperty('confidence')
    expect(found.speakers.map(({ id }) => id)).toEqual(['S1'])
    expect(found.alignment!.unassigned).toBeCloseTo(7 / 22, 2)
    expect(found.warnings).toEqual([
      'About 32 % of the words have no speaker: the provider did not label them.',
    ])
  })

  it('fills in a missing label inside a sentence with one known speaker', async () => {
    const whole = sentenceOf(1, 'We will paint the whole bridge green this summer.', 0)
    const split = (from: number, to: number) => ({
      ...whole,
      start: whole.words![from]!.start,
      end: whole.words![to - 1]!.end,
      words: whole.words!.slice(from, to),
      text: whole
        .words!.slice(from, to)
        .map(word => word.text)
        .join('')
        .trim(),
    })
    const speakerRecognition = recognitionOf(
      split(0, 6),
      withoutSpeaker(split(6, 9)),
      sentenceOf(5, 'Who pays for that paint?', 1),
    )
    const found = await align(
      speakerRecognition,
      withoutSpeakers(whole, sentenceOf(5, 'Who pays for that paint?')),
      8,
    )
    expect(segmentLines(found)).toEqual([`S1: ${whole.text}`, 'S2: Who pays for that paint?'])
  })

  it('leaves a missing label inside a sentence with two known speakers', async () => {
    const speakerRecognition = recognitionOf(
      sentenceOf(1, 'We will paint', 0),
      withoutSpeaker(sentenceOf(1.9, 'the whole')),
      sentenceOf(2.5, 'bridge green now.', 1),
    )
    const found = await align(
      speakerRecognition,
      withoutSpeakers(sentenceOf(1, 'We will paint the whole bridge green now.')),
      6,
    )
    expect(segmentLines(found)).toEqual(['S1: We will paint', 'null: the whole', 'S2: bridge green now.'])
  })

  it('gives a sentence that one pass left unlabelled to a speaker nearby, with a confidence', async () => {
    const both = recognitionOf(question, withoutSpeaker(sentenceOf(3.2, 'Right.')), answer, thanks)
    const found = await align(both, both, 10)
    expect(found.segments.every(({ speaker }) => speaker)).toBe(true)
    expect(found.alignment).toMatchObject({ unassigned: 0, timeOnly: expect.closeTo(1 / 23, 2) })
    expect(found.segments.flatMap(({ confidence }) => confidence ?? [])).toHaveLength(1)
  })

  it('leaves a sentence that one pass left unlabelled without a speaker, far from all others', async () => {
    const both = recognitionOf(question, answer, withoutSpeaker(sentenceOf(60, 'This was said outside.')))
    const found = await align(both, both, 70)
    expect(segmentLines(found).at(-1)).toBe('null: This was said outside.')
    expect(found.warnings).toEqual([expect.stringMatching(/have no speaker/)])
  })

  it('names no speaker where none was detected', async () => {
    const far = sentenceOf(30, 'This was said in the corridor outside, far away from the table.')
    const found = await align(recognitionOf(...talk), withoutSpeakers(...talk, far), 40)
    expect(segmentLines(found)[3]).toBe(`null: ${far.text}`)
    expect(found.warnings[0]).toContain('no speaker was detected there')
  })

  it.each([
    ['no label at all', recognitionOf(...talk.map(withoutSpeaker)), 'did not distinguish speakers'],
    ['no speech', recognitionOf(), 'recognised no speech'],
    ['no answer', undefined, 'failed'],
  ])('names no speaker in a recognition with %s', async (_, speakerRecognition, why) => {
    const { segments, speakers, warnings } = await align(speakerRecognition, withoutSpeakers(...talk), 10)
    expect(segments.map(({ text }) => text)).toEqual(talk.map(({ text }) => text))
    expect(segments.every(({ speaker }) => speaker === null)).toBe(true)
    expect(speakers).toEqual([])
    expect(warnings).toEqual([expect.stringContaining(why)])
  })

  it('names no speaker where the two recognitions are not of the same speech', async () => {
    const other = recognitionOf(
      sentenceOf(200, 'Quite different things were said here.', 0),
      sentenceOf(300, 'Indeed so.', 1),
    )
    const { segments, speakers, alignment, warnings } = await align(other, withoutSpeakers(...talk), 400)
    expect(segments.every(({ speaker }) => speaker === null)).toBe(true)
    expect(speakers).toEqual([])
    expect(alignment).toMatchObject({ unassigned: 1 })
    expect(warnings).toEqual([expect.stringContaining('match neither in words nor in time')])
  })

  it.each([
    ['failed', undefined],
    ['recognised nothing', recognitionOf()],
  ])('takes the text of the speaker model where the text model %s', async (why, textRecognition) => {
    const found = await align(recognitionOf(...talk), textRecognition, 10)
    expect(segmentLines(found).slice(0, 2)).toEqual(exchange)
    expect(found.warnings).toEqual([expect.stringContaining(why)])
  })

  it.each([
    ['both failed', undefined, undefined],
    ['nothing was said', recognitionOf(), recognitionOf()],
  ])('returns nothing where %s', async (_, speakerRecognition, textRecognition) => {
    expect(await align(speakerRecognition, textRecognition, 10)).toEqual({
      segments: [],
      speakers: [],
      warnings: [],
    })
  })
})
