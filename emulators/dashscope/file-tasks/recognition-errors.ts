// How a model hears less than perfectly: wrong words, times that tremble, a clock that is ahead, speakers not noticed.
import { seededRandom } from './seeded-random.ts'
import type { Sentence, SpokenWord } from './sentences.ts'

export interface RecognitionErrors {
  /** Share of the words that a model of speakers hears wrong; default 0.1. */
  garbled: number
  /** Milliseconds by which the times of a model of speakers may be wrong to either side. */
  jitter: number
  /** The same for the model of words. */
  wordJitter: number
  /** Seconds by which the clock of a model of speakers is ahead. */
  offset: number
  /** Share of the sentences that have no speaker. */
  missingLabels: number
  /** Share of the turns that are taken for a continuation of the one before. */
  mergedTurns: number
  /** Another seed: other words. */
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

/** Some words come out wrong, some are lost and some said twice. */
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
      const wrong = { ...word, text: misspelt(word.text, seed, key) }
      if (kind < 0.9) return [wrong]
      const middle = (word.start + word.end) / 2
      return [
        { ...wrong, end: middle },
        { ...word, start: middle },
      ]
    })
    return words.length > 0 ? [{ ...sentence, words }] : []
  })
}

/** Each time moves by up to so many seconds, and all of them by the offset; they stay in order. */
export function shake(sentences: Sentence[], jitter: number, offset: number, seed: number): Sentence[] {
  let count = 0
  return sentences.map(sentence => {
    let least = 0
    const words = sentence.words.map(word => {
      const wrong = (side: string) => (2 * seededRandom(seed, side, count) - 1) * jitter + offset
      const start = Math.max(least, word.start + wrong('start'))
      const end = Math.max(start + 0.01, word.end + wrong('end'))
      count++
      least = start
      return { ...word, start, end }
    })
    return { ...sentence, words }
  })
}

/** Some turns go unnoticed: they belong to who spoke before, and begin in the middle of a sentence. */
export function mergeTurns(sentences: Sentence[], share: number, seed: number): Sentence[] {
  const merged: Sentence[] = []
  let turn = { of: personOf(sentences[0]), as: personOf(sentences[0]), number: 0 }
  for (const sentence of sentences) {
    const of = personOf(sentence)
    const begins = of !== turn.of
    if (begins) {
      const number = turn.number + 1
      const unnoticed = seededRandom(seed, 'turn', number) < share
      turn = { of, as: unnoticed ? turn.as : of, number }
    }
    const as = turn.as
    const words = as === of || as === undefined ? sentence.words : sentence.words.map(said(as))
    const before = merged.at(-1)
    if (begins && as !== of && before) merged[merged.length - 1] = joined(before, words)
    else merged.push({ ...sentence, words })
  }
  return merged
}

/** Numbers from 0 by first appearance; undefined for a sentence that nobody could be named for. */
export function numberSpeakers(sentences: Sentence[], missing: number, seed: number): (number | undefined)[] {
  const numbers = new Map<string, number>()
  return sentences.map((sentence, place) => {
    const person = personOf(sentence)
    if (person === undefined || seededRandom(seed, 'label', place) < missing) return undefined
    if (!numbers.has(person)) numbers.set(person, numbers.size)
    return numbers.get(person)
  })
}

function joined(before: Sentence, words: SpokenWord[]): Sentence {
  return { ...before, words: [...before.words, ...words] }
}

function said(person: string) {
  return (word: SpokenWord): SpokenWord => ({ ...word, person })
}

function personOf(sentence: Sentence | undefined): string | undefined {
  return sentence?.words[0]?.person
}

// Exchanges letters for their neighbours in the alphabet: as long as before and of the same script, but another word.
function misspelt(text: string, seed: number, key: string): string {
  const letters = [...text]
  const places = letters.flatMap((letter, at) => (/[\p{L}\p{N}]/u.test(letter) ? [at] : []))
  if (places.length === 0) return text
  const count = Math.max(1, Math.round(places.length / 2))
  const first = Math.floor(seededRandom(seed, 'letter', key) * places.length)
  for (let i = 0; i < count; i++) {
    const at = places[(first + i) % places.length]!
    letters[at] = neighbour(letters[at]!)
  }
  return letters.join('')
}

function neighbour(letter: string): string {
  const code = letter.codePointAt(0)!
  const next = String.fromCodePoint(/[zZя]/.test(letter) ? code - 1 : code + 1)
  return /[\p{L}\p{N}]/u.test(next) ? next : String.fromCodePoint(code - 1)
}
