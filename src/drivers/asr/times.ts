// Fits the times of words or segments to the chunk and to its text.
import type { Span } from '../../domain/transcript.ts'

export interface GivenTime extends Span {
  text: string
}

/** How far beyond the chunk a time may lie: engines pad audio. */
const maxBeyondSeconds = 2
/** If less of the text has times, they belong to another text. */
const minFoundShare = 0.8
/** Letters and digits of the text in which the next word is looked for. */
const searchChars = 60
const minWordSeconds = 0.001
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}]/u

/** Clamps times to the chunk. Empty if they are not in seconds of the chunk. */
export function fitTo(items: GivenTime[], seconds: number): GivenTime[] {
  const beyond = items.filter(({ start, end }) => start < -1 || end > seconds + maxBeyondSeconds)
  if (beyond.length > items.length / 2) return []
  const clamp = (time: number) => Math.min(Math.max(0, time), seconds)
  return items
    .filter(({ start }) => start < seconds)
    .map(({ text, start, end }) => ({ text, start: clamp(start), end: clamp(Math.max(start, end)) }))
}

/**
 * Gives each item its stretch of the text: joined, the results are the text, with all spaces and punctuation. An item
 * that is not in the text, or earlier than the one before it, is left out; its stretch joins the one before. Empty if
 * most of the text has no time.
 */
export function inText(items: GivenTime[], text: string): GivenTime[] {
  const letters = lettersOf(text)
  const found: (Span & { from: number })[] = []
  let at = 0
  let covered = 0
  for (const { text: given, start, end } of items) {
    const wanted = lettersOf(given).map(({ letter }) => letter)
    const place = wanted.length === 0 ? -1 : indexOf(letters, wanted, at)
    if (place < 0) continue
    at = place + wanted.length
    if (start < (found.at(-1)?.start ?? 0)) continue
    covered += wanted.length
    found.push({ start, end, from: letters[place]!.from })
  }
  if (covered === 0 || covered < minFoundShare * letters.length) return []
  return found.map(({ start, end, from }, i) => {
    const next = found[i + 1]
    const until = Math.max(start + minWordSeconds, next ? Math.min(end, Math.max(next.start, start)) : end)
    return { start, end: until, text: text.slice(i === 0 ? 0 : from, next?.from) }
  })
}

interface Letter {
  letter: string
  /** Where it stands in the text. */
  from: number
  /** True where a word may begin. */
  isFirst: boolean
}

function lettersOf(text: string): Letter[] {
  const found: Letter[] = []
  let end = -1
  for (const { 0: character, index } of text.matchAll(/[\p{L}\p{M}\p{N}]/gu)) {
    const isFirst = index !== end || unspaced.test(character)
    end = index + character.length
    for (const letter of character.normalize('NFKC').toLowerCase())
      found.push({ letter, from: index, isFirst })
  }
  return found
}

/** The place of a word: right at `from`, or at a later beginning of a word. */
function indexOf(letters: Letter[], wanted: string[], from: number): number {
  const last = Math.min(from + searchChars, letters.length - wanted.length)
  for (let at = from; at <= last; at++) {
    const mayBegin = at === from || letters[at]!.isFirst
    if (mayBegin && wanted.every((letter, i) => letters[at + i]!.letter === letter)) return at
  }
  return -1
}
