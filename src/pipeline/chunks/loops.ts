// Detects repetition loops in a recognised text: a phrase that the model repeats although it was said once.
import { type Token, tokens } from '../../domain/tokens.ts'

export interface Loop {
  /** The text with the phrase once. */
  collapsed: string
  /** Number of tokens of the text, repeats included. */
  tokens: number
}

const maxPhraseTokens = 40

/** Repeats in a row of a phrase of this many tokens that make a loop. People do say "no, no, no". */
function minRepeats(phraseTokens: number): number {
  if (phraseTokens === 1) return 10
  if (phraseTokens === 2) return 7
  return phraseTokens < 6 ? 5 : 4
}

/** Finds the first loop of a text; undefined for ordinary speech. */
export function findLoop(text: string): Loop | undefined {
  const all = tokens(text)
  for (let phrase = 1; phrase <= Math.min(maxPhraseTokens, all.length >> 1); phrase++) {
    let same = 0
    for (let i = phrase; i <= all.length; i++) {
      if (i < all.length && all[i]!.key === all[i - phrase]!.key) {
        same++
        continue
      }
      if (same >= phrase * (minRepeats(phrase) - 1))
        // An incomplete last repeat belongs to the text after the loop.
        return { collapsed: withoutRepeats(text, all, i - same, i - (same % phrase)), tokens: all.length }
      same = 0
    }
  }
  return undefined
}

function withoutRepeats(text: string, all: Token[], from: number, to: number): string {
  const before = text.slice(0, all[from - 1]!.end)
  const after = to < all.length ? text.slice(all[to]!.start) : ''
  const rest = after ? `${before}${/\s$/.test(text.slice(0, all[to]!.start)) ? ' ' : ''}${after}` : before
  return findLoop(rest)?.collapsed ?? rest
}
