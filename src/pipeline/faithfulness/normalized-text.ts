// What of a text is said and not merely written: its letters, one after the other, without case, marks and blanks.

/** What lies between a letter and the one before it: a joint holds a word together (an apostrophe, a hyphen, a dot), a mark does not. */
export const [none, joint, mark, blank, line] = [0, 1, 2, 3, 4] as const

export interface Letters {
  text: string
  /** Folded, one UTF-16 unit a letter or a part of one. */
  stream: string
  /** Where in the text the sign lies that each unit comes from: `[start, end)` in UTF-16 units. */
  start: Int32Array
  end: Int32Array
  /** Before each unit, the strongest of what lies there. The first has a line break. */
  border: Uint8Array
}

/** Signs with the marks on them; Korean and half-width Japanese also in parts. */
const sign =
  /[\u1100-\u115f][\u1160-\u11a7]?[\u11a8-\u11ff]?|[\uff66-\uff9d][\uff9e\uff9f]?|[\p{L}\p{N}]\p{M}*|\p{M}+|[\s\S]/gu
/** Letters, numbers, and symbols that are spoken or carry meaning. */
const spoken = /^[\p{L}\p{M}\p{N}\p{Sc}\p{Sm}\p{So}%&@#§٪‰‱′″]/u
const digit = /\p{N}/u
const number = /^[\p{N}\p{Sc}]/u
const whitespace = /^\s/
/** Apostrophes, hyphens, dots, signs without a width. */
const inWords = /^(?:['’ʼ`´.·•\u2010\u2011\u05f3\u05f4-]|\p{Cf})/u
const dashes = /[-\u2010-\u2015\u2212]/g
/** Other forms of the same signs: wide and narrow, joined Arabic, ligatures. Not ² or ½, which are other numbers. */
const otherForms = /[\uf900-\ufaff\ufb00-\ufdff\ufe70-\ufefe\uff00-\uffef]+/g
/** Lengthens an Arabic word on paper; chooses the look of a sign. */
const onlyLook = /\u0640|[\ufe00-\ufe0f]/g
/** Without its apostrophe another word: were, well, ill, id, hell, shell, shed. */
const otherWord = /^(?:we['’](?:re|ll|d)|s?he['’](?:ll|d)|i['’](?:ll|d)|who['’]re)$/iu
const aroundApostrophe = /(?<!\p{L})(?:we|she|he|i|who)['’](?:re|ll|d)(?!\p{L})/giu

/**
 * Reads a text. `apostrophes` says that its writer sets them, so that "were" is not "we're"; a recogniser that sets none
 * means either.
 */
export function lettersOf(text: string, apostrophes: boolean): Letters {
  const stream: string[] = []
  const start: number[] = []
  const end: number[] = []
  const border: number[] = []
  const kept = apostrophes ? apostrophesThatCount(text) : new Set<number>()
  let between: number = line
  /** Where the marks began that lie before the next letter. */
  let marks = -1

  function push(folded: string, from: number, to: number, before: number): void {
    for (let i = 0; i < folded.length; i++) {
      stream.push(folded[i]!)
      start.push(from)
      end.push(to)
      border.push(i === 0 ? before : none)
    }
  }

  for (const { 0: raw, index } of text.matchAll(sign)) {
    const folded = fold(raw)
    // A hyphen may be a mark; a minus is a word.
    const isKept = kept.has(index) || raw === '\u2212'
    if (folded !== '' && !spoken.test(folded) && !isKept) {
      between = Math.max(between, kindOf(folded))
      if (marks < 0) marks = index
      continue
    }
    if (folded === '') continue
    // 3.5 is not 35, nor is -5 five.
    const separator =
      marks < 0 || !number.test(folded) ? '' : separatorBefore(text, index, marks, between, stream.at(-1))
    if (separator) {
      push(separator, index - 1, index, between < blank && digit.test(stream.at(-1) ?? '') ? none : between)
      push(folded, index, index + raw.length, none)
    } else push(folded, index, index + raw.length, between)
    between = none
    marks = -1
  }
  return {
    text,
    stream: stream.join(''),
    start: Int32Array.from(start),
    end: Int32Array.from(end),
    border: Uint8Array.from(border),
  }
}

function kindOf(sign: string): number {
  if (whitespace.test(sign)) return /[\n\r\u2028\u2029]/.test(sign) ? line : blank
  return inWords.test(sign) ? joint : mark
}

/** What belongs to a number and stands before its digit or its currency: what parts it from another digit, or its sign. */
function separatorBefore(
  text: string,
  index: number,
  marks: number,
  between: number,
  last: string | undefined,
): string {
  const signs = fold(text.slice(marks, index)).replace(dashes, '-')
  if (last !== undefined && digit.test(last)) {
    if (between < blank) return signs
    return signs.includes('-') ? '-' : ''
  }
  // As much as tells: a search for the end of a text would walk all of it, for each number.
  const before = text.slice(Math.max(0, index - 4), index)
  // covid-19 is a name; in scripts without blanks a number stands behind its word.
  if (/[-\u2010-\u2013]$/.test(before))
    return /\p{L}.$/u.test(before) && !closeScript.test(before.at(-2)!) ? '' : '-'
  return /(?:^|[\s\p{Ps}\p{Pi}"'])\.$/u.test(before) ? '.' : ''
}

function apostrophesThatCount(text: string): Set<number> {
  const places = new Set<number>()
  for (const { 0: word, index } of text.matchAll(aroundApostrophe))
    if (otherWord.test(word)) places.add(index + word.search(/['’]/))
  return places
}

/** The same for all forms of a sign; the four Turkish letters are told apart by `sameWords`. */
function fold(raw: string): string {
  const known = folds.get(raw)
  if (known !== undefined) return known
  const folded = foldAnew(raw)
  if (raw.length <= longestSign && folds.size < mostSigns) folds.set(raw, folded)
  return folded
}

/** A text is made of few signs, and each is looked up in a long list of rules. */
const folds = new Map<string, string>()
const [longestSign, mostSigns] = [8, 5_000]

function foldAnew(raw: string): string {
  const composed = raw.normalize('NFC').replace(otherForms, form => form.normalize('NFKC'))
  return composed
    .replace(/[İI]/g, 'i')
    .toLowerCase()
    .replace(/ı|i\u0307/g, 'i')
    .replace(/ς/g, 'σ')
    .replace(/’/g, "'")
    .replace(/\u2212/g, '-')
    .replace(onlyLook, '')
}

/** The capital of i is I or İ, that of ı is I: i and ı are two letters wherever both are used. */
const otherLetters = new Set(['iı', 'ıi', 'Iİ', 'İI', 'ıİ', 'İı'])

/** Scripts whose words stand close, or whose spacing is a matter of taste (Korean). */
export const closeScript =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Hangul}ー々〆]/u

export function isClose(letters: Letters, at: number): boolean {
  return closeScript.test(letters.stream[at] ?? '')
}

/** True where a word may begin: at either end of the text, behind blanks and marks, between signs of a close script. */
export function isWordBorder(letters: Letters, at: number): boolean {
  const { stream, border, start } = letters
  if (at <= 0 || at >= stream.length || border[at]! >= mark) return true
  return start[at] !== start[at - 1] && (isClose(letters, at) || isClose(letters, at - 1))
}

/** 5 % is 5%. */
function isLoose(letters: Letters, at: number): boolean {
  return isClose(letters, at) || /[%°\p{Sc}]/u.test(letters.stream[at] ?? '')
}

/** Whether two runs of letters that are the same are also the same words: parted where the others are parted. */
export function sameWords(a: Letters, from: number, b: Letters, at: number, length: number): boolean {
  if (!isWordBorder(a, from) || !isWordBorder(a, from + length)) return false
  if (!isWordBorder(b, at) || !isWordBorder(b, at + length)) return false
  for (let i = 0; i < length; i++) {
    const [x, y] = [from + i, at + i]
    if (a.stream[x] === 'i' && otherLetters.has(a.text[a.start[x]!]! + b.text[b.start[y]!]!)) return false
    if (i === 0) continue
    const [left, right] = [a.border[x]!, b.border[y]!]
    if (left === right || (left > none && right > none)) continue
    // One of them has nothing there: that is the same as a joint, and as a blank only where blanks say nothing.
    if (Math.max(left, right) > joint && !isLoose(a, x) && !isLoose(a, x - 1)) return false
  }
  return true
}

/**
 * Where to cut a text between two letters, the first ending at `from`, the second beginning at `to`: marks stay with
 * the word before them, opening ones go with the word behind.
 */
export function cutBetween(text: string, from: number, to: number): number {
  const gap = text.slice(from, to)
  if (gap === '' || gap === ' ') return to
  const behind = gap.search(/\S*$/)
  if (behind > 0) return from + behind
  return to - (/[\p{Ps}\p{Pi}¿¡]*$/u.exec(gap)?.[0].length ?? 0)
}

/** The first of the starts, which are in order, that is not before an offset. */
export function firstFrom(starts: Int32Array, offset: number): number {
  let [low, high] = [0, starts.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (starts[middle]! < offset) low = middle + 1
    else high = middle
  }
  return low
}
