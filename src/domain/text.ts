// Joins text in any script without false spaces, splits it into sentences, and takes control characters out of it.

/** Han, kana, bopomofo with their punctuation and full-width forms: scripts without spaces. Hangul has spaces. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\u3000-\u30ff\uff00-\uffef]/u
const letter = /[\p{L}\p{M}]/u
/** Marks of spaced scripts, which are followed by a space. */
const spacedMark = /[.,;:!?]/

/** Joins two stretches of text: with a space between words, without one where the script has none. */
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
  // A pattern would be tried at each character before.
  return text.slice(/[\udc00-\udfff]/.test(text.at(-1)!) ? -2 : -1)
}

function firstCharacter(text: string): string {
  return String.fromCodePoint(text.codePointAt(0)!)
}

/** Control characters except line breaks and tabs, with the rest of a sequence like `ESC [31m`; marks of direction. */
const controls = /(?:[^\P{Cc}\n\t\r](?:\[[0-?]*[ -/]*[@-~])?|[\r\u202a-\u202e\u2066-\u2069])+/gu

/** Text from outside without the characters that move a terminal's cursor or disguise what follows. */
export function withoutControls(text: string): string {
  return text.replace(controls, ' ')
}

/** The same as one line, so that a name cannot pass for further lines of the text around it. */
export function asLine(text: string): string {
  return withoutControls(text).replace(/\s+/gu, ' ').trim()
}

/** A line of at most 200 characters, for a title or a name. */
export function oneLine(text: string): string {
  return [...asLine(text)].slice(0, 200).join('')
}

/** Includes the danda of Hindi and the marks of Arabic script. */
const sentenceEnd = /[.!?…।؟۔]+["'”’)\]]*(?=\s|$)|[。！？]+[”’」』）]*/gu
/** An initial, a common abbreviation, or letters separated by dots (U.S., p.m., Ph.D.). */
const abbreviation = /(?:^|[\s("'“])(?:\p{Lu}|Mr|Mrs|Ms|Dr|Prof|St|vs|(?:\p{L}{1,2}\.)+\p{L}{1,2})$/u

/** Splits a text into sentences. A full stop after an abbreviation or before a lower-case letter ends none. */
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
  return isNumber || /^\s+\p{Ll}/u.test(after) || abbreviation.test(before)
}

/** A path as people and clients write it, without spaces and the quotes around it. */
export function withoutQuotes(given: string): string {
  return given.trim().replace(/^(["'“‘`])(.*)(["'”’`])$/s, '$2')
}

/** Such as `1 speaker` and `2 speakers`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
