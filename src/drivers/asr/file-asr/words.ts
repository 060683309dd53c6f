// Words of one sentence with valid spans and all of their text.
import type { RecognisedWord } from '../../../domain/ports.ts'
import type { Span } from '../../../domain/transcript.ts'

/** A word as the provider sent it, in seconds. */
export interface RawWord {
  start?: number | undefined
  end?: number | undefined
  /** With its punctuation and spaces. */
  text: string
  speaker?: number | undefined
}

export interface TimedWord extends RecognisedWord {
  speaker?: number | undefined
}

export const minWordSeconds = 0.001
/** How far outside its sentence a word may start and end. */
const maxOutsideSeconds = 1

/**
 * Returns words in the order of the text. An empty or negative span becomes a moment. A word without valid times and
 * separate punctuation join the word before them, or the one after them if there is none. Empty if no word has times.
 */
export function timeWords(words: RawWord[], sentence: Span | undefined): TimedWord[] {
  const timed: TimedWord[] = []
  let before = ''
  for (const { start, end, text, speaker } of words) {
    const last = timed.at(-1)
    if (start !== undefined && charCount(text) > 0 && fits(start, last, sentence)) {
      const latest = sentence ? sentence.end + maxOutsideSeconds : Number.POSITIVE_INFINITY
      const until = Math.max(Math.min(end ?? 0, latest), start + minWordSeconds)
      timed.push({ start, end: until, text: before + text, speaker })
      before = ''
    } else if (last) last.text += text
    else before += text
  }
  return timed.map((word, i) => withoutOverlap(word, timed[i + 1]))
}

function fits(start: number, last: Span | undefined, sentence: Span | undefined): boolean {
  if (last && start < last.start) return false
  return (
    !sentence || (start >= sentence.start - maxOutsideSeconds && start <= sentence.end + maxOutsideSeconds)
  )
}

function withoutOverlap(word: TimedWord, next: Span | undefined): TimedWord {
  if (!next || next.start <= word.start || next.start >= word.end) return word
  return { ...word, end: next.start }
}

/** Counts letters and digits, and the asterisks that the provider puts in place of censored words. */
export function charCount(text: string): number {
  return text.match(/[\p{L}\p{N}*]/gu)?.length ?? 0
}

/** Groups consecutive words of the same speaker. */
export function speakerRuns(words: TimedWord[]): TimedWord[][] {
  const found: TimedWord[][] = []
  for (const word of words) {
    const run = found.at(-1)
    if (run && run[0]!.speaker === word.speaker) run.push(word)
    else found.push([word])
  }
  return found
}
