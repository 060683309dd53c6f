// Splits text into search terms, in the same way for the index and for queries.

const termChar = '[\\p{L}\\p{M}\\p{N}]'
/** Scripts without spaces between words. Each character is a term, so that any substring matches without a dictionary. */
const unspacedScript =
  '[\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Bopo}\\p{scx=Thai}\\p{scx=Laoo}\\p{scx=Khmr}\\p{scx=Mymr}]'
const unspacedChar = new RegExp(`[${termChar}&&${unspacedScript}]`, 'gv')
const termStart = new RegExp(`(?<!${termChar})${termChar}|[${termChar}&&${unspacedScript}]`, 'gv')
const separator = new RegExp(`[^${termChar}]+`, 'gv')
/** Accents of Latin, Greek and Cyrillic, and the vowel points of Hebrew and Arabic. */
const accents =
  /[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]/gu
const ascii = /^[\0-\x7f]*$/

/** Terms separated and surrounded by spaces; only spaces for a text without terms. */
export function terms(text: string): string {
  // Fast path: most of a long English transcript is ASCII.
  if (ascii.test(text)) return text.toLowerCase().replace(/[^a-z0-9]+/g, ' ')
  return fold(text).replace(separator, ' ').replace(unspacedChar, ' $& ')
}

/** Goes through upper case: ß and SS, and the dotted and dotless i, share their capitals. */
function fold(text: string): string {
  return text
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKD')
    .replace(accents, '')
    .replaceAll('ς', 'σ')
    .normalize('NFC')
}

export interface Phrase {
  /** Terms separated by a space. */
  terms: string
  /** True if the last term is a prefix. */
  isPrefix: boolean
}

/** A longer query costs seconds in a large library, and its first terms leave few transcripts. */
const maxQueryTerms = 32

/**
 * The different phrases of a query, all of which have to match; empty for a query without a word. Ignores all but the
 * first 32 terms.
 */
export function phrasesOf(query: string): Phrase[] {
  const parts = query.replace(/[“”„«»「」『』]/g, '"').matchAll(/"([^"]*)"|[^\s"]+/g)
  const phrases = new Map<string, Phrase>()
  let left = maxQueryTerms
  for (const [word, quoted] of parts) {
    const isPrefix = quoted === undefined
    const found = (terms(quoted ?? word).match(/\S+/g) ?? []).slice(0, left)
    const key = `${isPrefix} ${found.join(' ')}`
    if (found.length === 0 || phrases.has(key)) continue
    phrases.set(key, { terms: found.join(' '), isPrefix })
    left -= found.length
  }
  return [...phrases.values()]
}

/** Terms of a text for `hasPhrase`, with single spaces between and around them. */
export function spacedTerms(text: string): string {
  return ` ${terms(text)} `.replace(/ {2,}/g, ' ')
}

/** True if the phrase occurs in the spaced terms of a text. */
export function hasPhrase(spaced: string, { terms, isPrefix }: Phrase): boolean {
  return spaced.includes(` ${terms}${isPrefix ? '' : ' '}`)
}

/** Where the phrase begins in a text (UTF-16 units); 0 if it does not occur. */
export function startOfPhrase(text: string, { terms, isPrefix }: Phrase): number {
  const wanted = ` ${terms}${isPrefix ? '' : ' '}`
  const starts = [...text.matchAll(termStart)].map(({ index }) => index)
  return starts.find(start => spacedTerms(text.slice(start)).startsWith(wanted)) ?? 0
}
