// Splits text in any script into tokens for comparison. `models/model-tokens.ts` has the tokens that a language model counts.

/** A unit of comparison: a word, or one character in scripts that do not separate words. */
export interface Token {
  /** Lower case, without punctuation: equal for two spellings of the same word. */
  key: string
  /** `[start, end)` of the token in the text (UTF-16 units), trailing punctuation included. */
  start: number
  end: number
}

const ideograph = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Bopomofo}'
const tokenPattern = new RegExp(`[${ideograph}]|[^\\s${ideograph}]+`, 'gu')
/** Thai, Lao, Khmer and Burmese put no spaces between words; only a dictionary can split them. */
const needsDictionary = /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
let segmenter: Intl.Segmenter | undefined
const leadingMarks = /^[^\p{L}\p{M}\p{N}]+/u

/** Splits a text into tokens, each with the punctuation that follows it. */
export function tokens(text: string): Token[] {
  const found: Token[] = []
  for (const { run, index } of runs(text)) {
    const previous = found.at(-1)
    // Marks that touch the token before them belong to it: 「好，」, not 「，」 and a word.
    const marks = previous?.end === index ? (run.match(leadingMarks)?.[0].length ?? 0) : 0
    if (previous && marks) previous.end += marks
    const key = keyOf(run)
    if (key) found.push({ key, start: index + marks, end: index + run.length })
  }
  return found
}

function* runs(text: string): Generator<{ run: string; index: number }> {
  const mayNeedDictionary = needsDictionary.test(text)
  for (const { 0: run, index } of text.matchAll(tokenPattern)) {
    if (!mayNeedDictionary || !needsDictionary.test(run)) {
      yield { run, index }
      continue
    }
    segmenter ??= new Intl.Segmenter('th', { granularity: 'word' })
    for (const part of segmenter.segment(run)) yield { run: part.segment, index: index + part.index }
  }
}

function keyOf(text: string): string {
  // Fast path: most words of an English transcript.
  if (/^[\0-\x7f]*$/.test(text)) return text.toLowerCase().replace(/[^a-z0-9]/g, '')
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]/gu, '')
}
