// What people say, well written in thirteen kinds, and how a recogniser would have given it.
import { readFileSync } from 'node:fs'

/** ISO codes; `mixed` stands for talk in more than one language. */
export const tongues = [
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
export type Tongue = (typeof tongues)[number]

/** How much of the writing is lost: 0 all but what is inside words, 1 some commas stay, 2 only the paragraphs, 3 even what is inside words. */
export type Degree = 0 | 1 | 2 | 3

/** Paragraphs by tongue: one a line in `spoken/`. */
export const corpus = Object.fromEntries(tongues.map(tongue => [tongue, paragraphsOf(tongue)])) as Record<
  Tongue,
  string[]
>

function paragraphsOf(tongue: Tongue): string[] {
  return readFileSync(new URL(`spoken/${tongue}.txt`, import.meta.url), 'utf8')
    .split(/\r?\n/)
    .filter(line => line.trim())
}

/** The language to name to the judge: of mixed talk nobody knows it. */
export function languageOf(tongue: Tongue): { language?: string } {
  return tongue === 'mixed' ? {} : { language: tongue }
}

/** Addresses, times, fractions, shares, abbreviations: their marks are spoken, or belong to them. */
const whole = /https?:\/\/[!-~]*[\w/]|[\w.]+@[\w.]*\w|(?<=[\p{L}\p{N}])[.,:/&](?=[\p{L}\p{N}])/u
const inWords = /(?<=[\p{L}\p{M}\p{N}])['’‌-](?=[\p{L}\p{M}\p{N}])/u
const numeric = /[%&]|(?<![\p{L}\p{N}])-(?=\p{N})/u
const stays = new RegExp(`${whole.source}|${inWords.source}|${numeric.source}`, 'gu')
/** Dropping these apostrophes makes another word; recognisers keep them. */
const otherWord = /^(?:we're|we'll|i'll|i'd|she'll|she'd|he'll|he'd|we'd|it's|let's|who's|can't|won't)$/i
const unspaced = '\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Thai}'

/** The same words as recognisers give them, on one line. */
export function raw(text: string, degree: Degree): string {
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

/** Every stretch between what stays, given to `change`. */
function outside(text: string, change: (gap: string) => string): string {
  let made = ''
  let at = 0
  for (const found of text.matchAll(stays)) {
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

/** Pieces of one to six neighbouring paragraphs, as the text is sent to a model. */
export function pieces(tongue: Tongue): string[][] {
  const found: string[][] = []
  for (let at = 0, size = 1; at < corpus[tongue].length; at += size, size = (size % 6) + 1) {
    found.push(corpus[tongue].slice(at, at + size))
  }
  return found
}
