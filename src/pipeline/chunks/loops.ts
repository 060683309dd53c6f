// Finds the loops that recognition models fall into: a phrase said over and over that nobody said.
import { type Token, tokens } from '../../domain/tokens.ts'

export interface Loop {
  /** The text with the phrase once. */
  collapsed: string
  /** How many tokens the text has, all repeats counted. */
  tokens: number
}

/** Longest phrase looked for, in tokens. */
const longestPhrase = 40

/** How often in a row a phrase of this many tokens must come before it is taken for a loop. People do say "no, no, no". */
function repeatsNeeded(phrase: number): number {
  if (phrase === 1) return 10
  if (phrase === 2) return 7
  return phrase < 6 ? 5 : 4
}

/** The first loop of a text; undefined for ordinary speech. */
export function findLoop(text: string): Loop | undefined {
  const all = tokens(text)
  for (let phrase = 1; phrase <= Math.min(longestPhrase, all.length >> 1); phrase++) {
    let same = 0
    for (let i = phrase; i <= all.length; i++) {
      if (i < all.length && all[i]!.key === all[i - phrase]!.key) {
        same++
        continue
      }
      if (same >= phrase * (repeatsNeeded(phrase) - 1))
        // What begins like the phrase and goes on otherwise belongs to what follows.
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
