// Looks in a chunk's frames for the place to cut: an even pause, or where there is none the quietest moment.
import { inaudibleDbfs } from './activity.ts'

/** `silence` is a pause that turned out long and truly silent. */
export type Label = 'speech' | 'pause' | 'silence'

/** A pause must last this long (frames) to be a place to cut: closures of consonants and soft syllables are shorter. */
const pauseFrames = 15
/** Levels inside a pause differ by this much (dB) at most. */
const evenness = 6

/**
 * The middle of the longest even run without speech that begins at or after `from`; the later of two equals. A pause is
 * even, as only the room is heard; a soft syllable among loud ones may pass for no speech, but it swells and fades.
 */
export function longestPause(labels: Label[], levels: number[], from: number): number | undefined {
  let best: { middle: number; length: number } | undefined
  for (let start = from; start < labels.length; start++) {
    const length = evenRun(labels, levels, start)
    if (length >= pauseFrames && length >= (best?.length ?? 0))
      best = { middle: start + (length >> 1), length }
    // A run that begins inside this one and ends with it is shorter.
    if (start + length < labels.length && labels[start + length] === 'speech') start += length
  }
  return best?.middle
}

/** How many frames from here on are no speech and differ by little: their means over three frames, in dB. */
function evenRun(labels: Label[], levels: number[], start: number): number {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  let at = start
  for (; at < labels.length && labels[at] !== 'speech'; at++) {
    const level = Math.max(
      inaudibleDbfs,
      (levels[at - 1]! + levels[at]! + (levels[at + 1] ?? levels[at]!)) / 3,
    )
    least = Math.min(least, level)
    most = Math.max(most, level)
    if (most - least > evenness) break
  }
  return at - start
}

/** The frame in the middle of the quietest 100 ms between two frames. */
export function quietest(levels: number[], from: number, to: number): number {
  const width = 5
  let best = to - 1
  let least = Number.POSITIVE_INFINITY
  for (let i = from; i + width <= to; i++) {
    let sum = 0
    for (let k = i; k < i + width; k++) sum += 10 ** (levels[k]! / 10)
    if (sum < least) {
      least = sum
      best = i + (width >> 1)
    }
  }
  return best
}
