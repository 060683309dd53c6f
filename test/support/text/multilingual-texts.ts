// Random texts in several scripts, for property tests.
import fc from 'fast-check'

/** Texts of words, ideographs, numbers, punctuation and spaces in any order. */
export const multilingualTexts = fc
  .array(
    fc
      .constantFrom(
        'Hello',
        'naïve',
        'U.S',
        'Mr',
        '3.5',
        '你',
        '好',
        'カー',
        '안녕',
        '😀',
        '.',
        '!',
        '?',
        '…',
        '。',
      )
      .map(String),
  )
  .chain(parts =>
    fc
      .array(fc.constantFrom('', ' ', '\n', ', ', '，', '」', '"'), {
        minLength: parts.length,
        maxLength: parts.length,
      })
      .map(gaps => parts.map((part, i) => part + gaps[i]).join('')),
  )

export const multilingualRuns = { seed: 20261101, numRuns: 300 }

export function withoutSpaces(text: string): string {
  return text.replace(/\s+/g, '')
}
