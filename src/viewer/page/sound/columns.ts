// The columns of the picture of the sound: who speaks in each, where gaps are, and how high it is.
import type { ViewerData } from '../contract.ts'

export interface Column {
  /** Seconds of the turn that takes most of it. */
  most: number
  /** Index of the speaker; −1 where it is unknown. */
  speaker?: number
  isDoubtful?: boolean | undefined
  /** Of a gap: how many of its columns are before. */
  ofGap?: number
}

/** A short gap of a long recording is seen, too. */
const minGapColumns = 3
/** Of the highest column, where there are no peaks. */
const flatShare = 0.3
/** Lifts what is quiet: ears hear it, too. */
const exponent = 0.6

/** Part of the height that the sound takes between two places of the recording, from 0 to 1. */
export function shareOf(peaks: readonly number[], from: number, to: number, highest: number): number {
  if (peaks.length === 0) return flatShare
  const first = Math.floor(from * peaks.length)
  const behind = Math.max(first + 1, Math.ceil(to * peaks.length))
  return (Math.max(0, ...peaks.slice(first, behind)) / highest) ** exponent
}

/** For each column of a picture, the turn or the gap that takes most of it. */
export function columnsOf({ rows, duration }: ViewerData, count: number): (Column | undefined)[] {
  const columns = new Array<Column | undefined>(count)
  const seconds = Math.max(0.001, duration) / count
  for (const { start, end, speaker, isDoubtful, isGap } of rows) {
    const first = Math.max(0, Math.floor(start / seconds))
    const behind = Math.min(count, Math.max(Math.ceil(end / seconds), isGap ? first + minGapColumns : 0))
    for (let x = first; x < behind; x++) {
      const most = isGap
        ? Number.POSITIVE_INFINITY
        : Math.min(end, (x + 1) * seconds) - Math.max(start, x * seconds)
      if (most <= (columns[x]?.most ?? 0)) continue
      columns[x] = isGap ? { most, ofGap: x - first } : { most, speaker: speaker ?? 0, isDoubtful }
    }
  }
  return columns
}
