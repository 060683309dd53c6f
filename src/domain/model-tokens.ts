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
