// Which words a stretch of a recording holds, and what is left of those that a cut went through.
import type { Stretch } from './extend.ts'
import { RATE } from './fourier.ts'
import type { Known, KnownWord } from './library.ts'

/** A word counts as heard when no more than this is missing of it, in seconds. */
const SLACK = 0.03
/** Below this share nothing of a word is heard. */
const LEAST = 1 / 3

interface Interval {
  start: number
  end: number
}

/** Words in order, with cut ones mangled; times are seconds of the recording. */
export function wordsOf(known: Known, core: Interval[], heard: Interval[]): KnownWord[] {
  const words: KnownWord[] = []
  for (const word of known.words) {
    // Silence around a stretch completes words but does not begin any.
    if (overlap(word, core) <= 0) continue
    const length = word.end - word.start
    const missing = length - overlap(word, heard)
    if (missing <= SLACK) words.push(word)
    else {
      const rest = mangle(word.text, 1 - missing / length, (heard[0]?.start ?? 0) > word.start)
      if (rest) words.push({ ...word, text: rest })
    }
  }
  return words
}

/** The stretch as seconds of its recording: what was recognised, and what is complete with the silence around it. */
export function intervals(stretch: Stretch): { core: Interval; heard: Interval } {
  const seconds = (sample: number) => (sample + stretch.offset) / RATE
  return {
    core: { start: seconds(stretch.start), end: seconds(stretch.end) },
    heard: { start: seconds(stretch.quietStart), end: seconds(stretch.quietEnd) },
  }
}

/** Keeps as many letters as the share that was heard, at least one less than all; none below a third. */
function mangle(text: string, share: number, startIsMissing: boolean): string {
  if (share < LEAST) return ''
  const letters = [...text].filter(letter => /[\p{L}\p{N}]/u.test(letter))
  // Nothing shorter than one letter is left to say, so another one has to do.
  if (letters.length < 2) return letters[0] === 'm' ? 'n' : letters[0] === undefined ? '' : 'm'
  const kept = Math.min(letters.length - 1, Math.max(1, Math.round(letters.length * share)))
  return (startIsMissing ? letters.slice(-kept) : letters.slice(0, kept)).join('')
}

function overlap(word: KnownWord, parts: Interval[]): number {
  let total = 0
  let until = word.start
  for (const { start, end } of parts) {
    const from = Math.max(until, start)
    const to = Math.min(word.end, end)
    if (to > from) {
      total += to - from
      until = to
    }
  }
  return total
}
