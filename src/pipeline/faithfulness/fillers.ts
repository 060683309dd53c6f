// Fillers by language: hesitation sounds only, never a word that can carry a meaning.
import {
  isUnspaced,
  isWordBoundary,
  lineBreak,
  type NormalizedText,
  punctuation,
  space,
} from './normalized-text.ts'

export interface FillerList {
  /** Usual spellings. */
  examples: string[]
  /** Matches all spellings, in lower case. */
  pattern: RegExp
}

/** Not listed: German "er" (he), Portuguese "um" (a), 额 (a sum), あの (that), يعني (it means). */
const byLanguage: Record<string, FillerList> = {
  en: { examples: ['um', 'uh', 'erm', 'hmm'], pattern: /^(?:u+h*m+|u+h+|e+r+m+|e{2,}r+|e+h+m+|h+m+|m{3,})$/ },
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

/** Fillers that are not words in any language of Latin script. */
const latinFillers: FillerList = {
  examples: ['hmm', 'uhm', 'ehm', 'erm', 'äh', 'ähm', 'euh'],
  pattern: /^(?:h+m{2,}|u+h+m+|e+h+m+|e+r+m+|[äö]+h+m*|e+u+h+)$/,
}

/** Returns the usual spellings of the fillers that may be removed from a text. */
export function fillerExamples(text: string, language: string | undefined): string[] {
  return [...new Set(listsFor(text, language).flatMap(({ examples }) => examples))]
}

/** Returns all languages with a list, and the usual spellings of their fillers. */
export function fillerLists(): [language: string, examples: string[]][] {
  return Object.entries(byLanguage).map(([language, { examples }]) => [language, examples])
}

export interface Filler {
  /** `[from, to)` in the normalised characters. */
  from: number
  to: number
  /** Name under which it is counted, the same for drawn-out spellings. */
  name: string
}

/** Finds the fillers of a text, in order. */
export function findFillers(normalized: NormalizedText, lists: FillerList[]): Filler[] {
  const found: Filler[] = []
  for (const { from, to } of wordsOf(normalized, lists)) {
    const word = normalized.text.slice(normalized.start[from]!, normalized.end[to - 1]!)
    // H&M and 5mm are a name and a measure, although their letters alone match a filler.
    if (/[^\p{L}\p{M}\p{Pd}ー〜~]/u.test(word) || isAttached(normalized, from, to)) continue
    const plain = word
      .normalize('NFC')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}]/gu, '')
    if (!isFiller(plain, lists)) continue
    if (!isAlone(normalized, from, to) && !isMeaningful(normalized, from, to, word))
      found.push({ from, to, name: nameOf(plain) })
  }
  return found
}

/** True for a filler that is a whole turn: "Mm." is an answer. */
function isAlone({ boundaries, chars }: NormalizedText, from: number, to: number): boolean {
  return boundaries[from] === lineBreak && (to === chars.length || boundaries[to] === lineBreak)
}

/** True beside a digit or a symbol without a space between: @um, #um, UH-60. */
function isAttached({ chars, boundaries }: NormalizedText, from: number, to: number): boolean {
  const isSymbol = (at: number) => /[^\p{L}\p{M}]/u.test(chars[at] ?? ' ')
  const left = from > 0 && boundaries[from]! < space && isSymbol(from - 1)
  return left || (to < chars.length && boundaries[to]! < space && isSymbol(to))
}

/** True for an abbreviation (an ER), and for a backchannel (uh-huh, mm hmm). */
function isMeaningful(normalized: NormalizedText, from: number, to: number, word: string): boolean {
  const { text, start, end } = normalized
  if (text !== text.toUpperCase() && /^\p{Lu}{2,}$/u.test(word)) return true
  const before = text.slice(Math.max(0, start[from]! - 12), start[from]!)
  const after = text.slice(end[to - 1]!, end[to - 1]! + 12)
  return (
    backchannel.test(`${/[\p{L}'’]+(?=\P{L}*$)/u.exec(before)?.[0]} ${word}`) ||
    backchannel.test(`${word} ${/\p{L}+/u.exec(after)?.[0]}`)
  )
}

