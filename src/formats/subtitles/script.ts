// Counts the characters of subtitles as style guides do, by script.

export const scripts = ['spaced', 'thai', 'korean', 'chinese', 'japanese'] as const
/** `spaced`: Latin, Cyrillic, Arabic and all others without limits of their own. */
export type Script = (typeof scripts)[number]

export interface Size {
  narrow: number
  /** Ideographs, kana, Hangul, and full-width marks. */
  wide: number
  /** Scripts with limits of their own, as bits. */
  bits: number
}

const [thai, hangul, han, kana] = [1, 2, 4, 8]
/** Full-width marks are as wide, and choose no limits: they stand between Latin words, too. */
const wideMark = 16
const classes: [RegExp, number][] = [
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/u, kana],
  [/\p{Script=Hangul}/u, hangul],
  [/[\p{Script=Han}\p{Script=Bopomofo}]/u, han],
  [/[\u3000-\u303f\uff00-\uff60]/u, wideMark],
  [/\p{Script=Thai}/u, thai],
]
/** Marks above and below letters, and characters without a width. */
const withoutWidth = /[\p{Mn}\p{Me}\p{Cf}]/u

export function sizeOf(text: string): Size {
  const size = { narrow: 0, wide: 0, bits: 0 }
  // Fast path: ASCII.
  if (/^[\0-\x7f]*$/.test(text)) return { ...size, narrow: text.length }
  for (const character of text) {
    if (withoutWidth.test(character)) continue
    const bit = classes.find(([script]) => script.test(character))?.[1] ?? 0
    size.bits |= bit
    if (bit > thai) size.wide++
    else size.narrow++
  }
  return size
}

export function addSizes(a: Size, b: Size): Size {
  return { narrow: a.narrow + b.narrow, wide: a.wide + b.wide, bits: a.bits | b.bits }
}

/** Selects the limits for a text; `language` tells Japanese without kana from Chinese. */
export function scriptOf({ bits }: Size, language: string | undefined): Script {
  if (bits & kana) return 'japanese'
  if (bits & hangul) return 'korean'
  if (bits & han) return language === 'ja' ? 'japanese' : 'chinese'
  return bits & thai ? 'thai' : 'spaced'
}

/** Number of characters as the limits of the script count them. */
export function charsOf({ narrow, wide }: Size, script: Script): number {
  return script === 'spaced' || script === 'thai' ? narrow + 2 * wide : wide + narrow / 2
}
