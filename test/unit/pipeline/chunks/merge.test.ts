import { describe, expect, it } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Timestamps } from '../../../../src/domain/job.ts'
import { estimateTokens } from '../../../../src/domain/token-estimate.ts'
import { tokens } from '../../../../src/domain/tokens.ts'
import { createMerge } from '../../../../src/pipeline/chunks/merge.ts'
import type { ChunkTranscript } from '../../../../src/pipeline/chunks/recognise.ts'

const keys = (text: string) => tokens(text).map(({ key }) => key)

describe('merge', () => {
  function piece(
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
  const merge = (pieces: ChunkTranscript[], timestamps: Timestamps) => createMerge(timestamps)(pieces)
  const textOf = ({ segments }: { segments: { text: string }[] }) =>
    segments.map(({ text }) => text).join(' ')

  it('puts the pieces into the order of the recording', () => {
    const merged = merge([piece('Three.', 20, 30), piece('One.', 0, 10), piece('Two.', 10, 20)], 'segment')
    expect(merged.segments).toMatchObject([
      { text: 'One.', start: 0, end: 10, estimated: true, language: 'en' },
      { text: 'Two.', start: 10, end: 20 },
      { text: 'Three.', start: 20, end: 30 },
    ])
    expect(merged).toMatchObject({ sent: 30, language: 'en' })
  })

  it('says once what two pieces heard, over several seams', async () => {
    const pieces = [
      piece('One two three four fi', 0, 10),
      piece('ee four five six seven', 8, 20, { overlap: 2 }),
      piece('Seven eight.', 18, 30, { overlap: 2 }),
    ]
    expect(textOf(merge(pieces.toReversed(), 'segment'))).toBe('One two three four five six seven eight.')
  })

  it('keeps a word that is said before and after a pause', async () => {
    expect(textOf(merge([piece('Go on.', 0, 5), piece('On we go.', 5, 9)], 'segment'))).toBe(
      'Go on. On we go.',
    )
  })

  it('names the hole that a failure leaves, and counts it as missing', async () => {
    const pieces = [piece('One.', 0, 10), piece('', 10, 25, { failure, sent: 0 }), piece('Two.', 25, 30)]
    const { coverage, segments } = merge(pieces, 'segment')
    expect(segments.map(({ text }) => text)).toEqual(['One.', 'Two.'])
    expect(coverage).toEqual({
      speechSeconds: 30,
      transcribedSeconds: 15,
      gaps: [{ start: 10, end: 25, reason: 'CONTENT_REFUSED: It was refused.' }],
    })
  })

  it('keeps both sides whole beside a hole', async () => {
    const pieces = [
      piece('one two', 0, 10),
      piece('', 8, 20, { failure, overlap: 2 }),
      piece('two three', 18, 30, { overlap: 2 }),
    ]
    expect(textOf(merge(pieces, 'segment'))).toBe('one two two three')
  })

  it('a piece in which nothing was said is no hole', async () => {
    const { coverage } = merge([piece('', 0, 10)], 'segment')
    expect(coverage).toEqual({ speechSeconds: 10, transcribedSeconds: 10, gaps: [] })
  })

  it('takes the language that is spoken longest', async () => {
    const pieces = [
      piece('Hi.', 0, 5),
      piece('你好。', 5, 20, { language: 'zh' }),
      piece('Bye.', 20, 25),
      piece('', 25, 99, { language: 'ru' }),
    ]
    expect(merge(pieces, 'segment')).toMatchObject({ language: 'zh' })
  })

  it('of nothing is nothing', async () => {
    expect(merge([], 'segment')).toEqual({
      segments: [],
      coverage: { speechSeconds: 0, transcribedSeconds: 0, gaps: [] },
      sent: 0,
      cached: 0,
    })
  })

  it('names what is still to come while there are chunks under way', () => {
    const pieces = [piece('One.', 0, 10, { index: 0 }), piece('Four.', 30, 40, { index: 3 })]
    const { coverage } = createMerge('segment')(pieces, { end: 60 })
    const reason = 'not transcribed yet'
    expect(coverage.gaps).toEqual([
      { start: 10, end: 30, reason },
      { start: 40, end: 60, reason },
    ])
  })

  it('keeps both sides of a seam whole while the chunk between them is under way', () => {
    const pieces = [piece('one two', 0, 10), piece('two three', 18, 30, { overlap: 2, index: 2 })]
    expect(textOf(createMerge('segment')(pieces, {}))).toBe('one two two three')
  })

  it('gives words times only where they are wanted', async () => {
    const one = [piece('One two.', 0, 4)]
    expect(merge(one, 'segment').segments[0]).not.toHaveProperty('words')
    expect(merge(one, 'word').segments[0]!.words!.map(({ text }) => text)).toEqual(['One', 'two.'])
  })

  it.each([
    ['with commas', 'and some more of it, '.repeat(40)],
    ['without a mark', 'and some more of it '.repeat(40)],
    ['in Chinese with commas', '今天天气很好，'.repeat(40)],
    ['in Chinese without a mark', '今天天气很好'.repeat(40)],
    ['in Korean', '오늘 날씨가 좋아요 '.repeat(40)],
  ])('parts an endless sentence, and loses nothing of it: %s', async (_, text) => {
    const { segments } = merge([piece(text.trim(), 0, 100)], 'segment')
    expect(segments.length).toBeGreaterThan(2)
    for (const segment of segments) expect(estimateTokens(segment.text)).toBeLessThanOrEqual(90)
    expect(segments.flatMap(segment => keys(segment.text))).toEqual(keys(text))
  })
})
