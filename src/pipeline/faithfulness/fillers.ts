// The sounds people make while they look for a word, by language. Only such sounds: no word that can carry a meaning.
import { blank, isClose, isWordBorder, type Letters, line, mark } from './normalized-text.ts'

export interface FillerList {
  /** As they are written as a rule. */
  examples: string[]
  /** All the ways to write them, in lower case. */
  pattern: RegExp
}

/** A German "er" is "he", a Portuguese "um" is "a", 额 is a sum, あの is "that", يعني is "it means": they are not here. */
const byLanguage: Record<string, FillerList> = {
  en: {
    examples: ['um', 'uh', 'erm', 'hmm'],
    pattern: /^(?:u+h*m+|u+h+|e+r+m+|e{2,}r+|e+h+m+|h+m+|m{3,})$/,
  },
  de: { examples: ['äh', 'ähm', 'öhm', 'hm'], pattern: /^(?:[äö]+h+m*|e+h+m+|h+m+)$/ },
  fr: { examples: ['euh', 'heu', 'hmm'], pattern: /^(?:e+u+h+|h+e+u+|h+m+)$/ },
  es: { examples: ['ehm', 'emm', 'hmm'], pattern: /^(?:e+h+m+|e+m{2,}|h+m+|m{3,})$/ },
  it: { examples: ['ehm', 'mmm', 'hmm'], pattern: /^(?:e+h+m+|h+m+|m{3,})$/ },
  pt: { examples: ['ehm', 'hmm'], pattern: /^(?:e+h+m+|h+m+)$/ },
  tr: { examples: ['ıı', 'eee', 'hmm'], pattern: /^(?:ı{2,}|e{3,}|h+m+)$/ },
  ru: { examples: ['э', 'ээ', 'эм', 'ммм', 'гм', 'хм'], pattern: /^(?:э+м*|м{3,}|[гх]+м+)$/ },
  uk: { examples: ['е-е', 'емм', 'ммм', 'гм'], pattern: /^(?:е{2,}м*|ем{2,}|м{3,}|[гх]+м+)$/ },
  zh: { examples: ['嗯', '呃'], pattern: /^(?:嗯+|呃+)$/ },
  yue: { examples: ['嗯', '呃'], pattern: /^(?:嗯+|呃+)$/ },
  ja: {
    examples: ['えー', 'えーと', 'えっと', 'ええと', 'うーん', 'んー', 'あのー', 'そのー'],
    pattern: /^(?:え[えー]*っ?とー*|えー+|うー+ん+|んー+|[あそ]のー+)$/,
  },
  ko: { examples: ['으음', '음음', '흠흠'], pattern: /^(?:으+음+|음{2,}|흠{2,})$/ },
  th: { examples: ['เอ่อ', 'อืม'], pattern: /^(?:เอ[่้]อ+|อืม+)$/ },
  ar: { examples: ['اممم', 'ممم', 'هممم'], pattern: /^(?:ا?م{3,}|هم{3,})$/ },
  hi: { examples: ['उम्म', 'हम्म'], pattern: /^(?:उम्म+|हम्म+)$/ },
}

/** These are words in no language that is written with Latin letters. */
const everywhere: FillerList = {
  examples: ['hmm', 'uhm', 'ehm', 'erm', 'äh', 'ähm', 'euh'],
  pattern: /^(?:h+m{2,}|u+h+m+|e+h+m+|e+r+m+|[äö]+h+m*|e+u+h+)$/,
}

/** What may be left out of a text, as it is written as a rule. */
export function fillerExamples(text: string, language: string | undefined): string[] {
  return [...new Set(listsFor(text, language).flatMap(({ examples }) => examples))]
}

/** All languages that have a list, with what is in it. */
export function fillerLists(): [language: string, examples: string[]][] {
  return Object.entries(byLanguage).map(([language, { examples }]) => [language, examples])
}

export interface Filler {
  /** Which of the letters it is: `[from, to)`. */
  from: number
  to: number
  /** How it is counted, whoever drew it out how long. */
  name: string
}

/** The fillers of a text, in order. */
export function findFillers(letters: Letters, lists: FillerList[]): Filler[] {
  const found: Filler[] = []
  for (const { from, to } of wordsOf(letters, lists)) {
    const word = letters.text.slice(letters.start[from]!, letters.end[to - 1]!)
    // H&M and 5mm are names and measures, whatever is left of them without their signs.
    if (/[^\p{L}\p{M}\p{Pd}ー〜~]/u.test(word) || hangsOn(letters, from, to)) continue
    const plain = word
      .normalize('NFC')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}]/gu, '')
    if (!isFiller(plain, lists)) continue
    if (!isAlone(letters, from, to) && !isMeant(letters, from, to, word))
      found.push({ from, to, name: nameOf(plain) })
  }
  return found
}

/** A turn of nothing else is an answer: "Mm." */
function isAlone({ border, stream }: Letters, from: number, to: number): boolean {
  return border[from] === line && (to === stream.length || border[to] === line)
}

