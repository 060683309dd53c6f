// Simulates recognitions of a conversation: speakers with garbled words, correct words with times, and both in one pass.
import type { FileRecognition, RecognisedSentence, RecognisedWord } from '../../src/domain/ports.ts'
import type { Conversation, SpokenWord } from './conversation.ts'
import { type Language, languages } from './languages.ts'
import { createSeededRandom, type SeededRandom } from './random.ts'

export interface Noise {
  name: string
  /** Maximum error of the speaker pass's times in seconds; half of it for the text pass. */
  jitter: number
  /** Seconds by which the clock of the speaker pass is ahead. */
  offset: number
  /** Share of wrong words in the speaker pass. */
  garbled: number
  /**
   * Probability that a short piece is merged with an adjacent one, and that it is missing; a longer piece is missing a
   * tenth as often. Assumed, not measured.
   */
  merged: number
  missing: number
}

export interface RecognisedConversation {
  speakerPass: FileRecognition
  textPass: FileRecognition
  /** The speaker of each word of `textPass`. */
  truth: number[]
  /** The label of `speakerPass` for each word, by the sentence that it went into: a lower bound of the errors. */
  oracle: (number | null)[]
  /** Correct words with the labels of `speakerPass`; where that is missing, without a label. */
  onePass: FileRecognition
  /** The speaker of each word of `onePass`. */
  onePassTruth: number[]
  duration: number
}

export function recogniseConversation(
  conversation: Conversation,
  noise: Noise,
  seed: number,
): RecognisedConversation {
  const random = createSeededRandom(seed)
  const { sentences, sources } = recogniseWords(conversation, noise, random)
  const { pieces, numbers } = heardPieces(conversation, noise, random)
  const oracle = new Map<SpokenWord, number>()
  const speakers = recogniseSpeakers(conversation, { pieces, numbers }, noise, random, oracle)
  const both = recogniseBoth(conversation, pieces, noise, createSeededRandom(seed + 1_000_000), oracle)
  return {
    speakerPass: { sentences: speakers, seconds: 0 },
    textPass: { sentences, seconds: 0 },
    truth: sources.map(({ speaker }) => speaker),
    oracle: sources.map(said => oracle.get(said) ?? null),
    onePass: { sentences: both.sentences, seconds: 0 },
    onePassTruth: both.sources.map(({ speaker }) => speaker),
    duration: conversation.duration,
  }
}

/** One clock, so it has no offset; each sentence is a piece between pauses. */
function recogniseBoth(
  { language }: Conversation,
  pieces: SpokenWord[][],
  { jitter }: Noise,
  random: SeededRandom,
  oracle: Map<SpokenWord, number>,
): { sentences: RecognisedSentence[]; sources: SpokenWord[] } {
  const found = pieces.map(piece => {
    const words: RecognisedWord[] = []
    const sources: SpokenWord[] = []
    for (const said of piece)
      for (const part of partsOf(said, said.punctuation, { language, jitter, random, last: words.at(-1) })) {
        words.push(part)
        sources.push(said)
      }
    const speaker = oracle.get(piece[0]!)
    return {
      sentence: { ...sentenceOf(words, language), ...(speaker !== undefined && { speaker }) },
      sources,
    }
  })
  found.sort((a, b) => a.sentence.start - b.sentence.start)
  return {
    sentences: found.map(({ sentence }) => sentence),
    sources: found.flatMap(({ sources }) => sources),
  }
}

interface Timing {
  language: Language
  jitter: number
  random: SeededRandom
  /** The word before. */
  last: RecognisedWord | undefined
}

/** The word, or each of its characters, with a time of its own. */
function partsOf(
  said: SpokenWord,
  punctuation: string,
  { language, jitter, random, last }: Timing,
): RecognisedWord[] {
  const { blank, byCharacter } = languages[language]
  const parts = byCharacter ? [...said.text] : [said.text]
  const length = (said.end - said.start) / parts.length
  const found: RecognisedWord[] = []
  for (const [k, part] of parts.entries()) {
    const start = said.start + k * length + random.between(-jitter / 2, jitter / 2)
    const before = found.at(-1) ?? last
    const from = Math.max(0, start, before ? before.start + 0.01 : 0)
    const text = k === parts.length - 1 ? part + punctuation + blank : part
    found.push({ text, start: from, end: Math.max(from + 0.04, start + length) })
  }
  return found
}

/** The words are correct; the punctuation is not always, least of all at interruptions. */
function recogniseWords(
  { words, language }: Conversation,
  { jitter }: Noise,
  random: SeededRandom,
): { sentences: RecognisedSentence[]; sources: SpokenWord[] } {
  const { comma } = languages[language]
  const sentences: RecognisedSentence[] = []
  const sources: SpokenWord[] = []
  let open: RecognisedWord[] = []
  for (const [i, said] of words.entries()) {
    const next = words[i + 1]
    const isCutIn = next !== undefined && next.turn !== said.turn && next.start < said.end + 0.2
    const punctuation =
      said.punctuation && random.chance(isCutIn ? 0.3 : 0.1) ? random.pick(['', comma]) : said.punctuation
    for (const part of partsOf(said, punctuation, { language, jitter, random, last: open.at(-1) })) {
      open.push(part)
      sources.push(said)
    }
    const isOver = /[.?!。？！]/.test(punctuation) || !next || next.start - said.end > 1
    if (!isOver) continue
    sentences.push(sentenceOf(open, language))
    open = []
  }
  return { sentences, sources }
}

