// Prices, and the cost of what a request or a task used.

/** US dollars: for a second of audio, or for a million tokens. */
export type Price = { perSecond: number } | { input: number; output: number }

/** `seconds` are billed seconds of audio. */
export interface Use {
  seconds: number
  inputTokens: number
  outputTokens: number
}

/** US dollars. */
export function costOf({ seconds, inputTokens, outputTokens }: Use, price: Price): number {
  if ('perSecond' in price) return seconds * price.perSecond
  return (inputTokens * price.input + outputTokens * price.output) / 1e6
}
