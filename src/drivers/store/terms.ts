// What of a transcript is found by which words, the same for what is indexed and for the query.

const letters = '[\\p{L}\\p{M}\\p{N}]'
/** Scripts that do not part words. Each character is a term, so any run of them is found, whatever a dictionary says. */
const unspaced =
  '[\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Bopo}\\p{scx=Thai}\\p{scx=Laoo}\\p{scx=Khmr}\\p{scx=Mymr}]'
const unspacedLetter = new RegExp(`[${letters}&&${unspaced}]`, 'gv')
const between = new RegExp(`[^${letters}]+`, 'gv')
/** Accents of Latin, Greek and Cyrillic, and the vowel points of Hebrew and Arabic. */
const accents =
  /[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]/gu
const ascii = /^[\0-\x7f]*$/

/** A text as terms with blanks between and around them; nothing but blanks when it has none. */
export function terms(text: string): string {
  // Most of a long English transcript takes this short way.
  if (ascii.test(text)) return text.toLowerCase().replace(/[^a-z0-9]+/g, ' ')
  return folded(text).replace(between, ' ').replace(unspacedLetter, ' $& ')
}

/** Upper case first: ß and SS, and the dotted and dotless i, have the same capitals. */
function folded(text: string): string {
  return text
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKD')
    .replace(accents, '')
    .replaceAll('ς', 'σ')
    .normalize('NFC')
}

export interface Phrase {
  /** Terms with a blank between them. */
  terms: string
  /** True where the last of them may go on. */
  isOpen: boolean
}

/** What a query wants, all of it; none for one without a word. */
export function phrasesOf(query: string): Phrase[] {
  const parts = query.replace(/[“”„«»「」『』]/g, '"').matchAll(/"([^"]*)"|[^\s"]+/g)
  return [...parts].flatMap(([word, quoted]) => {
    const phrase = terms(quoted ?? word).trim()
    return phrase ? [{ terms: phrase, isOpen: quoted === undefined }] : []
  })
}
