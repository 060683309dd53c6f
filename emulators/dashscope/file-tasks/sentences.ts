// Splits words into sentences, as a recogniser does.
import type { RecordedWord } from '../../audio-matching/library.ts'
import type { Part } from '../../audio-matching/match-audio.ts'

export interface SpokenWord extends RecordedWord {
  /** Recording and speaker: speakers of different recordings are different people. */
  person?: string
}

export interface Sentence {
  words: SpokenWord[]
  /** Separator between words. */
  joiner: string
  language?: string
}

interface SplitOptions {
  /** A pause of at least this many seconds ends a sentence. */
  pause: number
  /** Sentence punctuation ends one. */
  punctuation: boolean
  /** A change of speaker begins one. */
  speakers: boolean
  /** Default: 80. */
  maxWords?: number
}

const sentenceEnd = /[.?!…。？！]["'”’)]*$/u

/** Ordered by start; a sentence stays whole even if speakers overlap. */
export function toSentences(parts: Part[], options: SplitOptions): Sentence[] {
  const sentences = parts.flatMap(part => splitPart(part, options))
  return sentences.sort((a, b) => a.words[0]!.start - b.words[0]!.start)
}

function splitPart({ words, recording, joiner, language }: Part, options: SplitOptions): Sentence[] {
  const sentences: Sentence[] = []
  const { maxWords = 80 } = options
  let last: SpokenWord | undefined
  for (const word of words) {
    const spoken: SpokenWord = {
      ...word,
      ...(recording && word.speaker ? { person: `${recording}/${word.speaker}` } : {}),
    }
    const current = sentences.at(-1)
    if (last && current && current.words.length < maxWords && !isBoundary(last, spoken, options)) {
      current.words.push(spoken)
    } else sentences.push({ words: [spoken], joiner, ...(language ? { language } : {}) })
    last = spoken
  }
  return sentences
}

function isBoundary(last: SpokenWord, next: SpokenWord, options: SplitOptions): boolean {
  if (next.start - last.end >= options.pause) return true
  if (options.speakers && last.person !== next.person) return true
  return options.punctuation && sentenceEnd.test(last.text)
}
