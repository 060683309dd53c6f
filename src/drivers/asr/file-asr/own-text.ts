// Cuts a sentence's own text into its words: only the text is right, as words may lack spaces or be in pieces (recorded).
import { type Letter, lettersOf, sameLetters } from './letters.ts'
import type { RawWord } from './words.ts'

interface Comparison {
  text: string
  own: Letter[]
  heard: Letter[]
  /** For each letter of the words the same letter of the text, or -1. */
  same: Int32Array
}

/** Letters of the text that may stand for one letter of the words. */
const maxLettersPerLetter = 3
/** Share of the text that the words may lack. */
const maxMissingShare = 1 / 4
/** A text that has nothing but a part of its words was cut if they have this many times its letters, and some more. */
const [cutRatio, cutLetters] = [1.5, 8]

/**
 * The words with texts that make up `text`, which is trimmed. Empty where they lack too much of it. Words without letters
 * are left out. A text that was cut gives way to its words.
 */
export function placeWords<W extends RawWord>(text: string, given: W[]): W[] {
  const words = given.filter(word => lettersOf(word.text).length > 0)
  const own = lettersOf(text)
  const lengths = words.map(word => lettersOf(word.text).length)
  const heard = lettersOf(words.map(word => `${word.text} `).join(''))
  if (own.length === 0) return given
  const compared = { text, own, heard, same: sameLetters(heard, own) }
  if (isCut(compared)) return given
  if (missingLetters(compared) > own.length * maxMissingShare) return []
  let letter = 0
  let cut = 0
  const cuts = lengths.map(length => {
    cut = Math.max(cut, letter === 0 ? 0 : offsetOf(beginOf(letter, compared), compared))
    letter += length
    return cut
  })
  return joinPieces(words.map((word, i) => ({ ...word, text: text.slice(cuts[i], cuts[i + 1]) })))
}

function isCut({ text, own, heard, same }: Comparison): boolean {
  if (heard.length < own.length * cutRatio + cutLetters || /\p{N}/u.test(text)) return false
  return same.filter(index => index >= 0).length === own.length
}

/** Letters of the text that no letters of the words stand for. */
function missingLetters({ own, heard, same }: Comparison): number {
  let missing = 0
  let [from, at] = [0, 0]
  for (let next = 0; next <= heard.length; next++) {
    const index = next < heard.length ? same[next]! : own.length
    if (index < 0) continue
    missing += Math.max(0, index - at - maxLettersPerLetter * (next - from))
    from = next + 1
    at = index + 1
  }
  return missing
}

/** The letter of the text with which the word begins that begins with this letter of its own. */
function beginOf(letter: number, compared: Comparison): number {
  const { own, heard, same } = compared
  let [start, end] = [letter, letter]
  while (start > 0 && same[start - 1]! < 0) start--
  while (end < heard.length && same[end]! < 0) end++
  // Letters `[start, end)` of the words take the place of the letters `[from, to)` of the text.
  const from = start === 0 ? 0 : same[start - 1]! + 1
  const to = end === heard.length ? own.length : same[end]!
  const isSpaced = (at: number) => /\s/.test(gapBefore(at, compared))
  const letters = Array.from({ length: to - from + 1 }, (_, i) => from + i)
  // Letters that no word has belong to the word that they touch.
  if (start === end) return letters.findLast(isSpaced) ?? to
  if (letter === start) return from
  if (letter === end) return to
  const target = from + ((letter - start) / (end - start)) * (to - from)
  const spaced = letters.slice(1, -1).filter(isSpaced)
  return spaced.toSorted((a, b) => Math.abs(a - target) - Math.abs(b - target))[0] ?? Math.round(target)
}

/** Divides the gap before a letter: spaces and marks belong to the word before, opening marks to the word after. */
function offsetOf(at: number, compared: Comparison): number {
  const letter = compared.own[at]
  if (!letter) return compared.text.length
  const gap = gapBefore(at, compared)
  const opening = (/\s/.test(gap) ? /\S*$/ : /[\p{Ps}\p{Pi}¿¡]*$/u).exec(gap)![0]
  return letter.start - opening.length
}

function gapBefore(at: number, { text, own }: Comparison): string {
  return text.slice(own[at - 1]?.end ?? 0, own[at]?.start ?? text.length)
}

/** Scripts without spaces, in which each piece is a word. */
const unspaced =
  '\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Bopo}\\p{scx=Thai}\\p{scx=Lao}\\p{scx=Khmr}\\p{scx=Mymr}'
const endsAsPiece = new RegExp(`(?![${unspaced}])[\\p{L}\\p{N}]\\p{M}*['’]?$`, 'u')
const beginsAsPiece = new RegExp(`^['’]?(?![${unspaced}])[\\p{L}\\p{N}]`, 'u')

/** Makes one word of pieces between which the text has nothing. */
function joinPieces<W extends RawWord>(pieces: W[]): W[] {
  const words: W[] = []
  for (const piece of pieces) {
    const last = words.at(-1)
    const isRest = piece.text === '' || (endsAsPiece.test(last?.text ?? '') && beginsAsPiece.test(piece.text))
    if (last && isRest && last.speaker === piece.speaker) {
      last.text += piece.text
      last.start ??= piece.start
      last.end = piece.end ?? last.end
    } else if (piece.text !== '') words.push({ ...piece })
  }
  return words
}
