// Segments of an alignment: text, times and order, for any two recognitions.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FileRecognition, RecognisedSentence, RecognisedWord } from '../../../../src/domain/ports.ts'
import { joinText } from '../../../../src/domain/text.ts'
import type { Segment } from '../../../../src/domain/transcript.ts'
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
  withoutSpeakers,
  withoutWordTimes,
} from '../../../support/audio/recognitions.ts'

describe('aligned segments', () => {
  it('adds no spaces in scripts that have none', async () => {
    const [ask, tell] = [sentenceOf(1, '今天下午开会吗？', 1), sentenceOf(3, '不，明天上午九点。', 0)]
    const found = await align(recognitionOf(ask, tell), withoutSpeakers(ask, tell), 6)
    expect(segmentLines(found)).toEqual(['S1: 今天下午开会吗？', 'S2: 不，明天上午九点。'])
    expect(found.segments[1]!.words!.map(({ text }) => text).join('')).toBe('不，明天上午九点。')
  })

  it('aligned segments keeps punctuation that only the sentence has', async () => {
    const bare = {
      ...answer,
      words: answer.words!.map(word => ({ ...word, text: word.text.replace(/[,.]/, '') })),
    }
    expect(segmentLines(await align(recognitionOf(...talk), withoutSpeakers(question, bare), 10))).toEqual(
      exchange,
    )
  })

  it('splits the text into sentences', async () => {
    const long = sentenceOf(1, 'First we measure the hall. Then we paint, says Dr. Petrov. Is that clear?', 0)
    expect(segmentLines(await align(recognitionOf(long), withoutSpeakers(long), 10))).toEqual([
      'S1: First we measure the hall.',
      'S1: Then we paint, says Dr. Petrov.',
      'S1: Is that clear?',
    ])
  })

  it('splits a sentence without an end', async () => {
    const endless = sentenceOf(1, Array.from({ length: 400 }, (_, i) => `word${i}`).join(' '), 0)
    const { segments } = await align(recognitionOf(endless), withoutSpeakers(endless), 130)
    for (const { start, end } of segments) expect(end - start).toBeLessThanOrEqual(30)
    expect(segments.map(({ text }) => text).join(' ')).toBe(endless.text)
  })

  it('aligned segments gives segments the times of their sentences where words have none', async () => {
    const found = await align(
      withoutWordTimes(recognitionOf(...talk)),
      withoutWordTimes(withoutSpeakers(...talk)),
      10,
    )
    expect(segmentLines(found).slice(0, 2)).toEqual(exchange)
    expect(found.segments[0]).toMatchObject({ start: 1, end: question.end, estimated: false })
    expect(found.segments[0]).not.toHaveProperty('words')
  })

  it('aligned segments keeps the language of each sentence', async () => {
    const textRecognition = withoutSpeakers(
      { ...question, language: 'en' },
      { ...sentenceOf(3.4, '九点。'), language: 'zh' },
    )
    const { segments } = await align(recognitionOf(...talk), textRecognition, 10)
    expect(segments.map(({ language }) => language)).toEqual(['en', 'zh'])
  })

  it('repairs impossible times', async () => {
    const broken = talk.map(sentence => ({
      ...sentence,
      words: sentence.words!.map((word, i) =>
        i % 2 ? { ...word, end: word.start - 1 } : { ...word, start: 1e6 },
      ),
    }))
    const { segments } = await align(recognitionOf(...talk), withoutSpeakers(...broken), 10)
    expect(segments.map(({ text }) => text).reduce(joinText)).toBe(talk.map(({ text }) => text).join(' '))
    expectValidTimes(segments, 10)
  })

  it('aligned segments keeps all words in order, for any two recognitions', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyRecognition(true, 0),
        anyRecognition(false, 1),
        fc.boolean(),
        async (speakerRecognition, textRecognition, isSame) => {
          const { segments, speakers } = await align(
            isSame ? textRecognition : speakerRecognition,
            textRecognition,
            60,
          )
          expect(segments.flatMap(({ words = [] }) => words.map(word => word.text))).toEqual(
            sorted(textRecognition).flatMap(({ words = [] }) => words.map(word => word.text.trim())),
          )
          expect(
            segments
              .map(({ text }) => text)
              .reduce(joinText, '')
              .replace(/\s+/g, ''),
          ).toBe(
            sorted(textRecognition)
              .map(({ text }) => text)
              .join('')
              .replace(/\s+/g, ''),
          )
          const order = [...new Set(segments.flatMap(({ speaker }) => speaker ?? []))]
          expect(order).toEqual(order.map((_, i) => `S${i + 1}`))
          expect(speakers.map(({ id }) => id)).toEqual(order)
          expectValidTimes(segments, 60)
        },
      ),
      { seed: 20261124, numRuns: 200 },
    )
  })

  it('aligns many hours without a table of all words by all words', async () => {
    const vocabulary = Array.from({ length: 300 }, (_, i) => `w${((i * 7919) % 300).toString(36)}`)
    const many = Array.from({ length: 2500 }, (_, i) =>
      sentenceOf(
        i * 4,
        `${Array.from({ length: 8 }, (_, k) => vocabulary[(i * i + k * 31) % 300]).join(' ')}.`,
        i % 3,
      ),
    )
    const { segments } = await align(shifted(recognitionOf(...many), 0.4), withoutSpeakers(...many), 10_000)
    const wrong = segments.filter(({ speaker }, i) => speaker !== `S${(i % 3) + 1}`)
    expect(segments.length).toBe(2500)
    expect(wrong.length).toBeLessThan(5)
  })
})

