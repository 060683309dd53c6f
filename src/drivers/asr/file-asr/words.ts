// The words of one sentence, with spans that others can rely on and all of their text.
import type { RecognisedWord } from '../../../domain/ports.ts'
import type { Span } from '../../../domain/transcript.ts'

/** A word as it came, in seconds. */
export interface RawWord {
  start?: number | undefined
  end?: number | undefined
  /** With its punctuation and blanks. */
  text: string
  speaker?: number | undefined
}

export interface PlacedWord extends RecognisedWord {
  speaker?: number | undefined
}

export const shortest = 0.001
/** How far outside its sentence a word may begin, in seconds. */
const leeway = 1

/**
 * In the order of the text. A span of nothing or less becomes a moment. What has no place in time, and marks that stand
 * alone, go with the word before them, or after them where there is none. Empty where no word has a place.
 */
export function placeWords(words: RawWord[], sentence: Span | undefined): PlacedWord[] {
  const placed: PlacedWord[] = []
  let before = ''
  for (const { start, end, text, speaker } of words) {
    const last = placed.at(-1)
    if (start !== undefined && letters(text) > 0 && fits(start, last, sentence)) {
      placed.push({ start, end: Math.max(end ?? 0, start + shortest), text: before + text, speaker })
      before = ''
    } else if (last) last.text += text
    else before += text
  }
  return placed.map((word, i) => withoutOverlap(word, placed[i + 1]))
}

function fits(start: number, last: Span | undefined, sentence: Span | undefined): boolean {
  if (last && start < last.start) return false
  return !sentence || (start >= sentence.start - leeway && start <= sentence.end + leeway)
}

function withoutOverlap(word: PlacedWord, next: Span | undefined): PlacedWord {
  if (!next || next.start <= word.start || next.start >= word.end) return word
  return { ...word, end: next.start }
}

/** Letters and digits, and the stars that the provider puts in the place of words on its list. */
export function letters(text: string): number {
  return text.match(/[\p{L}\p{N}*]/gu)?.length ?? 0
}

/** Runs of words by the same speaker. */
export function runs(words: PlacedWord[]): PlacedWord[][] {
  const found: PlacedWord[][] = []
  for (const word of words) {
    const run = found.at(-1)
    if (run && run[0]!.speaker === word.speaker) run.push(word)
    else found.push([word])
  }
  return found
}
