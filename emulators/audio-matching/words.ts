// The words in a match, and what remains of words that were cut.
import type { Match } from './extend-match.ts'
import { sampleRateHz } from './fourier.ts'
import type { RecordedWord, Recording } from './library.ts'

/** A word with less than this missing counts as complete. */
const maxMissingSeconds = 0.03
/** A word with a smaller audible share is omitted. */
const minAudibleShare = 1 / 3

interface Interval {
  start: number
  end: number
}

/** Words in order, cut ones shortened; times are seconds of the recording. */
export function wordsIn(recording: Recording, core: Interval[], complete: Interval[]): RecordedWord[] {
  const words: RecordedWord[] = []
  for (const word of recording.words) {
    // Silence around a match can complete a word but not start one.
    if (overlap(word, core) <= 0) continue
    const length = word.end - word.start
    const missing = length - overlap(word, complete)
    if (missing <= maxMissingSeconds) words.push(word)
    else {
      const rest = shorten(word.text, 1 - missing / length, (complete[0]?.start ?? 0) > word.start)
      if (rest) words.push({ ...word, text: rest })
    }
  }
  return words
}

/** The match in seconds of its recording: the recognised range, and the range including silence around it. */
export function intervals(match: Match): { core: Interval; complete: Interval } {
  const seconds = (sample: number) => (sample + match.offset) / sampleRateHz
  return {
    core: { start: seconds(match.start), end: seconds(match.end) },
    complete: { start: seconds(match.quietStart), end: seconds(match.quietEnd) },
  }
}

/** Keeps the audible share of the characters, at least one less than all; nothing below a third. */
function shorten(text: string, share: number, startIsMissing: boolean): string {
  if (share < minAudibleShare) return ''
  const chars = [...text].filter(char => /[\p{L}\p{N}]/u.test(char))
  // A word of one character cannot get shorter, so it becomes another one.
  if (chars.length < 2) return chars[0] === 'm' ? 'n' : chars[0] === undefined ? '' : 'm'
  const kept = Math.min(chars.length - 1, Math.max(1, Math.round(chars.length * share)))
  return (startIsMissing ? chars.slice(-kept) : chars.slice(0, kept)).join('')
}

function overlap(word: RecordedWord, parts: Interval[]): number {
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
