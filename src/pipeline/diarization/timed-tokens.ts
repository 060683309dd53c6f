// Puts a recognition in order: sentences by time, words with plausible times, and the tokens that are compared.
import type { FileRecognition, RecognisedSentence, RecognisedWord } from '../../domain/ports.ts'
import { tokens } from '../../domain/tokens.ts'
import { roundToMs, type Span } from '../../domain/transcript.ts'
import { isTurnOver, nextTurn } from '../../domain/waiting/turns.ts'
import { textHash } from '../audio/fingerprint.ts'
import { timeWords } from '../chunks/timing.ts'

export interface TimedSentence extends Span {
  language?: string
  speaker?: number
  /** True if the provider timed its words; otherwise they are spread over the sentence by their length. */
  measured: boolean
}

export interface TimedWord extends Span {
  /** With the spaces and punctuation around it: the words of a sentence joined are its text. */
  text: string
  /** Index of its sentence. */
  sentence: number
}

/** Unit of comparison: a word without punctuation, or one character where words are not separated. */
export interface TimedToken {
  key: string
  /** Its middle, in seconds. */
  at: number
  word: number
  sentence: number
}

export interface TimedTokens {
  /** Identifies the recognition, also after it was stored: its speaker numbers mean nothing in another. */
  id: string
  sentences: TimedSentence[]
  words: TimedWord[]
  tokens: TimedToken[]
}

const minWordSeconds = 0.02
/** A word that ends before it begins gets at most this length. */
const maxRepairedWordSeconds = 0.5
/** A word may lie this far outside its sentence. */
const maxOutsideSeconds = 1
const idChars = 12

/** Times beyond `end` (seconds) are clamped to it; 0 where it is unknown. */
export async function timedTokens(recognition: FileRecognition, end: number): Promise<TimedTokens> {
  const limit = end > 0 ? end : Number.POSITIVE_INFINITY
  const sorted = recognition.sentences
    .filter(({ text, words = [] }) => text.trim() !== '' || words.some(word => word.text.trim() !== ''))
    .map(sentence => ({ sentence, span: spanOf(sentence, limit) }))
    .sort((a, b) => a.span.start - b.span.start)
  const sentences: TimedSentence[] = []
  const words: TimedWord[] = []
  const compared: TimedToken[] = []
  for (const { sentence, span } of sorted) {
    if (isTurnOver()) await nextTurn()
    const timed = (sentence.words ?? []).filter(word => word.text.trim() !== '')
    const { language, speaker } = sentence
    sentences.push({ ...span, measured: timed.length > 0, language, speaker })
    const found = timed.length ? withPunctuation(sentence, timed) : spread(sentence.text.trim(), span)
    const first = words.length
    addRepaired(found, { ...span, sentence: sentences.length - 1 }, limit, words)
    for (let i = first; i < words.length; i++) compared.push(...tokensOf(words[i]!, i))
  }
  return { id: idOf(recognition), sentences, words, tokens: compared }
}

function idOf({ sentences }: FileRecognition): string {
  const key = JSON.stringify(sentences.map(({ start, end, speaker }) => [start, end, speaker]))
  return textHash(key).slice(0, idChars)
}

function spanOf({ start, end, words = [] }: RecognisedSentence, limit: number): Span {
  const isValid = end > start
  const from = isValid || !words.length ? start : Math.min(start, ...words.map(word => word.start))
  const to = isValid ? end : Math.max(from + minWordSeconds, ...words.map(word => word.end))
  const clamped = Math.min(Math.max(0, from), Math.max(0, limit - minWordSeconds))
  return { start: clamped, end: Math.max(clamped, Math.min(to, limit)) }
}

/**
 * Adds the text of the sentence between its words, such as punctuation that the words lack. Returns the words unchanged
 * where the sentence does not contain them in order.
 */
function withPunctuation(
  { text, words = [] }: RecognisedSentence,
  timed: RecognisedWord[],
): RecognisedWord[] {
  const joined = words.map(word => word.text).join('')
  if (words.length === timed.length && joined.trim() === text.trim()) return timed
  const starts: number[] = []
  let from = 0
  for (const word of timed) {
    const bare = word.text.trim()
    const at = text.indexOf(bare, from)
    if (at < 0) return timed
    starts.push(at)
    from = at + bare.length
  }
  return timed.map((word, i) => ({ ...word, text: text.slice(i === 0 ? 0 : starts[i], starts[i + 1]) }))
}

/** Repairs times: words are in order, end after they begin, and stay near their sentence. */
function addRepaired(
  given: RecognisedWord[],
  { start, end, sentence }: Span & { sentence: number },
  limit: number,
  into: TimedWord[],
): void {
  const last = Math.max(start, Math.min(end + maxOutsideSeconds, limit) - minWordSeconds)
  let earliest = Math.max(0, start - maxOutsideSeconds)
  for (const [i, word] of given.entries()) {
    const from = Math.min(Math.max(earliest, word.start), last)
    const next = given[i + 1]?.start ?? end
    const repaired = next > from ? Math.min(next, from + maxRepairedWordSeconds) : from + minWordSeconds
    const to = Math.min(Math.max(word.end > from ? word.end : repaired, from), last + minWordSeconds)
    into.push({ text: word.text, start: from, end: to, sentence })
    earliest = from
  }
}

function spread(text: string, sentence: Span): RecognisedWord[] {
  const found = tokens(text)
  if (found.length < 2) return [{ text, ...sentence }]
  return timeWords(text, sentence, []).map(({ start, end }, i) => ({
    start,
    end,
    text: text.slice(i === 0 ? 0 : found[i]!.start, found[i + 1]?.start),
  }))
}

function tokensOf({ text, start, end, sentence }: TimedWord, word: number): TimedToken[] {
  const found = tokens(text)
  const share = (end - start) / found.length
  return found.map(({ key }, i) => ({ key, at: roundToMs(start + (i + 0.5) * share), word, sentence }))
}
