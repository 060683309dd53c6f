// Splits text into words: by spaces, or by dictionary in scripts without spaces.
export interface Word {
  /** A word with its punctuation. */
  text: string
  /** The whitespace after it. */
  gap: string
}

const hanAndKana = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}'
const unspacedRuns = '\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}'
const unspaced = new RegExp(`[${hanAndKana}${unspacedRuns}]`, 'u')
// One Chinese or Japanese character, up to four of Thai and similar scripts, or a run without spaces.
const wordPattern = `\\s*(?:[${hanAndKana}]|[${unspacedRuns}]{1,4}|[^\\s${hanAndKana}${unspacedRuns}]+)(?:\\s+$)?`
const piecePattern = new RegExp(`${wordPattern}|^\\s+$`, 'gu')

// The dictionaries depend on the script, not on the locale.
const segmenter = new Intl.Segmenter('ja', { granularity: 'word' })

/** Drops only leading whitespace. */
export function splitWords(text: string): Word[] {
  const words: Word[] = []
  for (const [, run = '', gap = ''] of text.matchAll(/(\S+)(\s*)/g)) {
    const parts = unspaced.test(run) ? segment(run) : [run]
    for (const [at, part] of parts.entries()) {
      words.push({ text: part, gap: at === parts.length - 1 ? gap : '' })
    }
  }
  return words
}

export function joinWords(words: Word[]): string {
  return words.map(({ text, gap }) => text + gap).join('')
}

/** The word in lower case without punctuation; empty for punctuation alone. */
export function normalizedWord(word: Word | undefined): string {
  return word?.text.replace(/[^\p{L}\p{M}\p{N}]/gu, '').toLowerCase() ?? ''
}

/** Number of words, for latency and usage. */
export function countWords(text: string): number {
  return text.match(piecePattern)?.length ?? 0
}

/** Splits text into pieces of about `words` words; joined they are the text. */
export function piecesOf(text: string, words: number): string[] {
  const single = text.match(piecePattern) ?? []
  const pieces: string[] = []
  for (let at = 0; at < single.length; at += words) pieces.push(single.slice(at, at + words).join(''))
  return pieces
}

// Punctuation joins the word before it, opening punctuation the word after it.
function segment(run: string): string[] {
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
