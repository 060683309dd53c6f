// From words to sentences, as a model that hears them would divide them.
import type { KnownWord } from '../../audio-matching/library.ts'
import type { Part } from '../../audio-matching/match-audio.ts'

export interface SpokenWord extends KnownWord {
  /** Recording and person: people of different recordings are different people. */
  person?: string
}

export interface Sentence {
  words: SpokenWord[]
  /** What stands between the words. */
  joiner: string
  language?: string
}

interface Division {
  /** A pause of so many seconds ends a sentence. */
  pause: number
  /** Full stops and the like end one. */
  punctuation: boolean
  /** Another voice begins one. */
  speakers: boolean
}

const MOST_WORDS = 80
const ENDS = /[.?!…。？！]["'”’)]*$/u

/** In order of their beginnings; where people speak at the same time, each sentence stays together. */
export function toSentences(parts: Part[], division: Division): Sentence[] {
  const sentences = parts.flatMap(part => divide(part, division))
  return sentences.sort((a, b) => a.words[0]!.start - b.words[0]!.start)
}

function divide({ words, recording, joiner, language }: Part, division: Division): Sentence[] {
  const sentences: Sentence[] = []
  let last: SpokenWord | undefined
  for (const word of words) {
    const spoken: SpokenWord = {
      ...word,
      ...(recording && word.speaker ? { person: `${recording}/${word.speaker}` } : {}),
    }
    const current = sentences.at(-1)
    if (last && current && current.words.length < MOST_WORDS && !endsBetween(last, spoken, division)) {
      current.words.push(spoken)
    } else sentences.push({ words: [spoken], joiner, ...(language ? { language } : {}) })
    last = spoken
  }
  return sentences
}

function endsBetween(last: SpokenWord, next: SpokenWord, division: Division): boolean {
  if (next.start - last.end >= division.pause) return true
  if (division.speakers && last.person !== next.person) return true
  return division.punctuation && ENDS.test(last.text)
}
