// Simulated recognition errors: wrong words, inaccurate times, a clock offset, missing and merged speakers.
import { seededRandom } from '../../seeded-random.ts'
import type { Sentence, SpokenWord } from './sentences.ts'

export interface RecognitionErrors {
  /** Share of words that a diarizing model misrecognises; default: 0.1. */
  garbled: number
  /** Maximum error of a diarizing model's times, in milliseconds to either side. */
  jitter: number
  /** The same for the other models. */
  wordJitter: number
  /** Seconds by which the clock of a diarizing model is ahead. */
  offset: number
  /** Share of sentences without a speaker. */
  missingLabels: number
  /** Share of speaker turns attributed to the previous speaker. */
  mergedTurns: number
  /** A different seed affects different words. */
  seed: number
}

export const defaultRecognitionErrors: RecognitionErrors = {
  garbled: 0.1,
  jitter: 0,
  wordJitter: 0,
  offset: 0,
  missingLabels: 0,
  mergedTurns: 0,
  seed: 1,
}

/** Misspells some words, drops some and repeats some. */
export function garble(
  sentences: Sentence[],
  shareOf: (sentence: Sentence) => number,
  seed: number,
): Sentence[] {
  let count = 0
  return sentences.flatMap(sentence => {
    const share = shareOf(sentence)
    const words = sentence.words.flatMap(word => {
      const key = `${count++} ${word.text}`
      if (seededRandom(seed, 'garbled', key) >= share) return [word]
      const kind = seededRandom(seed, 'kind', key)
      if (kind < 0.1) return []
      const misspelt = { ...word, text: misspell(word.text, seed, key) }
      if (kind < 0.9) return [misspelt]
      const middle = (word.start + word.end) / 2
      return [
        { ...misspelt, end: middle },
        { ...word, start: middle },
      ]
    })
    return words.length > 0 ? [{ ...sentence, words }] : []
  })
}

/** Moves each time by up to `jitter` seconds, and all by `offset`; their order stays. */
export function jitterTimes(sentences: Sentence[], jitter: number, offset: number, seed: number): Sentence[] {
  let count = 0
  return sentences.map(sentence => {
    let minStart = 0
    const words = sentence.words.map(word => {
      const shifted = (side: string) => (2 * seededRandom(seed, side, count) - 1) * jitter + offset
      const start = Math.max(minStart, word.start + shifted('start'))
      const end = Math.max(start + 0.01, word.end + shifted('end'))
      count++
      minStart = start
      return { ...word, start, end }
    })
    return { ...sentence, words }
  })
}

/** Attributes some turns to the previous speaker; they then begin in the middle of a sentence. */
export function mergeTurns(sentences: Sentence[], share: number, seed: number): Sentence[] {
  const merged: Sentence[] = []
  let turn = { of: personOf(sentences[0]), as: personOf(sentences[0]), number: 0 }
  for (const sentence of sentences) {
    const of = personOf(sentence)
    const begins = of !== turn.of
    if (begins) {
      const number = turn.number + 1
      const isMerged = seededRandom(seed, 'turn', number) < share
      turn = { of, as: isMerged ? turn.as : of, number }
    }
    const as = turn.as
    const words = as === of || as === undefined ? sentence.words : sentence.words.map(spokenBy(as))
    const before = merged.at(-1)
    if (begins && as !== of && before) merged[merged.length - 1] = append(before, words)
    else merged.push({ ...sentence, words })
  }
  return merged
}

/** Numbers speakers from 0 by first appearance; undefined for a sentence without a speaker. */
export function numberSpeakers(sentences: Sentence[], missing: number, seed: number): (number | undefined)[] {
  const numbers = new Map<string, number>()
  return sentences.map((sentence, index) => {
    const person = personOf(sentence)
    if (person === undefined || seededRandom(seed, 'label', index) < missing) return undefined
    if (!numbers.has(person)) numbers.set(person, numbers.size)
    return numbers.get(person)
  })
}

function append(before: Sentence, words: SpokenWord[]): Sentence {
  return { ...before, words: [...before.words, ...words] }
}

function spokenBy(person: string) {
  return (word: SpokenWord): SpokenWord => ({ ...word, person })
}

function personOf(sentence: Sentence | undefined): string | undefined {
  return sentence?.words[0]?.person
}

// Replaces letters by their neighbours in the alphabet: same length and script, but another word.
function misspell(text: string, seed: number, key: string): string {
  const chars = [...text]
  const positions = chars.flatMap((char, at) => (/[\p{L}\p{N}]/u.test(char) ? [at] : []))
  if (positions.length === 0) return text
  const count = Math.max(1, Math.round(positions.length / 2))
  const first = Math.floor(seededRandom(seed, 'letter', key) * positions.length)
  for (let i = 0; i < count; i++) {
    const at = positions[(first + i) % positions.length]!
    chars[at] = neighbourOf(chars[at]!)
  }
  return chars.join('')
}

function neighbourOf(char: string): string {
  const code = char.codePointAt(0)!
  const next = String.fromCodePoint(/[zZя]/.test(char) ? code - 1 : code + 1)
  return /[\p{L}\p{N}]/u.test(next) ? next : String.fromCodePoint(code - 1)
}
