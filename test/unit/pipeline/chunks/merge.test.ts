// Merging of chunk transcripts: order, overlaps, gaps, language, times and long sentences.
import { describe, expect, it } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Timestamps } from '../../../../src/domain/job.ts'
import { estimateModelTokens } from '../../../../src/domain/models/model-tokens.ts'
import { tokens } from '../../../../src/domain/tokens.ts'
import { createMerge } from '../../../../src/pipeline/chunks/merge.ts'
import type { ChunkTranscript } from '../../../../src/pipeline/chunks/recognise.ts'

const keys = (text: string) => tokens(text).map(({ key }) => key)

describe('createMerge', () => {
  function transcript(
    text: string,
    start: number,
    end: number,
    facts: Partial<ChunkTranscript> = {},
  ): ChunkTranscript {
    const overlap = facts.overlap ?? 0
    const speech = [{ start: start + overlap, end }]
    const place = { index: Math.floor(start / 10), start, end, speech, overlap }
    return { text, ...place, sent: end - start, cached: 0, language: 'en', ...facts }
  }
  const failure = new SpeechError('CONTENT_REFUSED', 'It was refused.', { hint: 'Go on.' })
  const merge = (transcripts: ChunkTranscript[], timestamps: Timestamps) =>
    createMerge(timestamps)(transcripts)
  const textOf = ({ segments }: { segments: { text: string }[] }) =>
    segments.map(({ text }) => text).join(' ')

  it('times lie where speech was heard, and the coverage tells how much sound of other chunks is none', () => {
    const { segments, coverage } = merge(
      [
        transcript('One two.', 0, 10, { heard: [{ start: 7, end: 9 }] }),
        transcript('Three.', 10, 20, { heard: [{ start: 11, end: 19 }] }),
        transcript('Four.', 20, 30, { heard: [] }),
      ],
      'segment',
    )
    expect(segments).toMatchObject([
      { start: 7, end: 9 },
      { start: 11, end: 19 },
      { start: 20, end: 30 },
    ])
    expect(coverage).toMatchObject({ speechSeconds: 30, unspokenSeconds: 18, transcribedSeconds: 30 })
  })

  it('puts the chunks into the order of the recording', () => {
    const merged = merge(
      [transcript('Three.', 20, 30), transcript('One.', 0, 10), transcript('Two.', 10, 20)],
      'segment',
    )
    expect(merged.segments).toMatchObject([
      { text: 'One.', start: 0, end: 10, estimated: true, language: 'en' },
      { text: 'Two.', start: 10, end: 20 },
      { text: 'Three.', start: 20, end: 30 },
    ])
    expect(merged).toMatchObject({ sent: 30, language: 'en' })
  })

  const numbers = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => `word${10 + from + i}`).join(' ')

  it('words on either side of a seam in an overlap are timed where they are said', () => {
    const { segments } = merge(
      [transcript(numbers(0, 12), 0, 12), transcript(numbers(8, 20), 8, 20, { overlap: 4 })],
      'word',
    )
    const words = segments.flatMap(({ words = [] }) => words)
    expect(words.map(({ text }) => text)).toEqual(numbers(0, 20).split(' '))
    for (const [i, { start }] of words.entries()) expect(Math.abs(start - i)).toBeLessThan(0.3)
  })

  it('words of an overlap are timed where they are said, though the chunk before has none', () => {
    const { segments } = merge(
      [transcript('', 0, 12), transcript(numbers(8, 20), 8, 20, { overlap: 4 })],
      'word',
    )
    const words = segments.flatMap(({ words = [] }) => words)
    for (const [i, { start }] of words.entries()) expect(Math.abs(start - 8 - i)).toBeLessThan(0.3)
  })

  it('words before a seam keep their times where nothing was heard in the overlap', () => {
    const voiced = [{ start: 6, end: 8 }]
    const { segments } = merge(
      [
        transcript(numbers(0, 12), 0, 12, { voiced }),
        transcript(numbers(8, 20), 8, 20, { overlap: 4, voiced: [{ start: 13, end: 19 }] }),
      ],
      'segment',
    )
    expect(segments).toMatchObject([
      { start: 6, end: 8 },
      { start: 13, end: 19 },
    ])
  })

  /** A second for each word, moved by `late`. */
  const measured = (text: string, start: number, late: number): Partial<ChunkTranscript> => ({
    times: {
      of: 'words',
      stretches: tokens(text).map((token, i) => ({
        from: token.start,
        to: token.end,
        start: start + i + late,
        end: start + i + 1 + late,
      })),
    },
  })

  it.each([
    ['both sides are measured, the second early', 0.4, -0.4],
    ['the left side alone is measured', 0.8, undefined],
    ['the right side alone is measured', undefined, -0.8],
    ['nothing is known of where the right side speaks', 0.4, 'silent'],
  ] as const)('no time goes back at a seam where %s', (_, left, right) => {
    const [before, after] = [numbers(0, 12), numbers(8, 20)]
    const { segments } = merge(
      [
        transcript(before, 0, 12, left === undefined ? {} : measured(before, 0, left)),
        transcript(after, 8, 20, {
          overlap: 4,
          ...(right === 'silent' && { speech: [], voiced: [] }),
          ...(typeof right === 'number' && measured(after, 8, right)),
        }),
      ],
      'word',
    )
    expect(segments[1]!.start).toBeGreaterThanOrEqual(segments[0]!.end)
    const words = segments.flatMap(({ words = [] }) => words)
    expect(words.map(({ text }) => text)).toEqual(numbers(0, 20).split(' '))
    const times = words.flatMap(({ start, end }) => [start, end])
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  it('createMerge keeps words of an overlap once, over several seams', async () => {
    const transcripts = [
      transcript('One two three four fi', 0, 10),
      transcript('ee four five six seven', 8, 20, { overlap: 2 }),
      transcript('Seven eight.', 18, 30, { overlap: 2 }),
    ]
    expect(textOf(merge(transcripts.toReversed(), 'segment'))).toBe(
      'One two three four five six seven eight.',
    )
  })

  it('createMerge keeps a word that is said before and after a pause twice', async () => {
    expect(textOf(merge([transcript('Go on.', 0, 5), transcript('On we go.', 5, 9)], 'segment'))).toBe(
      'Go on. On we go.',
    )
  })

  it('reports the gap that a failure leaves, and counts it as missing', async () => {
    const transcripts = [
      transcript('One.', 0, 10),
      transcript('', 10, 25, { failure, sent: 0 }),
      transcript('Two.', 25, 30),
    ]
    const { coverage, segments } = merge(transcripts, 'segment')
    expect(segments.map(({ text }) => text)).toEqual(['One.', 'Two.'])
    expect(coverage).toEqual({
      speechSeconds: 30,
      transcribedSeconds: 15,
      gaps: [{ start: 10, end: 25, reason: 'CONTENT_REFUSED: It was refused.' }],
    })
  })

  it('createMerge keeps both sides of a gap whole', async () => {
    const transcripts = [
      transcript('one two', 0, 10),
      transcript('', 8, 20, { failure, overlap: 2 }),
      transcript('two three', 18, 30, { overlap: 2 }),
    ]
    expect(textOf(merge(transcripts, 'segment'))).toBe('one two two three')
  })

  it('reports no gap for a chunk without words', async () => {
    const { coverage } = merge([transcript('', 0, 10)], 'segment')
    expect(coverage).toEqual({ speechSeconds: 10, transcribedSeconds: 10, gaps: [] })
  })

  it('createMerge takes the language of most of the speech', async () => {
    const transcripts = [
      transcript('Hi.', 0, 5),
      transcript('你好。', 5, 20, { language: 'zh' }),
      transcript('Bye.', 20, 25),
      transcript('', 25, 99, { language: 'ru' }),
    ]
    expect(merge(transcripts, 'segment')).toMatchObject({ language: 'zh' })
  })

  it('returns an empty transcript for no chunks', async () => {
    expect(merge([], 'segment')).toEqual({
      segments: [],
      coverage: { speechSeconds: 0, transcribedSeconds: 0, gaps: [] },
      sent: 0,
      cached: 0,
    })
  })

  it('reports pending stretches while chunks are in progress', () => {
    const transcripts = [transcript('One.', 0, 10, { index: 0 }), transcript('Four.', 30, 40, { index: 3 })]
    const { coverage } = createMerge('segment')(transcripts, { end: 60 })
    const reason = 'not transcribed yet'
    expect(coverage.gaps).toEqual([
      { start: 10, end: 30, reason },
      { start: 40, end: 60, reason },
    ])
  })

  it('createMerge keeps both sides of a seam whole while the chunk between them is pending', () => {
    const transcripts = [
      transcript('one two', 0, 10),
      transcript('two three', 18, 30, { overlap: 2, index: 2 }),
    ]
    expect(textOf(createMerge('segment')(transcripts, {}))).toBe('one two two three')
  })

  it('createMerge gives words times only on request', async () => {
    const one = [transcript('One two.', 0, 4)]
    expect(merge(one, 'segment').segments[0]).not.toHaveProperty('words')
    expect(merge(one, 'word').segments[0]!.words!.map(({ text }) => text)).toEqual(['One', 'two.'])
  })

  it.each([
    ['with commas', 'and some more of it, '.repeat(40)],
    ['without punctuation', 'and some more of it '.repeat(40)],
    ['in Chinese with commas', '今天天气很好，'.repeat(40)],
    ['in Chinese without punctuation', '今天天气很好'.repeat(40)],
    ['in Korean', '오늘 날씨가 좋아요 '.repeat(40)],
  ])('splits an endless sentence without losing a word: %s', async (_, text) => {
    const { segments } = merge([transcript(text.trim(), 0, 100)], 'segment')
    expect(segments.length).toBeGreaterThan(2)
    for (const segment of segments) expect(estimateModelTokens(segment.text)).toBeLessThanOrEqual(90)
    expect(segments.flatMap(segment => keys(segment.text))).toEqual(keys(text))
  })
})