/** Without a blank beside a digit or a symbol: @um, #um, UH-60. */
function hangsOn({ stream, border }: Letters, from: number, to: number): boolean {
  const isSign = (at: number) => /[^\p{L}\p{M}]/u.test(stream[at] ?? ' ')
  const left = from > 0 && border[from]! < blank && isSign(from - 1)
  return left || (to < stream.length && border[to]! < blank && isSign(to))
}

/** An ER: an abbreviation. Uh-huh, mm hmm: an answer. */
function isMeant(letters: Letters, from: number, to: number, word: string): boolean {
  const { text, start, end } = letters
  if (text !== text.toUpperCase() && /^\p{Lu}{2,}$/u.test(word)) return true
  const before = text.slice(Math.max(0, start[from]! - 12), start[from]!)
  const after = text.slice(end[to - 1]!, end[to - 1]! + 12)
  return (
    answer.test(`${/[\p{L}'’]+(?=\P{L}*$)/u.exec(before)?.[0]} ${word}`) ||
    answer.test(`${word} ${/\p{L}+/u.exec(after)?.[0]}`)
  )
}

const answer = /^(?:u+h+ h+u+h+|h+u+h+ u+h+|m+ h+m+)$/i

function nameOf(word: string): string {
  const short = word.replace(/(\P{M})\1+/gu, '$1')
  return [...short].length > 1 || short === word ? short : word.slice(0, 2)
}

/** What counts as a filler in a text. */
export function listsFor(text: string, language: string | undefined): FillerList[] {
  const code = language?.toLowerCase().split('-')[0]
  const own = code === undefined ? byScript(text) : byLanguage[code]
  return own ? [own, everywhere] : [everywhere]
}

/** Where nobody says the language, its script may: one language's fillers then are no words of the others. */
function byScript(text: string): FillerList | undefined {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return byLanguage.ja
  if (/\p{Script=Han}/u.test(text)) return byLanguage.zh
  if (/\p{Script=Hangul}/u.test(text)) return byLanguage.ko
  if (/\p{Script=Thai}/u.test(text)) return byLanguage.th
  if (/[ыэёъ]/i.test(text)) return byLanguage.ru
  if (/\p{Script=Arabic}/u.test(text)) return byLanguage.ar
  return isEnglish(text) ? byLanguage.en : undefined
}

/** More than one word in ten is one of these, and none of them is a word of its neighbours. */
function isEnglish(text: string): boolean {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? []
  const known = words.filter(word => /^(?:the|and|of|that|is|it|you|we|was|this|with|they|have)$/.test(word))
  return known.length > words.length / 10
}

/** Words as they are parted by blanks; in close scripts, by a dictionary. */
function* wordsOf(letters: Letters, lists: FillerList[]): Generator<{ from: number; to: number }> {
  const { stream, border } = letters
  let from = 0
  for (let at = 1; at <= stream.length; at++) {
    if (at < stream.length && border[at]! < mark && isClose(letters, at) === isClose(letters, at - 1))
      continue
    if (isClose(letters, from) && !/\p{Script=Hangul}/u.test(stream[from]!))
      yield* parted(letters, lists, from, at)
    else yield { from, to: at }
    from = at
  }
}

let segmenter: Intl.Segmenter | undefined

/** Any run between two borders of the dictionary's words that could be a filler: えーと may be one of them or two. */
function* parted(
  letters: Letters,
  lists: FillerList[],
  from: number,
  to: number,
): Generator<{ from: number; to: number }> {
  segmenter ??= new Intl.Segmenter('ja', { granularity: 'word' })
  const begin = letters.start[from]!
  const text = letters.text.slice(begin, letters.end[to - 1]!)
  const borders = new Set([...segmenter.segment(text)].map(({ index }) => begin + index))
  // The dictionary does not know it, and no word has these letters inside.
  for (const { 0: sound, index } of text.matchAll(/อืม+/g))
    borders.add(begin + index).add(begin + index + sound.length)
  const starts: number[] = []
  for (let at = from; at < to; at++)
    if (borders.has(letters.start[at]!) && isWordBorder(letters, at)) starts.push(at)
  starts.push(to)
  for (let i = 0; i + 1 < starts.length; ) {
    const end = longest(letters, lists, starts, i)
    yield { from: starts[i]!, to: starts[end]! }
    i = end
  }
}

/** Up to three of the dictionary's words together, where they make a filler. */
function longest({ text, start, end }: Letters, lists: FillerList[], starts: number[], i: number): number {
  for (const count of [3, 2]) {
    const last = starts[i + count]
    if (last === undefined) continue
    const word = text.slice(start[starts[i]!]!, end[last - 1]!)
    const head = text.slice(start[starts[i]!]!, end[starts[i + 1]! - 1]!)
    if (isFiller(word, lists) && !isFiller(head, lists)) return i + count
  }
  return i + 1
}

function isFiller(word: string, lists: FillerList[]): boolean {
  return lists.some(({ pattern }) => pattern.test(word))
}
