// What careless models do to single words, in any script.
import { seededRandom } from '../file-tasks/seeded-random.ts'
import { joined, lettersOf, type Unit, unitsOf } from './units.ts'

const POOLS: [RegExp, string[]][] = [
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/gu, ['本当に', '提灯', '川']],
  [/\p{Script=Han}/gu, ['真的', '灯笼', '河流']],
  [/\p{Script=Thai}/gu, ['จริง', 'โคมไฟ', 'แม่น้ำ']],
  [/\p{Script=Arabic}/gu, ['حقا', 'فانوس', 'نهر']],
  [/\p{Script=Cyrillic}/gu, ['действительно', 'фонарь', 'река']],
  [/\p{Script=Latin}/gu, ['really', 'lantern', 'river']],
]
const ENGLISH = 'the of lantern river under seldom green to bring seven evening with'.split(' ')
const RUSSIAN = 'под фонарь река зелёный редко нести вечер семь из уже тихо дом'.split(' ')

const NUMBERS = [
  'one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand',
  'один два три четыре пять шесть семь восемь девять десять двадцать тридцать сто тысяча',
  'واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة',
  'หนึ่ง สอง สาม สี่ ห้า หก เจ็ด แปด เก้า สิบ',
].map(list => list.split(' '))
const HAN_NUMBERS = [...'一二三四五六七八九十']
const ZEROS = [0x30, 0x660, 0x6f0, 0x966, 0xe50, 0xff10]

const NEGATIONS = new Set(
  'not no never nor не ни нет никогда nicht kein keine pas لا لم لن ليس ليست ไม่ 不 没 没有 不是'.split(' '),
)

export function dropWord(honest: string, { at, count = 1 }: { at?: number; count?: number }): string {
  const units = unitsOf(honest)
  const first = wordAt(units, at)
  return joined(without(units, first, count))
}

export function addWords(honest: string, { at, words }: { at?: number; words?: string }): string {
  const units = unitsOf(honest)
  const place = wordAt(units, at)
  const unit = units[place]
  if (!unit) return words ?? ''
  const blank = units.some(({ gap }) => gap === ' ') ? ' ' : ''
  units.splice(place, 0, { text: words ?? poolOf(honest).join(blank), gap: blank })
  return joined(units)
}

export function swapWords(honest: string, { at }: { at?: number }): string {
  const units = unitsOf(honest)
  const places = units.flatMap((unit, place) => (lettersOf(unit) ? [place] : []))
  const unlike = (n: number) => lettersOf(units[places[n]!]) !== lettersOf(units[places[n + 1]!])
  const pairs = places.slice(0, -1).flatMap((_place, n) => (unlike(n) ? [n] : []))
  const n = pairs[Math.floor((at ?? 0.5) * (pairs.length - 1))]
  if (n === undefined) return honest
  const [left, right] = [units[places[n]!]!, units[places[n + 1]!]!]
  const [one, other] = [coreOf(left), coreOf(right)]
  left.text = left.text.replace(one, () => other)
  right.text = right.text.replace(other, () => one)
  return joined(units)
}

export function replaceWord(honest: string, { at, word }: { at?: number; word?: string }): string {
  const units = unitsOf(honest)
  const unit = units[wordAt(units, at)]
  if (!unit) return honest
  const other = word ?? poolOf(honest).find(candidate => candidate !== lettersOf(unit))!
  unit.text = unit.text.replace(coreOf(unit), () => other)
  return joined(units)
}

export function changeNumber(honest: string): string {
  const digit = /\p{Nd}/u.exec(honest)
  if (digit) {
    const code = digit[0].codePointAt(0)!
    const zero = ZEROS.find(first => code >= first && code <= first + 9) ?? code
    const other = String.fromCodePoint(zero + ((code - zero + 1) % 10))
    return honest.slice(0, digit.index) + other + honest.slice(digit.index + digit[0].length)
  }
  const units = unitsOf(honest)
  for (const unit of units) {
    const list = NUMBERS.find(numbers => numbers.includes(lettersOf(unit)))
    const sign = HAN_NUMBERS.find(number => unit.text.includes(number))
    if (list) unit.text = unit.text.replace(coreOf(unit), () => after(list, lettersOf(unit)))
    else if (sign) unit.text = unit.text.replace(sign, after(HAN_NUMBERS, sign))
    else continue
    return joined(units)
  }
  return honest
}

export function dropNegation(honest: string): string {
  const units = unitsOf(honest)
  for (const [at, unit] of units.entries()) {
    if (NEGATIONS.has(lettersOf(unit))) return joined(without(units, at, 1))
    const affirmed = unit.text
      .replace(/n['’]t/i, '')
      .replace(/^cannot/i, 'can')
      .replace(/[不没]/u, '')
    if (affirmed === unit.text || !affirmed) continue
    unit.text = affirmed
    return joined(units)
  }
  // The dictionary takes Japanese endings apart.
  return honest.replace(/ません|ない/u, ending => (ending === 'ない' ? '' : 'ます'))
}

export function translate(honest: string, { at = 0 }: { at?: number }): string {
  const pool = poolOf(honest)[0] === 'really' ? RUSSIAN : ENGLISH
  const units = unitsOf(honest)
  const from = Math.floor(units.length * at)
  for (const [place, unit] of units.entries()) {
    const core = coreOf(unit)
    if (place < from || !core) continue
    const word = pool[Math.floor(seededRandom('translate', core, place) * pool.length)]!
    unit.text = unit.text.replace(core, () => word)
    unit.gap ||= ' '
  }
  return joined(units).trimEnd()
}

/** In the order in which they come. */
export function longestWords(text: string, count: number): string[] {
  const words = [...new Set(unitsOf(text).map(lettersOf))]
  const longest = [...words].sort((one, other) => other.length - one.length).slice(0, count)
  return words.filter(word => longest.includes(word))
}

/** The place of a word about there; -1 where there is none. */
function wordAt(units: Unit[], at = 0.5): number {
  const places = units.flatMap((unit, place) => (lettersOf(unit) ? [place] : []))
  return places[Math.floor(at * (places.length - 1))] ?? -1
}

/** The ends of a sentence and of a paragraph stay. */
function without(units: Unit[], first: number, count: number): Unit[] {
  if (first < 0) return units
  const last = units[Math.min(first + count, units.length) - 1]!
  const kept = units.slice(0, first)
  const end = /[.!?…。！？؟।]+\S*$/u.exec(last.text)?.[0] ?? ''
  const before = kept.at(-1)
  if (before) {
    before.text += end
    if (last.gap.includes('\n') || units.length === first + count) before.gap = last.gap
  }
  return [...kept, ...units.slice(first + count)]
}

/** The word without the marks around it. */
function coreOf({ text }: Unit): string {
  return /[\p{L}\p{M}\p{N}](?:.*[\p{L}\p{M}\p{N}])?/u.exec(text)?.[0] ?? ''
}

/** Words in the script that is most of the text. */
function poolOf(text: string): string[] {
  const counted = POOLS.map(([script, words]) => ({ words, count: text.match(script)?.length ?? 0 }))
  return counted.reduce((most, next) => (next.count > most.count ? next : most)).words
}

function after(list: string[], item: string): string {
  return list[(list.indexOf(item) + 1) % list.length]!
}
