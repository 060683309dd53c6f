// What the words of a text are, read in a plain way of its own, so that a check of the judge rests on nothing the judge does.

/** Scripts that put no blanks between words, or none that count: each sign is a word. */
const single = ['Han', 'Hira', 'Kana', 'Thai', 'Lao', 'Khmr', 'Mymr', 'Hang']
  .map(script => `\\p{scx=${script}}`)
  .join('')
const letter = `(?:(?![${single}])[\\p{L}\\p{M}])`
const word = new RegExp(
  [
    // Marks inside a number are part of it: 3.5 is not 35.
    `(?:${letter}|\\p{N}|(?<=\\p{N})[.,:/\\-](?=\\p{N}))+`,
    `(?=[${single}])[\\p{L}\\p{M}]`,
    '(?<![\\p{L}\\p{M}\\p{N}])-(?=\\p{N})',
    '[\\p{Sc}\\p{Sm}\\p{So}%&@#]',
  ].join('|'),
  'gu',
)
/** What a model may set as layout, not as words. */
const layout = /[`*_~|>^]/gu

/** Its words, numbers and symbols in order, in lower case. */
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
