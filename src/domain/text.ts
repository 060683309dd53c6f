// Text in any script: joining without false spaces, splitting into tokens and sentences, sizes in tokens.

/** Han, kana, bopomofo and their punctuation and full-width forms: scripts written without spaces. Hangul is not. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\u3000-\u30ff\uff00-\uffef]/u
const letter = /[\p{L}\p{M}]/u
/** Marks of the other scripts, which want a space behind them. */
const spacedMark = /[.,;:!?]/

/** Joins two pieces of speech: a space between words, none where the script has none. */
export function joinText(left: string, right: string): string {
  const head = left.trimEnd()
  const tail = right.trimStart()
  if (!head || !tail) return head + tail
  const last = lastCharacter(head)
  const first = firstCharacter(tail)
  const tight =
    (unspaced.test(last) && !spacedLetter(first)) ||
    (unspaced.test(first) && !spacedLetter(last) && !spacedMark.test(last))
  return tight ? head + tail : `${head} ${tail}`
}

function spacedLetter(character: string): boolean {
  return letter.test(character) && !unspaced.test(character)
}

function lastCharacter(text: string): string {
  return String.fromCodePoint(
    text.codePointAt(/[\udc00-\udfff]$/.test(text) ? text.length - 2 : text.length - 1)!,
  )
}

function firstCharacter(text: string): string {
  return String.fromCodePoint(text.codePointAt(0)!)
}

/** A piece of a text that is compared as one: a word, or one character where words are not separated. */
export interface Token {
  /** Lower case, without punctuation: what two hearings of one word have in common. */
  key: string
  /** Where the token, with the punctuation that hangs on it, begins and ends in the text (UTF-16 units). */
  start: number
  end: number
}

const ideograph = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Bopomofo}'
const tokenPattern = new RegExp(`[${ideograph}]|[^\\s${ideograph}]+`, 'gu')
/** Thai, Lao, Khmer and Burmese write their words without spaces; only a dictionary can part them. */
const unparted = /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
let segmenter: Intl.Segmenter | undefined
const leadingMarks = /^[^\p{L}\p{M}\p{N}]+/u

/** Splits a text into tokens, each with the punctuation behind it. */
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
  for (const { 0: run, index } of text.matchAll(tokenPattern)) {
    if (!unparted.test(run)) {
      yield { run, index }
      continue
    }
    segmenter ??= new Intl.Segmenter('th', { granularity: 'word' })
    for (const part of segmenter.segment(run)) yield { run: part.segment, index: index + part.index }
  }
}

function keyOf(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]/gu, '')
}

/** With the danda of Hindi, and the marks of Arabic script. */
const sentenceEnd = /[.!?…।؟۔]+["'”’)\]]*(?=\s|$)|[。！？]+[”’」』）]*/gu
/** An initial, a common short form, letters parted by dots (U.S., p.m., Ph.D.). */
const shortForm = /(?:^|[\s("'“])(?:\p{Lu}|Mr|Mrs|Ms|Dr|Prof|St|vs|(?:\p{L}{1,2}\.)+\p{L}{1,2})$/u

/** Splits a text into sentences; a full stop after a short form or before a small letter does not end one. */
export function sentences(text: string): string[] {
  const parts: string[] = []
  let from = 0
  for (const { 0: mark, index } of text.matchAll(sentenceEnd)) {
    const end = index + mark.length
    if (mark === '.' && goesOn(text.slice(from, index), text.slice(end, end + 10))) continue
    parts.push(text.slice(from, end).trim())
    from = end
  }
  parts.push(text.slice(from).trim())
  return parts.filter(part => part !== '')
}

function goesOn(before: string, after: string): boolean {
  const isNumber = /\bNo$/.test(before) && /^\s+\d/.test(after)
  return isNumber || /^\s+\p{Ll}/u.test(after) || shortForm.test(before)
}

/** About how many tokens a language model counts: four characters of Latin script, one of Chinese or Japanese. */
export function estimateTokens(text: string): number {
  let quarters = 0
  for (const character of text) quarters += tokenQuarters(character)
  return Math.ceil(quarters / 4)
}

/** A character's size in quarters of a token: 1 for ASCII and Latin, 2 for other alphabets, 4 for the rest. */
export function tokenQuarters(character: string): number {
  const code = character.codePointAt(0)!
  if (code < 0x250) return 1
  return code < 0x1100 ? 2 : 4
}

/** A text as a title: one line of at most 200 characters, as it stands between facts in a text that a model reads. */
export function oneLine(text: string): string {
  return [...text.replace(/[\s\p{Cc}]+/gu, ' ').trim()].slice(0, 200).join('')
}

/** `3:07`, or `1:02:03` from an hour on. */
export function formatTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
