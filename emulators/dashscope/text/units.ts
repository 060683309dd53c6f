// How the stand-in sees a text: words where blanks part them, and what a dictionary calls words where they do not.

export interface Unit {
  /** A word with the marks that stand at it. */
  text: string
  /** The blanks behind it. */
  gap: string
}

const SIGNS = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}'
const RUNS = '\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}'
const UNSPACED = new RegExp(`[${SIGNS}${RUNS}]`, 'u')
// A sign of Chinese or Japanese, a few of Thai and its like, or whatever else stands between blanks.
const WORD = `\\s*(?:[${SIGNS}]|[${RUNS}]{1,4}|[^\\s${SIGNS}${RUNS}]+)(?:\\s+$)?`
const PIECE = new RegExp(`${WORD}|^\\s+$`, 'gu')

// The dictionaries go by script; the language changes nothing.
const segmenter = new Intl.Segmenter('ja', { granularity: 'word' })

/** Blanks at the beginning are lost, nothing else. */
export function unitsOf(text: string): Unit[] {
  const units: Unit[] = []
  for (const [, run = '', gap = ''] of text.matchAll(/(\S+)(\s*)/g)) {
    const words = UNSPACED.test(run) ? cut(run) : [run]
    for (const [at, word] of words.entries()) {
      units.push({ text: word, gap: at === words.length - 1 ? gap : '' })
    }
  }
  return units
}

export function joined(units: Unit[]): string {
  return units.map(({ text, gap }) => text + gap).join('')
}

/** What of it is a word, without the marks and as a small letter; empty for marks alone. */
export function lettersOf(unit: Unit | undefined): string {
  return unit?.text.replace(/[^\p{L}\p{M}\p{N}]/gu, '').toLowerCase() ?? ''
}

/** Words, or tokens if one likes, as far as latency and usage are concerned. */
export function countWords(text: string): number {
  return text.match(PIECE)?.length ?? 0
}

/** Pieces of about so many words; together they are the text. */
export function piecesOf(text: string, words: number): string[] {
  const single = text.match(PIECE) ?? []
  const pieces: string[] = []
  for (let at = 0; at < single.length; at += words) pieces.push(single.slice(at, at + words).join(''))
  return pieces
}

// Marks go with the word before them, opening ones with the word behind.
function cut(run: string): string[] {
  const words: string[] = []
  let opening = ''
  for (const { segment, isWordLike } of segmenter.segment(run)) {
    if (isWordLike || words.length === 0) {
      words.push(opening + segment)
      opening = ''
    } else if (/^[\p{Ps}\p{Pi}]$/u.test(segment)) opening += segment
    else if (opening) opening += segment
    else words[words.length - 1] += segment
  }
  if (opening) words[words.length - 1] += opening
  return words
}
