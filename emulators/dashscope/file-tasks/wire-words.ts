// Words of a result file: whole and with their blanks, or with the oddities of recorded results.
import { seededRandom } from '../../seeded-random.ts'
import type { Sentence, SpokenWord } from './sentences.ts'

export interface WordForm {
  /** Cuts some words in pieces, and drops the blank after others. */
  broken: boolean
  /** Some blanks are words with a time of their own. */
  loneBlanks: boolean
  /** Some words end when they begin. */
  zeroSpans: boolean
  confidence: boolean
  /** A different seed affects different words. */
  seed: number
}

export interface WireWord {
  begin_time: number
  end_time: number
  text: string
  punctuation: string
  confidence?: number
}

/** Share of the words that an oddity affects. */
const share = 1 / 12
const wordAndPunctuation = /^(.*?)([,.;:?!…。，、？！；：]*)$/su

/** Times are milliseconds; `number` numbers the sentence, so that different words of each are affected. */
export function wireWords({ words, joiner }: Sentence, number: number, form: WordForm): WireWord[] {
  return words.flatMap((word, index) => {
    const [, text = '', punctuation = ''] = wordAndPunctuation.exec(word.text) ?? []
    const space = index + 1 < words.length ? joiner : ''
    const chance = (what: string) => seededRandom(form.seed, what, number, index) < share
    const pieces = joiner ? piecesOf({ ...word, text }, form.broken && chance('pieces')) : charsOf(word, text)
    const blank = form.broken && chance('glued') ? '' : space
    const isLone = blank !== '' && form.loneBlanks && chance('blank')
    const wire = pieces.map((piece, at) => {
      const isLast = at + 1 === pieces.length
      const after = isLast && !isLone ? blank : ''
      const [begin_time, end_time] = [milliseconds(piece.start), milliseconds(piece.end)]
      return {
        begin_time,
        end_time: form.zeroSpans && isLast && chance('span') ? begin_time : end_time,
        text: piece.text + (punctuation ? '' : after),
        punctuation: isLast && punctuation ? punctuation + after : '',
        ...(form.confidence && { confidence: 1 }),
      }
    })
    return isLone ? [...wire, blankWord(word, words[index + 1]!, blank, form)] : wire
  })
}

/** The blank between two words, as a word. */
function blankWord({ end }: SpokenWord, next: SpokenWord, text: string, { confidence }: WordForm): WireWord {
  const begin_time = milliseconds(end)
  const end_time = Math.max(begin_time, milliseconds(next.start))
  return { begin_time, end_time, text, punctuation: '', ...(confidence && { confidence: 1 }) }
}

function piecesOf(word: SpokenWord, inTwo: boolean): SpokenWord[] {
  const chars = [...word.text]
  if (!inTwo || chars.length < 2) return [word]
  const cut = Math.floor(chars.length / 2)
  const middle = word.start + ((word.end - word.start) * cut) / chars.length
  return [
    { ...word, text: chars.slice(0, cut).join(''), end: middle },
    { ...word, text: chars.slice(cut).join(''), start: middle },
  ]
}

// In scripts without spaces each character is a word.
function charsOf(word: SpokenWord, text: string): SpokenWord[] {
  const chars = [...text]
  if (chars.length < 2) return [{ ...word, text }]
  const each = (word.end - word.start) / chars.length
  return chars.map((char, at) => ({
    ...word,
    text: char,
    start: word.start + at * each,
    end: word.start + (at + 1) * each,
  }))
}

export function milliseconds(seconds: number): number {
  return Math.max(0, Math.round(seconds * 1000))
}
