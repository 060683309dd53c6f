// What two models make of a conversation: one hears who and when, with garbled words; the other the words, with times.
import type { FileRecognition, RecognisedSentence, RecognisedWord } from '../../src/domain/ports.ts'
import type { Conversation, SpokenWord } from './conversation.ts'
import { type Language, languages } from './languages.ts'
import { createSeededRandom, type SeededRandom } from './random.ts'

export interface Noise {
  name: string
  /** Times of who spoke are off by at most this (seconds), those of the words by half of it. */
  jitter: number
  /** Its clock is ahead by this. */
  offset: number
  /** Share of its words that are wrong. */
  garbled: number
  /**
   * How often a short turn is merged with one that it touches, and how often it is not heard at all; a longer piece is
   * missed a tenth as often. Assumed, not measured.
   */
  merged: number
  missing: number
}

export interface RecognisedConversation {
  speakerPass: FileRecognition
  textPass: FileRecognition
  /** The speaker of each word of `what`. */
  truth: number[]
  /** What `who` says of it, for those who know which of its sentences each word went into: nobody can know better. */
  oracle: (number | null)[]
  duration: number
}

export function recogniseConversation(
  conversation: Conversation,
  noise: Noise,
  seed: number,
): RecognisedConversation {
  const chance = createSeededRandom(seed)
  const { sentences, sources } = hearWords(conversation, noise, chance)
  const believed = new Map<SpokenWord, number>()
  return {
    speakerPass: { sentences: hearSpeakers(conversation, noise, chance, believed), seconds: 0 },
    textPass: { sentences, seconds: 0 },
    truth: sources.map(({ speaker }) => speaker),
    oracle: sources.map(said => believed.get(said) ?? null),
    duration: conversation.duration,
  }
}

/** The words are right; what a listener writes between them not always, least of all where somebody cuts in. */
function hearWords(
  { words, language }: Conversation,
  { jitter }: Noise,
  chance: SeededRandom,
): { sentences: RecognisedSentence[]; sources: SpokenWord[] } {
  const { blank, comma, byCharacter } = languages[language]
  const sentences: RecognisedSentence[] = []
  const sources: SpokenWord[] = []
  let open: RecognisedWord[] = []
  for (const [i, said] of words.entries()) {
    const next = words[i + 1]
    const isCutIn = next !== undefined && next.turn !== said.turn && next.start < said.end + 0.2
    const mark = said.mark && chance.chance(isCutIn ? 0.3 : 0.1) ? chance.pick(['', comma]) : said.mark
    const parts = byCharacter ? [...said.text] : [said.text]
    const length = (said.end - said.start) / parts.length
    for (const [k, part] of parts.entries()) {
      const start = said.start + k * length + chance.between(-jitter / 2, jitter / 2)
      const last = open.at(-1)
      const from = Math.max(0, start, last ? last.start + 0.01 : 0)
      const text = k === parts.length - 1 ? part + mark + blank : part
      open.push({ text, start: from, end: Math.max(from + 0.04, start + length) })
      sources.push(said)
    }
    const isOver = /[.?!。？！]/.test(mark) || !next || next.start - said.end > 1
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

/** Pieces of speech between pauses, as voice activity gives them, each with the label of who speaks most in it. */
function hearSpeakers(
  conversation: Conversation,
  noise: Noise,
  chance: SeededRandom,
  believed: Map<SpokenWord, number>,
): RecognisedSentence[] {
  const { speakers, language } = conversation
  const numbers = shuffled(chance, [...Array(speakers).keys()])
  const pieces = mergedPieces(piecesOf(conversation.words), noise, chance)
  return pieces
    .flatMap(piece => {
      const isShort = piece.length <= 3
      if (chance.chance(isShort ? noise.missing : noise.missing / 10)) return []
      const speaker = numbers[loudest(piece)]!
      for (const said of piece) believed.set(said, speaker)
      const shake = (time: number) =>
        Math.max(0, time + noise.offset + chance.between(-noise.jitter, noise.jitter))
      const words = garbled(piece, language, noise, chance).map(
        ({ text, mark, start, end }): RecognisedWord => {
          const from = shake(start)
          return {
            text: text + mark + languages[language].blank,
            start: from,
            end: Math.max(from + 0.04, shake(end)),
          }
        },
      )
      if (!words.length) return []
      const start = shake(piece[0]!.start - chance.between(0, 0.1))
      const end = Math.max(
        start + 0.1,
        shake(Math.max(...piece.map(said => said.end)) + chance.between(0, 0.2)),
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

/** Voice activity hears no change of voice: a short piece close to another's may end up in one with it. */
function mergedPieces(pieces: SpokenWord[][], { merged }: Noise, chance: SeededRandom): SpokenWord[][] {
  const found: SpokenWord[][] = []
  for (const piece of pieces) {
    const before = found.at(-1)
    const isClose = before !== undefined && piece[0]!.start - Math.max(...before.map(({ end }) => end)) < 0.25
    const isShort = before !== undefined && Math.min(piece.length, before.length) <= 3
    if (before && isClose && isShort && chance.chance(merged)) {
      before.push(...piece)
      before.sort((a, b) => a.start - b.start)
    } else found.push([...piece])
  }
  return found
}

function loudest(piece: SpokenWord[]): number {
  const seconds = new Map<number, number>()
  for (const { speaker, start, end } of piece) seconds.set(speaker, (seconds.get(speaker) ?? 0) + end - start)
  return [...seconds].sort((a, b) => b[1] - a[1])[0]![0]
}

/** Another word, a misspelt one, one too few or one too many. */
function garbled(
  piece: SpokenWord[],
  language: Language,
  { garbled }: Noise,
  chance: SeededRandom,
): SpokenWord[] {
  const { words } = languages[language]
  return piece.flatMap(said => {
    if (!chance.chance(garbled)) return [said]
    const kind = chance.next()
    if (kind < 0.15) return []
    if (kind < 0.3) return [said, { ...said, text: chance.pick(words), mark: '' }]
    if (kind < 0.65 || said.text.length < 2) return [{ ...said, text: chance.pick(words) }]
    const at = chance.whole(0, said.text.length - 1)
    return [
      { ...said, text: said.text.slice(0, at) + chance.pick([...words.join('')]) + said.text.slice(at + 1) },
    ]
  })
}

function shuffled<T>(chance: SeededRandom, items: T[]): T[] {
  return items
    .map(item => ({ item, at: chance.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
