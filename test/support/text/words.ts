// Words of a text by an implementation independent of the judge, to check the judge against.

/** Scripts without spaces between words, or with optional ones: each character is a word. */
const single = ['Han', 'Hira', 'Kana', 'Thai', 'Lao', 'Khmr', 'Mymr', 'Hang']
  .map(script => `\\p{scx=${script}}`)
  .join('')
const letter = `(?:(?![${single}])[\\p{L}\\p{M}])`
const word = new RegExp(
  [
    // Punctuation inside a number is part of it: 3.5 is not 35.
    `(?:${letter}|\\p{N}|(?<=\\p{N})[.,:/\\-](?=\\p{N}))+`,
    `(?=[${single}])[\\p{L}\\p{M}]`,
    '(?<![\\p{L}\\p{M}\\p{N}])-(?=\\p{N})',
    '[\\p{Sc}\\p{Sm}\\p{So}%&@#]',
  ].join('|'),
  'gu',
)
/** Markup that a model may add as layout. */
const layout = /[`*_~|>^]/gu

/** Returns the words, numbers and symbols of a text in order and in lower case. */
export function words(text: string): string[] {
  return folded(text).match(word) ?? []
}

function folded(text: string): string {
  return text
    .replace(/[\uff01-\uff5e]/g, sign => String.fromCharCode(sign.charCodeAt(0) - 0xfee0))
    .replace(/[\uff65-\uff9f]+/g, kana => kana.normalize('NFKC'))
    .replaceAll('−', '-')
    .normalize('NFC')
    .toLowerCase()
    .replace(/i\u0307|ı/g, 'i')
    .replaceAll('ß', 'ss')
    .replaceAll('ς', 'σ')
    .replace(/(?<=[\p{L}\p{M}])['’ʼ](?=\p{L})/gu, '')
    .replace(layout, ' ')
}
