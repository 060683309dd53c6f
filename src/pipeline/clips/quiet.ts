// Finds the pause in which a clip is cut where the times of its words are estimated.
import type { Span } from '../../domain/transcript.ts'
import { frameLevel, frameSize, sampleRate } from '../audio/activity.ts'
import { quietLevel } from '../audio/quiet-level.ts'
import { type Edge, estimatedDoubtSeconds, longGapSeconds, marginSeconds } from './borders.ts'

/** A stretch of the recording, 16 kHz mono. */
export interface Sound {
  samples: Int16Array
  /** Seconds in the recording. */
  start: number
}

/** A longer pause is no better. */
const fullPauseSeconds = 0.5
/** Closures of consonants are shorter than this: among such runs the nearest one counts. */
const minPauseSeconds = 0.1
/** Seconds of a pause that are worth a second of distance. */
const distanceWorth = { pause: 0.2, closure: 0.5 }
/** Least distance of a cut from the sound around its pause. */
const minMarginSeconds = 0.08
const hop = frameSize / 2
const hopSeconds = hop / sampleRate

/** The pauses of a sound. */
export interface Quiet {
  /** Quiet runs, in seconds of the recording. */
  pauses: Span[]
  /** The quietest moment near a time. */
  quietestAt(time: number): number
}

export function findQuiet({ samples, start: first }: Sound): Quiet {
  const levels = levelsOf(samples)
  const timeOf = (frame: number) => first + frame * hopSeconds
  return {
    pauses: quietRuns(levels).map(({ start, end }) => ({ start: timeOf(start), end: timeOf(end) })),
    quietestAt: time => timeOf(quietestFrame(levels, (time - first) / hopSeconds)),
  }
}

/** Seconds in the recording at which to cut: in the best pause near the edge, near its time. */
export function cutAt({ time, gap, doubtSeconds }: Edge, quiet: Quiet, side: 'start' | 'end'): number {
  if (doubtSeconds === 0) return time
  // The end of a clip and the start of the next one are cut in the same pause.
  const near = gap.end - gap.start > longGapSeconds ? time : (gap.start + gap.end) / 2
  const distance = ({ start, end }: Span) => Math.max(0, start - near, near - end)
  const isPause = ({ start, end }: Span) => end - start > minPauseSeconds
  const score = (pause: Span) =>
    Math.min(fullPauseSeconds, pause.end - pause.start) -
    distance(pause) * distanceWorth[isPause(pause) ? 'pause' : 'closure']
  const within = quiet.pauses.filter(pause => distance(pause) <= doubtSeconds)
  const found = within.sort((a, b) => score(b) - score(a))[0]
  // Without a pause, a measured time is better than a closure.
  if (doubtSeconds < estimatedDoubtSeconds && !(found && isPause(found))) return time
  if (!found) return quiet.quietestAt(near)
  const margin = Math.min(marginSeconds, (found.end - found.start) / 2)
  const [min, max] = [found.start + margin, found.end - margin]
  if (side === 'start') return Math.max(Math.min(found.start + minMarginSeconds, max), Math.min(time, max))
  return Math.min(Math.max(found.end - minMarginSeconds, min), Math.max(time, min))
}

/** Levels (dBFS) of 20 ms, each 10 ms later than the one before. */
function levelsOf(samples: Int16Array): number[] {
  const count = Math.max(0, Math.floor((samples.length - frameSize) / hop) + 1)
  return Array.from({ length: count }, (_, i) =>
    frameLevel(samples, i * hop, samples[i * hop - 1] ?? samples[0]!),
  )
}

/** Runs of quiet frames. */
function quietRuns(levels: readonly number[]): Span[] {
  const limit = quietLevel(levels)
  const pauses: Span[] = []
  let from: number | undefined
  for (let i = 0; i <= levels.length; i++) {
    const isQuiet = i < levels.length && levels[i]! < limit
    if (isQuiet) from ??= i
    else if (from !== undefined) {
      pauses.push({ start: from, end: i + 1 })
      from = undefined
    }
  }
  return pauses
}

/** The quietest frame within a third of a second. */
function quietestFrame(levels: readonly number[], near: number): number {
  const reach = 0.3 / hopSeconds
  let best = Math.max(0, Math.min(levels.length - 1, Math.round(near)))
  for (let i = Math.max(0, Math.floor(near - reach)); i < Math.min(levels.length, near + reach); i++)
    if (levels[i]! < levels[best]!) best = i
  return best
}
