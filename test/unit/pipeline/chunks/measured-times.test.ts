// Times that a model measured, in the transcript: shortened silences, overlaps, sentences within a measured stretch.
import { describe, expect, it } from 'vitest'
import type { Timestamps } from '../../../../src/domain/job.ts'
import type { Recognition } from '../../../../src/domain/ports.ts'
import { framesPerSecond } from '../../../../src/pipeline/audio/activity.ts'
import { type Part, partsOf } from '../../../../src/pipeline/audio/cut/parts.ts'
import { measuredTimes } from '../../../../src/pipeline/chunks/measured-times.ts'
import { createMerge } from '../../../../src/pipeline/chunks/merge.ts'
import type { ChunkTranscript } from '../../../../src/pipeline/chunks/recognise.ts'

/** Words, each of them one second long, from a moment of the chunk on. */
const wordsFrom = (start: number, text: string) =>
  text.match(/\S+\s*/g)!.map((word, i) => ({ text: word, start: start + i, end: start + i + 1 }))

function chunk(
  start: number,
  recognition: Recognition,
  facts: Partial<ChunkTranscript> = {},
  parts?: Part[],
) {
  const times = measuredTimes(recognition.text, recognition, parts ?? [{ at: 0, start }])
  const place = { index: start, start, end: start + 20, speech: [{ start, end: start + 20 }], overlap: 0 }
  return { ...place, sent: 20, cached: 0, text: recognition.text, ...(times && { times }), ...facts }
}

const merge = (chunks: ChunkTranscript[], timestamps: Timestamps = 'segment') =>
  createMerge(timestamps)(chunks).segments

describe('measured times', () => {
  it('are those of the recording where silences of the chunk were left out', () => {
    // 2 s of the recording from 10 s on, then 3 s of it from 30 s on.
    const frames = (from: number, seconds: number) =>
      Array.from({ length: seconds * framesPerSecond }, (_, i) => from * framesPerSecond + i)
    const parts = partsOf([...frames(10, 2), ...frames(30, 3)])
    const text = 'One two three. Four five.'
    const [first, second] = merge([chunk(10, { text, words: wordsFrom(0, text) }, {}, parts)], 'word')
    expect(first).toMatchObject({ start: 10, end: 31, estimated: false })
    expect(first!.words!.map(({ start, end }) => [start, end])).toEqual([
      [10, 11],
      [11, 12],
      [30, 31],
    ])
    expect(second).toMatchObject({ start: 31, end: 33 })
  })

  it('stay with their words where an overlap is removed', () => {
    const [left, right] = ['one two three four fi', 'three four five six']
    const segments = merge(
      [
        chunk(0, { text: left, words: wordsFrom(0, left) }),
        chunk(2, { text: right, words: wordsFrom(0, right) }, { index: 1, overlap: 3 }),
      ],
      'word',
    )
    expect(segments.flatMap(({ words }) => words!.map(({ text, start }) => [text, start]))).toEqual(
      ['one', 'two', 'three', 'four', 'five', 'six'].map((word, i) => [word, i]),
    )
  })

  it('of segments are exact for a sentence that is a segment, and estimated inside of one', () => {
    const text = 'One two. Three four. Five.'
    const segments = [
      { text: 'One two. ', start: 1, end: 3 },
      { text: 'Three four. Five.', start: 5, end: 9 },
    ]
    const found = merge([chunk(0, { text, segments })])
    expect(found.map(({ text, start, estimated }) => [text, start, estimated])).toEqual([
      ['One two.', 1, false],
      ['Three four.', 5, true],
      ['Five.', expect.closeTo(7.8, 0), true],
    ])
    expect(merge([chunk(0, { text, segments })], 'word').every(({ estimated }) => estimated)).toBe(true)
  })

  it('of another text are not used', () => {
    expect(measuredTimes('one two', { text: 'one two', words: wordsFrom(0, 'two one') }, [])).toBeUndefined()
    expect(measuredTimes('', { text: '', words: [] }, [])).toBeUndefined()
  })
})
