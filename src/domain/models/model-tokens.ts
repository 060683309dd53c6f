// Estimates the tokens that a language model counts in a text.

/** Counts a quarter of a token per Latin character, half per character of other alphabets, a whole per ideograph. */
export function estimateModelTokens(text: string): number {
  let quarters = 0
  for (const character of text) quarters += modelTokenQuarters(character)
  return Math.ceil(quarters / 4)
}

/** Size of a character in quarters of a token: 1 for ASCII and Latin, 2 for other alphabets, 4 for the rest. */
export function modelTokenQuarters(character: string): number {
  const code = character.codePointAt(0)!
  if (code < 0x250) return 1
  return code < 0x1100 ? 2 : 4
}

/** Below each code, the most that a character of its script takes in quarters of a token. */
const costliest: [below: number, quarters: number][] = [
  [0x250, 6],
  // Greek, Cyrillic, Armenian, Hebrew and Arabic, Devanagari, and the scripts to Georgian.
  [0x400, 5],
  [0x530, 2],
  [0x590, 8],
  [0x900, 4],
  [0x980, 5],
  [0x1100, 8],
  [0x1200, 5],
  // Ethiopic and others, which are rarely in a vocabulary; then Latin letters with two accents.
  [0x1e00, 12],
  [0x1f00, 6],
  // Ideographs, then Hangul.
  [0xac00, 4],
  [0xd7b0, 5],
  [0x10000, 4],
]

/**
 * As `modelTokenQuarters`, but for the tokenizer that takes the most, as it is unknown whose context a page fills. Measured
 * with those of GPT-4, GPT-4o and Claude 2: a letter of Thai or Tamil takes up to two tokens, times take half as many
 * tokens as characters.
 */
export function costliestTokenQuarters(character: string): number {
  const code = character.codePointAt(0)!
  if (code < 0x80) return /[a-z\s]/i.test(character) ? 1 : 2
  return costliest.find(([below]) => code < below)?.[1] ?? 8
}