function expectValidTimes(segments: Segment[], duration: number): void {
  for (const { start, end, confidence = 0, words = [] } of segments) {
    expect(start).toBeGreaterThanOrEqual(0)
    expect(end).toBeGreaterThanOrEqual(start)
    expect(end).toBeLessThanOrEqual(duration)
    expect(confidence).toBeGreaterThanOrEqual(0)
    expect(confidence).toBeLessThanOrEqual(1)
    for (const [i, word] of words.entries()) {
      expect(word.end).toBeGreaterThanOrEqual(word.start)
      if (i > 0) expect(word.start).toBeGreaterThanOrEqual(words[i - 1]!.start)
    }
  }
}

function sorted({ sentences }: FileRecognition): RecognisedSentence[] {
  return sentences.toSorted((a, b) => a.start - b.start)
}

/** Sentences anywhere in a minute, over each other too, some with damaged times; few words, so that many coincide. */
function anyRecognition(hasSpeakers: boolean, minLength: number): fc.Arbitrary<FileRecognition> {
  const word = fc.record({
    text: fc.constantFrom('yes ', 'no, ', 'Hello ', 'bridge. ', '好', '。', '会议', 'は、', '… ', "don't "),
    length: fc.constantFrom(0.3, 0.1, 0, -0.2),
  })
  const sentence = fc
    .record({
      start: fc.integer({ min: 0, max: 59 }),
      words: fc.array(word, { minLength: 1, maxLength: 12 }),
      speaker: fc.constantFrom(undefined, 0, 1, 5),
    })
    .map(({ start, words, speaker }): RecognisedSentence => {
      const timed = words.map(
        ({ text, length }, i): RecognisedWord => ({
          text,
          start: start + i * 0.3,
          end: start + i * 0.3 + length,
        }),
      )
      const text = timed
        .map(word => word.text)
        .join('')
        .trim()
      const end = start + timed.length * 0.3
      return { start, end, text, words: timed, ...(hasSpeakers && speaker !== undefined && { speaker }) }
    })
  return fc.array(sentence, { minLength, maxLength: 8 }).map(sentences => ({ sentences, seconds: 0 }))
}