const backchannel = /^(?:u+h+ h+u+h+|h+u+h+ u+h+|m+ h+m+)$/i

function nameOf(word: string): string {
  const short = word.replace(/(\P{M})\1+/gu, '$1')
  return [...short].length > 1 || short === word ? short : word.slice(0, 2)
}

/** Returns the lists of fillers that apply to a text. */
export function listsFor(text: string, language: string | undefined): FillerList[] {
  const code = language?.toLowerCase().split('-')[0]
  const own = code === undefined ? byScript(text) : byLanguage[code]
  return own ? [own, latinFillers] : [latinFillers]
}

/** Guesses the language by script, where a script's other languages have no words that are fillers in this one. */
function byScript(text: string): FillerList | undefined {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return byLanguage.ja
  if (/\p{Script=Han}/u.test(text)) return byLanguage.zh
  if (/\p{Script=Hangul}/u.test(text)) return byLanguage.ko
  if (/\p{Script=Thai}/u.test(text)) return byLanguage.th
  if (/[ыэёъ]/i.test(text)) return byLanguage.ru
  if (/\p{Script=Arabic}/u.test(text)) return byLanguage.ar
  return isEnglish(text) ? byLanguage.en : undefined
}

/** True if more than one word in ten is a common English word that no neighbouring language has. */
function isEnglish(text: string): boolean {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? []
  const known = words.filter(word => /^(?:the|and|of|that|is|it|you|we|was|this|with|they|have)$/.test(word))
  return known.length > words.length / 10
}

/** Splits into words by spaces and punctuation, and by a dictionary in unspaced scripts. */
function* wordsOf(normalized: NormalizedText, lists: FillerList[]): Generator<{ from: number; to: number }> {
  const { chars, boundaries } = normalized
  let from = 0
  for (let at = 1; at <= chars.length; at++) {
    if (
      at < chars.length &&
      boundaries[at]! < punctuation &&
      isUnspaced(normalized, at) === isUnspaced(normalized, at - 1)
    )
      continue
    if (isUnspaced(normalized, from) && !/\p{Script=Hangul}/u.test(chars[from]!))
      yield* dictionaryWords(normalized, lists, from, at)
    else yield { from, to: at }
    from = at
  }
}

let segmenter: Intl.Segmenter | undefined

/** Splits into dictionary words, joining those that together make a filler: the dictionary may split えーと in two. */
function* dictionaryWords(
  normalized: NormalizedText,
  lists: FillerList[],
  from: number,
  to: number,
): Generator<{ from: number; to: number }> {
  segmenter ??= new Intl.Segmenter('ja', { granularity: 'word' })
  const begin = normalized.start[from]!
  const text = normalized.text.slice(begin, normalized.end[to - 1]!)
  const wordStarts = new Set([...segmenter.segment(text)].map(({ index }) => begin + index))
  // The dictionary lacks this sound, and no word contains it.
  for (const { 0: sound, index } of text.matchAll(/อืม+/g))
    wordStarts.add(begin + index).add(begin + index + sound.length)
  const starts: number[] = []
  for (let at = from; at < to; at++)
    if (wordStarts.has(normalized.start[at]!) && isWordBoundary(normalized, at)) starts.push(at)
  starts.push(to)
  for (let i = 0; i + 1 < starts.length; ) {
    const end = longestFiller(normalized, lists, starts, i)
    yield { from: starts[i]!, to: starts[end]! }
    i = end
  }
}

/** Returns the index after up to three dictionary words that together make a filler, or after one word. */
function longestFiller(
  { text, start, end }: NormalizedText,
  lists: FillerList[],
  starts: number[],
  i: number,
): number {
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
