// Well-written speech in thirteen languages, and the raw text a recogniser would give for it.
import { readFileSync } from 'node:fs'

/** ISO codes; `mixed` is speech in several languages. */
export const corpusLanguages = [
  'en',
  'ru',
  'zh',
  'ja',
  'ar',
  'th',
  'mixed',
  'ko',
  'tr',
  'el',
  'hi',
  'de',
  'fr',
] as const
export type CorpusLanguage = (typeof corpusLanguages)[number]

/** Loss of punctuation: 0 all except inside words, 1 some commas stay, 2 only paragraphs, 3 also inside words. */
export type LossDegree = 0 | 1 | 2 | 3

/** Paragraphs by language, one a line in `spoken/`. */
export const corpus = Object.fromEntries(
  corpusLanguages.map(language => [language, paragraphsOf(language)]),
) as Record<CorpusLanguage, string[]>

function paragraphsOf(language: CorpusLanguage): string[] {
  return readFileSync(new URL(`spoken/${language}.txt`, import.meta.url), 'utf8')
    .split(/\r?\n/)
    .filter(line => line.trim())
}

/** Language option for the judge; none for mixed speech. */
export function languageOption(language: CorpusLanguage): { language?: string } {
  return language === 'mixed' ? {} : { language }
}

/** Addresses, times, fractions, abbreviations: their punctuation is spoken, or part of them. */
const whole = /https?:\/\/[!-~]*[\w/]|[\w.]+@[\w.]*\w|(?<=[\p{L}\p{N}])[.,:/&](?=[\p{L}\p{N}])/u
const inWords = /(?<=[\p{L}\p{M}\p{N}])['’‌-](?=[\p{L}\p{M}\p{N}])/u
const numeric = /[%&]|(?<![\p{L}\p{N}])-(?=\p{N})/u
const kept = new RegExp(`${whole.source}|${inWords.source}|${numeric.source}`, 'gu')
/** Becomes another word without its apostrophe; recognisers keep these. */
const otherWord = /^(?:we're|we'll|i'll|i'd|she'll|she'd|he'll|he'd|we'd|it's|let's|who's|can't|won't)$/i
const unspaced = '\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Thai}'

/** Returns the text as a recogniser gives it, on one line. */
export function toRawText(text: string, degree: LossDegree): string {
  const line = text.replace(/\s*\n\s*/g, ' ')
  if (degree === 2) return line
  let commas = 0
  const bare = outside(line, gap =>
    gap.replace(/[\p{P}\p{Cf}]/gu, mark => {
      if (degree === 1 && /[,،，、]/.test(mark) && commas++ % 2 === 0) return mark
      return new RegExp(`[${unspaced}]`, 'u').test(mark) || mark === '\u200c' ? '' : ' '
    }),
  )
  const spoken = degree === 3 ? withoutInner(bare) : bare
  return spoken
    .toLocaleLowerCase(/[ğışİ]/.test(text) ? 'tr' : 'en')
    .replace(/\s+(?=[,،])/g, '')
    .replace(new RegExp(`(?<=[${unspaced}，、])\\s+(?=[${unspaced}])`, 'gu'), '')
    .replace(/\s+/g, ' ')
    .trim()
}

/** Applies `change` to each stretch between the kept punctuation. */
function outside(text: string, change: (gap: string) => string): string {
  let made = ''
  let at = 0
  for (const found of text.matchAll(kept)) {
    made += change(text.slice(at, found.index)) + found[0]
    at = found.index + found[0].length
  }
  return made + change(text.slice(at))
}

function withoutInner(text: string): string {
  return text.replace(/\S+/g, word =>
    otherWord.test(word) || /@|:\/\/|\p{N}/u.test(word)
      ? word
      : word.replace(/(?<=\p{L})['’](?=\p{L})/gu, '').replace(/(?<=\p{L}\p{M}*)-(?=\p{L})/gu, ' '),
  )
}

/** Returns pieces of one to six neighbouring paragraphs, as sent to a model. */
export function corpusPieces(language: CorpusLanguage): string[][] {
  const found: string[][] = []
  for (let at = 0, size = 1; at < corpus[language].length; at += size, size = (size % 6) + 1) {
    found.push(corpus[language].slice(at, at + size))
  }
  return found
}
