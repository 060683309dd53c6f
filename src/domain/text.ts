// Joins text in any script without false spaces, and shortens text to one line.

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
  return String.fromCodePoint(
    text.codePointAt(/[\udc00-\udfff]$/.test(text) ? text.length - 2 : text.length - 1)!,
  )
}

function firstCharacter(text: string): string {
  return String.fromCodePoint(text.codePointAt(0)!)
}

/** Returns a text as one line of at most 200 characters, so that a title cannot break a result that a model reads. */
export function oneLine(text: string): string {
  return [...text.replace(/[\s\p{Cc}]+/gu, ' ').trim()].slice(0, 200).join('')
}
