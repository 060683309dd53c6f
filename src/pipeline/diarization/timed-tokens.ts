// Puts a hearing in order: sentences by time, words with sound times, and the tokens that two hearings are compared by.
import type { FileRecognition, RecognisedSentence, RecognisedWord } from '../../domain/ports.ts'
import { tokens } from '../../domain/tokens.ts'
import { roundToMs, type Span } from '../../domain/transcript.ts'
import { textHash } from '../audio/fingerprint.ts'
import { timeWords } from '../chunks/timing.ts'

export interface TimedSentence extends Span {
  language?: string
  speaker?: number
  /** Whether the provider timed its words; otherwise they are spread over the line by their length. */
  measured: boolean
}

export interface TimedWord extends Span {
  /** With the blanks and marks around it: the words of a line put together are its text. */
  text: string
  sentence: number
}

/** What is compared: a word without marks, or one character where words are not separated. */
export interface TimedToken {
  key: string
  /** Its middle. */
  at: number
  word: number
  sentence: number
}

export interface TimedTokens {
  /** By which this hearing is known again, also after it was stored: its numbers for speakers mean nothing in another. */
  id: string
  sentences: TimedSentence[]
  words: TimedWord[]
  tokens: TimedToken[]
}

/** A word with no length of its own gets this much. */
const shortest = 0.02
/** How far a word may lie outside its sentence before it is pulled back. */
const slack = 1

/** Times beyond `end` (seconds) are brought back to it; 0 where it is not known. */
export function timedTokens(hearing: FileRecognition, end: number): TimedTokens {
  const limit = end > 0 ? end : Number.POSITIVE_INFINITY
  const sorted = hearing.sentences
    .filter(({ text, words = [] }) => text.trim() !== '' || words.some(word => word.text.trim() !== ''))
    .map(sentence => ({ sentence, span: spanOf(sentence, limit) }))
    .sort((a, b) => a.span.start - b.span.start)
  const lines: TimedSentence[] = []
  const words: TimedWord[] = []
  for (const { sentence, span } of sorted) {
    const timed = (sentence.words ?? []).filter(word => word.text.trim() !== '')
    const { language, speaker } = sentence
    lines.push({
      ...span,
      measured: timed.length > 0,
      ...(language !== undefined && { language }),
      ...(speaker !== undefined && { speaker }),
    })
    const found = timed.length ? spelled(sentence, timed) : spread(sentence.text.trim(), span)
    mend(found, { ...span, line: lines.length - 1 }, limit, words)
  }
  return { id: markOf(hearing), sentences: lines, words, tokens: words.flatMap(soundsOf) }
}

function markOf({ sentences }: FileRecognition): string {
  return textHash(JSON.stringify(sentences.map(({ start, end, speaker }) => [start, end, speaker]))).slice(
    0,
    12,
  )
}

function spanOf({ start, end, words = [] }: RecognisedSentence, limit: number): Span {
  const isSound = end > start
  const from = isSound || !words.length ? start : Math.min(start, ...words.map(word => word.start))
  const to = isSound ? end : Math.max(from + shortest, ...words.map(word => word.end))
  const begin = Math.min(Math.max(0, from), Math.max(0, limit - shortest))
  return { start: begin, end: Math.max(begin, Math.min(to, limit)) }
}

/**
 * The words with what the sentence has between them, such as marks that the words leave out. Where the sentence does
 * not hold its own words in order, they are left as they are.
 */
function spelled({ text, words = [] }: RecognisedSentence, timed: RecognisedWord[]): RecognisedWord[] {
  const whole = words.map(word => word.text).join('')
  if (words.length === timed.length && whole.trim() === text.trim()) return timed
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

/** Words never begin before the one in front of them, end before they begin, or leave their sentence by far. */
function mend(
  given: RecognisedWord[],
  { start, end, line }: Span & { line: number },
  limit: number,
  into: TimedWord[],
): void {
  const last = Math.max(start, Math.min(end + slack, limit) - shortest)
  let earliest = Math.max(0, start - slack)
  for (const [i, word] of given.entries()) {
    const from = Math.min(Math.max(earliest, word.start), last)
    const next = given[i + 1]?.start ?? end
    const mended = next > from ? Math.min(next, from + 0.5) : from + shortest
    const to = Math.min(Math.max(word.end > from ? word.end : mended, from), last + shortest)
    into.push({ text: word.text, start: from, end: to, sentence: line })
    earliest = from
  }
}

function spread(text: string, line: Span): RecognisedWord[] {
  const found = tokens(text)
  if (found.length < 2) return [{ text, ...line }]
  return timeWords(text, line, []).map(({ start, end }, i) => ({
    start,
    end,
    text: text.slice(i === 0 ? 0 : found[i]!.start, found[i + 1]?.start),
  }))
}

function soundsOf({ text, start, end, sentence }: TimedWord, word: number): TimedToken[] {
  const found = tokens(text)
  const share = (end - start) / found.length
  return found.map(({ key }, i) => ({ key, at: roundToMs(start + (i + 0.5) * share), word, sentence }))
}
