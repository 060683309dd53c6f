// Recognitions for tests of the alignment: one conversation as two models recognise it.
import type { FileRecognition, RecognisedSentence } from '../../../src/domain/ports.ts'
import type { Aligned } from '../../../src/pipeline/diarization/align.ts'

const secondsPerWord = 0.3
const secondsPerCharacter = 0.2

/** A sentence with evenly timed words, or characters where words are not separated. */
export function sentenceOf(start: number, text: string, speaker?: number): RecognisedSentence {
  const isSpaced = /\s|[a-z]/i.test(text)
  const parts = isSpaced ? text.match(/\S+\s*/g)! : text.match(/[\p{L}\p{N}][^\p{L}\p{N}]*/gu)!
  const each = isSpaced ? secondsPerWord : secondsPerCharacter
  const words = parts.map((part, i) => ({ text: part, start: start + i * each, end: start + (i + 1) * each }))
  return { start, end: start + words.length * each, text, words, ...(speaker !== undefined && { speaker }) }
}

export function recognitionOf(...sentences: RecognisedSentence[]): FileRecognition {
  return { sentences, seconds: 0 }
}

/** The same sentences as a text model recognises them. */
export function withoutSpeakers(...sentences: RecognisedSentence[]): FileRecognition {
  return recognitionOf(...sentences.map(withoutSpeaker))
}

export function withoutSpeaker({ speaker: _, ...sentence }: RecognisedSentence): RecognisedSentence {
  return sentence
}

export function shifted({ sentences }: FileRecognition, by: number): FileRecognition {
  const shift = <T extends { start: number; end: number }>(span: T): T => ({
    ...span,
    start: span.start + by,
    end: span.end + by,
  })
  return recognitionOf(
    ...sentences.map(sentence => ({ ...shift(sentence), words: (sentence.words ?? []).map(shift) })),
  )
}

export function withoutWordTimes({ sentences }: FileRecognition): FileRecognition {
  return recognitionOf(...sentences.map(({ words: _, ...sentence }) => sentence))
}

/** `S1: …` for each segment. */
export function segmentLines({ segments }: Pick<Aligned, 'segments'>): string[] {
  return segments.map(({ speaker, text }) => `${speaker}: ${text}`)
}

export const question = sentenceOf(1, 'When does the library open tomorrow morning?', 7)
export const answer = sentenceOf(3.4, 'At nine, as always on a Thursday.', 3)
export const thanks = sentenceOf(6, 'Thank you, then I will come by bus.', 7)
export const talk = [question, answer, thanks]

/** Segments of the question and the answer. */
export const exchange = [
  'S1: When does the library open tomorrow morning?',
  'S2: At nine, as always on a Thursday.',
]
