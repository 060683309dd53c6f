// What the stand-in ought to say about a stretch of a recording, as a pattern made from the truth file.
import type { Truth } from './dashscope-client.ts'

// So near to a cut it is not certain whether a word was cut; further away it is.
const UNSURE = 0.06
const SLACK = 0.03

/** Words inside must be there; words that the cut went through may be there in part only, or be missing. */
export function patternFor(truth: Truth, from: number, to: number): string {
  return truth.words
    .filter(word => word.end > from && word.start < to)
    .map(word => {
      const missing = Math.max(0, from - word.start) + Math.max(0, word.end - to)
      const nearest = Math.min(
        ...[word.start, word.end].flatMap(edge => [Math.abs(edge - from), Math.abs(edge - to)]),
      )
      if (nearest <= UNSURE) return optional([word.text, ...partsOf(word.text)])
      return missing <= SLACK ? escaped(word.text) : optional(partsOf(word.text))
    })
    .join('')
}

/** A whole text that was `squeezed`: spaces left out, which would only make a pattern slow to fail. */
export function wholly(...patterns: string[]): RegExp {
  return new RegExp(`^${patterns.join('')}$`, 'u')
}

export const squeezed = (text: string) => text.replace(/\s/g, '')

function optional(choices: string[]): string {
  return `(?:${choices.map(escaped).join('|')})?`
}

// Beginnings and ends of a word; a word of one letter is replaced by another letter.
function partsOf(text: string): string[] {
  const letters = [...text].filter(letter => /[\p{L}\p{N}]/u.test(letter))
  const parts = letters
    .slice(1)
    .flatMap((_, k) => [letters.slice(0, k + 1).join(''), letters.slice(k + 1).join('')])
  return [...parts, 'm', 'n'].filter(part => part !== text).sort((a, b) => b.length - a.length)
}

export function escaped(text: string): string {
  return squeezed(text).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** Numbers between 0 and 1 that are the same in every run. */
export function createSeededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
