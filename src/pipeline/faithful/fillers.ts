// The sounds people make while they look for a word, by language. Only such sounds: no word that can carry a meaning.
import { isClose, isWordBorder, type Letters, line, mark } from './letters.ts'

interface Fillers {
  /** As they are written as a rule. */
  examples: string[]
  /** All the ways to write them, in lower case. */
  pattern: RegExp
}

/** A German "er" is "he", a Portuguese "um" is "a", 额 is a sum, あの is "that", يعني is "it means": they are not here. */
const byLanguage: Record<string, Fillers> = {
  en: {
    examples: ['um', 'uh', 'er', 'erm', 'hmm', 'mm'],
    pattern: /^(?:u+h*m+|u+h+|e+r+m*|e+h+m+|h+m+|m{2,})$/,
  },
  de: { examples: ['äh', 'ähm', 'öhm', 'hm'], pattern: /^(?:[äö]+h+m*|e+h+m+|h+m+)$/ },
  fr: { examples: ['euh', 'heu', 'hmm'], pattern: /^(?:e+u+h+|h+e+u+|h+m+)$/ },
  es: { examples: ['ehm', 'emm', 'hmm'], pattern: /^(?:e+h+m+|e+m{2,}|h+m+|m{2,})$/ },
  it: { examples: ['ehm', 'mmm', 'hmm'], pattern: /^(?:e+h+m+|h+m+|m{2,})$/ },
  pt: { examples: ['ehm', 'hmm'], pattern: /^(?:e+h+m+|h+m+)$/ },
  tr: { examples: ['ıı', 'eee', 'hmm'], pattern: /^(?:ı{2,}|e{3,}|h+m+)$/ },
  ru: { examples: ['э', 'ээ', 'эм', 'мм', 'гм', 'хм'], pattern: /^(?:э+м*|м{2,}|[гх]+м+)$/ },
  uk: { examples: ['е-е', 'ем', 'мм', 'гм'], pattern: /^(?:е{2,}м*|ем+|м{2,}|[гх]+м+)$/ },
  zh: { examples: ['嗯', '呃'], pattern: /^(?:嗯+|呃+)$/ },
  yue: { examples: ['嗯', '呃'], pattern: /^(?:嗯+|呃+)$/ },
  ja: {
    examples: ['えー', 'えーと', 'えっと', 'ええと', 'うーん', 'んー', 'あのー', 'そのー'],
    pattern: /^(?:え[えー]*っ?とー*|えー+|うー+ん+|んー+|[あそ]のー+)$/,
  },
  ko: { examples: ['음', '으음', '흠'], pattern: /^(?:으*음+|흠+)$/ },
  th: { examples: ['เอ่อ', 'อืม'], pattern: /^(?:เอ[่้]อ+|อืม+)$/ },
  ar: { examples: ['امم', 'ممم', 'همم'], pattern: /^(?:[اأإ]*م{2,}|هم{2,})$/ },
  hi: { examples: ['उम्म', 'हम्म'], pattern: /^(?:उम्म+|हम्म+)$/ },
}

/** These are words in no language that is written with Latin letters. */
const everywhere: Fillers = {
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
export function findFillers(letters: Letters, language: string | undefined): Filler[] {
  const lists = listsFor(letters.text, language)
  const found: Filler[] = []
  for (const { from, to } of wordsOf(letters)) {
    const word = letters.text.slice(letters.start[from]!, letters.end[to - 1]!)
    const plain = word
      .normalize('NFC')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}]/gu, '')
    if (!lists.some(({ pattern }) => pattern.test(plain))) continue
    if (!isAlone(letters, from, to) && !isMeant(letters, from, word))
      found.push({ from, to, name: nameOf(plain) })
  }
  return found
}

/** A turn of nothing else is an answer: "Mm." */
function isAlone({ border, stream }: Letters, from: number, to: number): boolean {
  return border[from] === line && (to === stream.length || border[to] === line)
}

/** 5 mm, an ER: a unit, an abbreviation. */
function isMeant({ stream, text }: Letters, from: number, word: string): boolean {
  const isShouted = text === text.toUpperCase()
  const isAbbreviation = !isShouted && /^\p{Lu}{2,}$/u.test(word)
  return isAbbreviation || (/^(?:mm|мм)$/i.test(word) && /\p{N}/u.test(stream[from - 1] ?? ''))
}

function nameOf(word: string): string {
  const short = word.replace(/(\P{M})\1+/gu, '$1')
  return [...short].length > 1 || short === word ? short : word.slice(0, 2)
}

function listsFor(text: string, language: string | undefined): Fillers[] {
  const code = language?.toLowerCase().split('-')[0]
  const own = code === undefined ? byScript(text) : byLanguage[code]
  return own ? [own, everywhere] : [everywhere]
}

/** Where nobody says the language, its script may: one language's fillers then are no words of the others. */
function byScript(text: string): Fillers | undefined {
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
function* wordsOf(letters: Letters): Generator<{ from: number; to: number }> {
  const { stream, border } = letters
  let from = 0
  for (let at = 1; at <= stream.length; at++) {
    if (at < stream.length && border[at]! < mark && isClose(letters, at) === isClose(letters, at - 1))
      continue
    if (isClose(letters, from) && !/\p{Script=Hangul}/u.test(stream[from]!)) yield* parted(letters, from, at)
    else yield { from, to: at }
    from = at
  }
}

let segmenter: Intl.Segmenter | undefined

/** Any run between two borders of the dictionary's words that could be a filler: えーと may be one of them or two. */
function* parted(letters: Letters, from: number, to: number): Generator<{ from: number; to: number }> {
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
    const end = longest(letters, starts, i)
    yield { from: starts[i]!, to: starts[end]! }
    i = end
  }
}

/** Up to three of the dictionary's words together, where they make a filler. */
function longest({ text, start, end }: Letters, starts: number[], i: number): number {
  for (const count of [3, 2]) {
    const last = starts[i + count]
    if (last === undefined) continue
    const word = text.slice(start[starts[i]!]!, end[last - 1]!)
    if (Object.values(byLanguage).some(({ pattern }) => pattern.test(word))) return i + count
  }
  return i + 1
}