function sentenceOf(words: RecognisedWord[], language: Language): RecognisedSentence {
  const text = words
    .map(word => word.text)
    .join('')
    .trim()
  return { text, start: words[0]!.start, end: Math.max(...words.map(({ end }) => end)), language, words }
}

interface HeardPieces {
  pieces: SpokenWord[][]
  /** The number that the model gives each speaker. */
  numbers: number[]
}

function heardPieces({ speakers, words }: Conversation, noise: Noise, random: SeededRandom): HeardPieces {
  const numbers = shuffled(random, [...Array(speakers).keys()])
  return { numbers, pieces: mergedPieces(piecesOf(words), noise, random) }
}

/** Pieces of speech between pauses, as voice activity gives them, each with the label of who speaks most in it. */
function recogniseSpeakers(
  { language }: Conversation,
  { pieces, numbers }: HeardPieces,
  noise: Noise,
  random: SeededRandom,
  oracle: Map<SpokenWord, number>,
): RecognisedSentence[] {
  return pieces
    .flatMap(piece => {
      const isShort = piece.length <= 3
      if (random.chance(isShort ? noise.missing : noise.missing / 10)) return []
      const speaker = numbers[mainSpeaker(piece)]!
      for (const said of piece) oracle.set(said, speaker)
      const distort = (time: number) =>
        Math.max(0, time + noise.offset + random.between(-noise.jitter, noise.jitter))
      const words = garbled(piece, language, noise, random).map(
        ({ text, punctuation, start, end }): RecognisedWord => {
          const from = distort(start)
          return {
            text: text + punctuation + languages[language].blank,
            start: from,
            end: Math.max(from + 0.04, distort(end)),
          }
        },
      )
      if (!words.length) return []
      const start = distort(piece[0]!.start - random.between(0, 0.1))
      const end = Math.max(
        start + 0.1,
        distort(Math.max(...piece.map(said => said.end)) + random.between(0, 0.2)),
      )
      return [
        {
          text: words
            .map(word => word.text)
            .join('')
            .trim(),
          start,
          end,
          speaker,
          words,
        },
      ]
    })
    .sort((a, b) => a.start - b.start)
}

function piecesOf(words: SpokenWord[]): SpokenWord[][] {
  const turns = new Map<number, SpokenWord[]>()
  for (const said of words) turns.set(said.turn, [...(turns.get(said.turn) ?? []), said])
  return [...turns.values()]
    .flatMap(turn => {
      const pieces: SpokenWord[][] = [[]]
      for (const [i, said] of turn.entries()) {
        if (i > 0 && said.start - turn[i - 1]!.end > 0.5) pieces.push([])
        pieces.at(-1)!.push(said)
      }
      return pieces
    })
    .sort((a, b) => a[0]!.start - b[0]!.start)
}

/** Voice activity detection ignores voices: a short piece close to another may be merged with it. */
function mergedPieces(pieces: SpokenWord[][], { merged }: Noise, random: SeededRandom): SpokenWord[][] {
  const found: SpokenWord[][] = []
  for (const piece of pieces) {
    const before = found.at(-1)
    const isClose = before !== undefined && piece[0]!.start - Math.max(...before.map(({ end }) => end)) < 0.25
    const isShort = before !== undefined && Math.min(piece.length, before.length) <= 3
    if (before && isClose && isShort && random.chance(merged)) {
      before.push(...piece)
      before.sort((a, b) => a.start - b.start)
    } else found.push([...piece])
  }
  return found
}

function mainSpeaker(piece: SpokenWord[]): number {
  const seconds = new Map<number, number>()
  for (const { speaker, start, end } of piece) seconds.set(speaker, (seconds.get(speaker) ?? 0) + end - start)
  return [...seconds].sort((a, b) => b[1] - a[1])[0]![0]
}

/** Substitutes, misspells, deletes or inserts words. */
function garbled(
  piece: SpokenWord[],
  language: Language,
  { garbled }: Noise,
  random: SeededRandom,
): SpokenWord[] {
  const { words } = languages[language]
  return piece.flatMap(said => {
    if (!random.chance(garbled)) return [said]
    const kind = random.next()
    if (kind < 0.15) return []
    if (kind < 0.3) return [said, { ...said, text: random.pick(words), punctuation: '' }]
    if (kind < 0.65 || said.text.length < 2) return [{ ...said, text: random.pick(words) }]
    const at = random.whole(0, said.text.length - 1)
    return [
      { ...said, text: said.text.slice(0, at) + random.pick([...words.join('')]) + said.text.slice(at + 1) },
    ]
  })
}

function shuffled<T>(random: SeededRandom, items: T[]): T[] {
  return items
    .map(item => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
