// Corruptions of single words, in any script.
import { seededRandom } from '../../../seeded-random.ts'
import { joinWords, normalizedWord, splitWords, type Word } from '../formatting/words.ts'

const wordsByScript: [RegExp, string[]][] = [
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/gu, ['本当に', '提灯', '川']],
  [/\p{Script=Han}/gu, ['真的', '灯笼', '河流']],
  [/\p{Script=Thai}/gu, ['จริง', 'โคมไฟ', 'แม่น้ำ']],
  [/\p{Script=Arabic}/gu, ['حقا', 'فانوس', 'نهر']],
  [/\p{Script=Cyrillic}/gu, ['действительно', 'фонарь', 'река']],
  [/\p{Script=Latin}/gu, ['really', 'lantern', 'river']],
]
const englishWords = 'the of lantern river under seldom green to bring seven evening with'.split(' ')
const russianWords = 'под фонарь река зелёный редко нести вечер семь из уже тихо дом'.split(' ')

const numberWords = [
  'one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand',
  'один два три четыре пять шесть семь восемь девять десять двадцать тридцать сто тысяча',
  'واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة',
  'หนึ่ง สอง สาม สี่ ห้า หก เจ็ด แปด เก้า สิบ',
].map(list => list.split(' '))
const hanNumbers = [...'一二三四五六七八九十']
const digitZeros = [0x30, 0x660, 0x6f0, 0x966, 0xe50, 0xff10]

const negations = new Set(
  'not no never nor не ни нет никогда nicht kein keine pas لا لم لن ليس ليست ไม่ 不 没 没有 不是'.split(' '),
)

export function dropWord(formatted: string, { at, count = 1 }: { at?: number; count?: number }): string {
  const words = splitWords(formatted)
  const first = wordAt(words, at)
  return joinWords(without(words, first, count))
}

export function addWords(
  formatted: string,
  { at, words: inserted }: { at?: number; words?: string },
): string {
  const words = splitWords(formatted)
  const position = wordAt(words, at)
  const word = words[position]
  if (!word) return inserted ?? ''
  const blank = words.some(({ gap }) => gap === ' ') ? ' ' : ''
  words.splice(position, 0, { text: inserted ?? poolOf(formatted).join(blank), gap: blank })
  return joinWords(words)
}

export function swapWords(formatted: string, { at }: { at?: number }): string {
  const words = splitWords(formatted)
  const positions = words.flatMap((word, position) => (normalizedWord(word) ? [position] : []))
  const differs = (n: number) =>
    normalizedWord(words[positions[n]!]) !== normalizedWord(words[positions[n + 1]!])
  const pairs = positions.slice(0, -1).flatMap((_position, n) => (differs(n) ? [n] : []))
  const n = pairs[Math.floor((at ?? 0.5) * (pairs.length - 1))]
  if (n === undefined) return formatted
  const [left, right] = [words[positions[n]!]!, words[positions[n + 1]!]!]
  const [one, other] = [coreOf(left), coreOf(right)]
  left.text = left.text.replace(one, () => other)
  right.text = right.text.replace(other, () => one)
  return joinWords(words)
}

export function replaceWord(formatted: string, { at, word: given }: { at?: number; word?: string }): string {
  const words = splitWords(formatted)
  const word = words[wordAt(words, at)]
  if (!word) return formatted
  const other = given ?? poolOf(formatted).find(candidate => candidate !== normalizedWord(word))!
  word.text = word.text.replace(coreOf(word), () => other)
  return joinWords(words)
}

export function changeNumber(formatted: string): string {
  const digit = /\p{Nd}/u.exec(formatted)
  if (digit) {
    const code = digit[0].codePointAt(0)!
    const zero = digitZeros.find(first => code >= first && code <= first + 9) ?? code
    const other = String.fromCodePoint(zero + ((code - zero + 1) % 10))
    return formatted.slice(0, digit.index) + other + formatted.slice(digit.index + digit[0].length)
  }
  const words = splitWords(formatted)
  for (const word of words) {
    const list = numberWords.find(numbers => numbers.includes(normalizedWord(word)))
    const sign = hanNumbers.find(number => word.text.includes(number))
    if (list) word.text = word.text.replace(coreOf(word), () => after(list, normalizedWord(word)))
    else if (sign) word.text = word.text.replace(sign, after(hanNumbers, sign))
    else continue
    return joinWords(words)
  }
  return formatted
}

export function dropNegation(formatted: string): string {
  const words = splitWords(formatted)
  for (const [at, word] of words.entries()) {
    if (negations.has(normalizedWord(word))) return joinWords(without(words, at, 1))
    const affirmed = word.text
      .replace(/n['’]t/i, '')
      .replace(/^cannot/i, 'can')
      .replace(/[不没]/u, '')
    if (affirmed === word.text || !affirmed) continue
    word.text = affirmed
    return joinWords(words)
  }
  // The word segmenter splits Japanese endings.
  return formatted.replace(/ません|ない/u, ending => (ending === 'ない' ? '' : 'ます'))
}

export function translate(formatted: string, { at = 0 }: { at?: number }): string {
  const pool = poolOf(formatted)[0] === 'really' ? russianWords : englishWords
  const words = splitWords(formatted)
  const from = Math.floor(words.length * at)
  for (const [position, word] of words.entries()) {
    const core = coreOf(word)
    if (position < from || !core) continue
    const translation = pool[Math.floor(seededRandom('translate', core, position) * pool.length)]!
    word.text = word.text.replace(core, () => translation)
    word.gap ||= ' '
  }
  return joinWords(words).trimEnd()
}

/** In order of appearance. */
export function longestWords(text: string, count: number): string[] {
  const words = [...new Set(splitWords(text).map(normalizedWord))]
  const longest = [...words].sort((one, other) => other.length - one.length).slice(0, count)
  return words.filter(word => longest.includes(word))
}

/** Index of a word at about this share of the text; -1 without words. */
function wordAt(words: Word[], at = 0.5): number {
  const positions = words.flatMap((word, position) => (normalizedWord(word) ? [position] : []))
  return positions[Math.floor(at * (positions.length - 1))] ?? -1
}

/** Removes words but keeps sentence and paragraph ends. */
function without(words: Word[], first: number, count: number): Word[] {
  if (first < 0) return words
  const last = words[Math.min(first + count, words.length) - 1]!
  const kept = words.slice(0, first)
  const end = /[.!?…。！？؟।]+\S*$/u.exec(last.text)?.[0] ?? ''
  const before = kept.at(-1)
  if (before) {
    before.text += end
    if (last.gap.includes('\n') || words.length === first + count) before.gap = last.gap
  }
  return [...kept, ...words.slice(first + count)]
}

/** The word without surrounding punctuation. */
function coreOf({ text }: Word): string {
  return /[\p{L}\p{M}\p{N}](?:.*[\p{L}\p{M}\p{N}])?/u.exec(text)?.[0] ?? ''
}

/** Words in the predominant script of the text. */
function poolOf(text: string): string[] {
  const counted = wordsByScript.map(([script, words]) => ({ words, count: text.match(script)?.length ?? 0 }))
  return counted.reduce((best, next) => (next.count > best.count ? next : best)).words
}

function after(list: string[], item: string): string {
  return list[(list.indexOf(item) + 1) % list.length]!
}
