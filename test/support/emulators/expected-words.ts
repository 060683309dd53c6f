// The text expected for an excerpt of a recording, as a pattern built from its truth file.
import type { Truth } from './dashscope-client.ts'

// This close to a cut it is uncertain whether a word is cut.
const uncertainSeconds = 0.06
const maxMissingSeconds = 0.03

/** Whole words must occur; cut words may occur in part or be missing. */
export function patternFor(truth: Truth, from: number, to: number): string {
  return truth.words
    .filter(word => word.end > from && word.start < to)
    .map(word => {
      const missing = Math.max(0, from - word.start) + Math.max(0, word.end - to)
      const nearest = Math.min(
        ...[word.start, word.end].flatMap(edge => [Math.abs(edge - from), Math.abs(edge - to)]),
      )
      if (nearest <= uncertainSeconds) return optional([word.text, ...partsOf(word.text)])
      return missing <= maxMissingSeconds ? escaped(word.text) : optional(partsOf(word.text))
    })
    .join('')
}

/** Matches a whole `squeezed` text: without spaces, which would make the pattern slow to fail. */
export function wholly(...patterns: string[]): RegExp {
  return new RegExp(`^${patterns.join('')}$`, 'u')
}

export const squeezed = (text: string) => text.replace(/\s/g, '')

function optional(choices: string[]): string {
  return `(?:${choices.map(escaped).join('|')})?`
}

// Prefixes and suffixes of a word; a word of one character becomes another one.
function partsOf(text: string): string[] {
  const chars = [...text].filter(char => /[\p{L}\p{N}]/u.test(char))
  const parts = chars
    .slice(1)
    .flatMap((_, k) => [chars.slice(0, k + 1).join(''), chars.slice(k + 1).join('')])
  return [...parts, 'm', 'n'].filter(part => part !== text).sort((a, b) => b.length - a.length)
}

export function escaped(text: string): string {
  return squeezed(text).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** Numbers between 0 and 1, the same in every run. */
export function createSeededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
