// Finds the frame to cut a chunk at: the middle of an even pause, or else the quietest moment.
/** `silence` is a pause that turned out long and truly silent. */
export type FrameLabel = 'speech' | 'pause' | 'silence'

/** Closures of consonants and soft syllables are shorter than this. */
const minPauseFrames = 15
/** Range of levels within a pause. */
const maxPauseRangeDb = 6
/** Lower levels are alike: a step or two of a 16-bit sample. A soft voice between loud ones is louder. */
const minLevelDbfs = -84
/** 100 ms. */
const quietFrames = 5

/**
 * The middle of the longest even run without speech that begins at or after `from`; the later of two equal runs. A pause
 * is even, as it contains only room noise. A soft syllable may pass for no speech, but its level rises and falls.
 */
export function longestPause(labels: FrameLabel[], levels: number[], from: number): number | undefined {
  let best: { middle: number; length: number } | undefined
  for (let start = from; start < labels.length; start++) {
    const length = evenRun(labels, levels, start)
    if (length >= minPauseFrames && length >= (best?.length ?? 0))
      best = { middle: start + (length >> 1), length }
    // A run that begins inside this one and ends with it is shorter.
    if (start + length < labels.length && labels[start + length] === 'speech') start += length
  }
  return best?.middle
}

/** Number of frames from `start` on without speech whose levels (means over three frames) differ little. */
function evenRun(labels: FrameLabel[], levels: number[], start: number): number {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  let at = start
  for (; at < labels.length && labels[at] !== 'speech'; at++) {
    const mean = (levels[at - 1]! + levels[at]! + (levels[at + 1] ?? levels[at]!)) / 3
    const level = Math.max(minLevelDbfs, mean)
    min = Math.min(min, level)
    max = Math.max(max, level)
    if (max - min > maxPauseRangeDb) break
  }
  return at - start
}

/** The frame in the middle of the quietest 100 ms between two frames. */
export function quietestFrame(levels: number[], from: number, to: number): number {
  let best = to - 1
  let minPower = Number.POSITIVE_INFINITY
  for (let i = from; i + quietFrames <= to; i++) {
    let power = 0
    for (let k = i; k < i + quietFrames; k++) power += 10 ** (levels[k]! / 10)
    if (power < minPower) {
      minPower = power
      best = i + (quietFrames >> 1)
    }
  }
  return best
}
