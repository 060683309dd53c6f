// Normalises text to comparable characters without case, punctuation and spaces, keeping each one's offset.

/**
 * Kinds of boundary between a character and the one before it, by strength. A joiner (apostrophe, hyphen, dot) may stand
 * within a word, punctuation may not.
 */
export const [none, joiner, punctuation, space, lineBreak] = [0, 1, 2, 3, 4] as const

export interface NormalizedText {
  text: string
  /** The comparable characters, case-folded; offsets into it count UTF-16 units. */
  chars: string
  /** For each unit of `chars`, `[start, end)` of its original character in `text` (UTF-16 units). */
  start: Int32Array
  end: Int32Array
  /** For each unit of `chars`, the strongest boundary before it; a line break before the first. */
  boundaries: Uint8Array
}

/** Characters with their combining marks, including Korean and half-width Japanese in parts. */
const characterPattern =
  /[\u1100-\u115f][\u1160-\u11a7]?[\u11a8-\u11ff]?|[\uff66-\uff9d][\uff9e\uff9f]?|[\p{L}\p{N}]\p{M}*|\p{M}+|[\s\S]/gu
/** Letters, numbers, and symbols that are spoken or carry meaning. */
const spokenCharacter = /^[\p{L}\p{M}\p{N}\p{Sc}\p{Sm}\p{So}%&@#§٪‰‱′″]/u
const digit = /\p{N}/u
const number = /^[\p{N}\p{Sc}]/u
const whitespace = /^\s/
/** Apostrophes, hyphens, dots, zero-width characters. */
const joinerCharacter = /^(?:['’ʼ`´.·•\u2010\u2011\u05f3\u05f4-]|\p{Cf})/u
const dashes = /[-\u2010-\u2015\u2212]/g
/** Full-width and half-width forms, Arabic presentation forms, ligatures. Not ² or ½, which are different numbers. */
const compatibilityForms = /[\uf900-\ufaff\ufb00-\ufdff\ufe70-\ufefe\uff00-\uffef]+/g
/** The Arabic tatweel and variation selectors, which change appearance only. */
const appearanceOnly = /\u0640|[\ufe00-\ufe0f]/g
/** Becomes another word without its apostrophe: were, well, ill, id, hell, shell, shed. */
const ambiguousContraction = /^(?:we['’](?:re|ll|d)|s?he['’](?:ll|d)|i['’](?:ll|d)|who['’]re)$/iu
const contraction = /(?<!\p{L})(?:we|she|he|i|who)['’](?:re|ll|d)(?!\p{L})/giu

/**
 * Normalises a text. `apostrophes` means that its author writes them, so that "were" is not "we're". Without them, a
 * recogniser's "were" may stand for either.
 */
export function normalizeText(text: string, apostrophes: boolean): NormalizedText {
  const chars: string[] = []
  const start: number[] = []
  const end: number[] = []
  const boundaries: number[] = []
  const significant = apostrophes ? significantApostrophes(text) : new Set<number>()
  let boundary: number = lineBreak
  /** Start of the punctuation and spaces before the next character; -1 for none. */
  let gapStart = -1

  function push(folded: string, from: number, to: number, before: number): void {
    for (let i = 0; i < folded.length; i++) {
      chars.push(folded[i]!)
      start.push(from)
      end.push(to)
      boundaries.push(i === 0 ? before : none)
    }
  }

  for (const { 0: raw, index } of text.matchAll(characterPattern)) {
    const folded = fold(raw)
    // A hyphen may be punctuation; a minus is a word.
    const isSignificant = significant.has(index) || raw === '\u2212'
    if (folded !== '' && !spokenCharacter.test(folded) && !isSignificant) {
      boundary = Math.max(boundary, boundaryKind(folded))
      if (gapStart < 0) gapStart = index
      continue
    }
    if (folded === '') continue
    // 3.5 is not 35, nor is -5 five.
    const prefix =
      gapStart < 0 || !number.test(folded) ? '' : numberPrefix(text, index, gapStart, boundary, chars.at(-1))
    if (prefix) {
      push(prefix, index - 1, index, boundary < space && digit.test(chars.at(-1) ?? '') ? none : boundary)
      push(folded, index, index + raw.length, none)
    } else push(folded, index, index + raw.length, boundary)
    boundary = none
    gapStart = -1
  }
  return {
    text,
    chars: chars.join(''),
    start: Int32Array.from(start),
    end: Int32Array.from(end),
    boundaries: Uint8Array.from(boundaries),
  }
}

function boundaryKind(character: string): number {
  if (whitespace.test(character)) return /[\n\r\u2028\u2029]/.test(character) ? lineBreak : space
  return joinerCharacter.test(character) ? joiner : punctuation
}

/** Returns the start of a number: a separator after another digit, a sign, or a leading point. */
function numberPrefix(
  text: string,
  index: number,
  gapStart: number,
  boundary: number,
  last: string | undefined,
): string {
  const separator = fold(text.slice(gapStart, index)).replace(dashes, '-')
  if (last !== undefined && digit.test(last)) {
    if (boundary < space) return separator
    return separator.includes('-') ? '-' : ''
  }
  // A short slice, since a pattern with `$` walks the whole text for each number.
  const before = text.slice(Math.max(0, index - 4), index)
  // covid-19 is a name; in unspaced scripts a number directly follows a word.
  if (/[-\u2010-\u2013]$/.test(before))
    return /\p{L}.$/u.test(before) && !unspacedScript.test(before.at(-2)!) ? '' : '-'
  return /(?:^|[\s\p{Ps}\p{Pi}"'])\.$/u.test(before) ? '.' : ''
}

function significantApostrophes(text: string): Set<number> {
  const offsets = new Set<number>()
  for (const { 0: word, index } of text.matchAll(contraction))
    if (ambiguousContraction.test(word)) offsets.add(index + word.search(/['’]/))
  return offsets
}

/** Folds all forms of a character to one; `sameWords` distinguishes the dotted and dotless i of Turkish. */
function fold(raw: string): string {
  const known = foldCache.get(raw)
  if (known !== undefined) return known
  const folded = foldUncached(raw)
  if (raw.length <= maxCachedChars && foldCache.size < maxCacheEntries) foldCache.set(raw, folded)
  return folded
}

/** A text has few distinct characters, and folding one is slow. */
const foldCache = new Map<string, string>()
const [maxCachedChars, maxCacheEntries] = [8, 5_000]

function foldUncached(raw: string): string {
  const composed = raw.normalize('NFC').replace(compatibilityForms, form => form.normalize('NFKC'))
  return composed
    .replace(/[İI]/g, 'i')
    .toLowerCase()
    .replace(/ı|i\u0307/g, 'i')
    .replace(/ς/g, 'σ')
    .replace(/’/g, "'")
    .replace(/\u2212/g, '-')
    .replace(appearanceOnly, '')
}

/** The capital of i is I or İ, that of ı is I: i and ı are distinct normalized where both are used. */
const distinctLetters = new Set(['iı', 'ıi', 'Iİ', 'İI', 'ıİ', 'İı'])

/** Scripts without spaces between words, or with optional ones (Korean). */
export const unspacedScript =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Hangul}ー々〆]/u

export function isUnspaced(normalized: NormalizedText, at: number): boolean {
  return unspacedScript.test(normalized.chars[at] ?? '')
}

/** True where a word may begin: at both ends, after spaces and punctuation, and beside unspaced characters. */
export function isWordBoundary(normalized: NormalizedText, at: number): boolean {
  const { chars, boundaries, start } = normalized
  if (at <= 0 || at >= chars.length || boundaries[at]! >= punctuation) return true
  return start[at] !== start[at - 1] && (isUnspaced(normalized, at) || isUnspaced(normalized, at - 1))
}

/** True where a space before the character is optional: 5 % is 5%. */
function ignoresSpaces(normalized: NormalizedText, at: number): boolean {
  return isUnspaced(normalized, at) || /[%°\p{Sc}]/u.test(normalized.chars[at] ?? '')
}

/** True if two equal runs of characters have their word boundaries in the same positions. */
export function sameWords(
  a: NormalizedText,
  from: number,
  b: NormalizedText,
  at: number,
  length: number,
): boolean {
  if (!isWordBoundary(a, from) || !isWordBoundary(a, from + length)) return false
  if (!isWordBoundary(b, at) || !isWordBoundary(b, at + length)) return false
  for (let i = 0; i < length; i++) {
    const [x, y] = [from + i, at + i]
    if (a.chars[x] === 'i' && distinctLetters.has(a.text[a.start[x]!]! + b.text[b.start[y]!]!)) return false
    if (i === 0) continue
    const [left, right] = [a.boundaries[x]!, b.boundaries[y]!]
    if (left === right || (left > none && right > none)) continue
    // One of them has no boundary there. That equals a joiner, and a space only where spaces are optional.
    if (Math.max(left, right) > joiner && !ignoresSpaces(a, x) && !ignoresSpaces(a, x - 1)) return false
  }
  return true
}

/**
 * Returns where to cut a text between two characters, the first ending at `from`, the second starting at `to`. Punctuation
 * stays with the word before it; opening brackets and quotes go with the word after.
 */
export function cutBetween(text: string, from: number, to: number): number {
  const gap = text.slice(from, to)
  if (gap === '' || gap === ' ') return to
  const afterSpace = gap.search(/\S*$/)
  if (afterSpace > 0) return from + afterSpace
  return to - (/[\p{Ps}\p{Pi}¿¡]*$/u.exec(gap)?.[0].length ?? 0)
}

/** Returns the index of the first of the ascending `starts` that is not below `offset`, by binary search. */
export function lowerBound(starts: Int32Array, offset: number): number {
  let [low, high] = [0, starts.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (starts[middle]! < offset) low = middle + 1
    else high = middle
  }
  return low
}
