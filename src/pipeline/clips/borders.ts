// Where a clip may begin and end: beside words whose times were measured, elsewhere beside sentences.
import { roundToMs, type Segment, type Span } from '../../domain/transcript.ts'

/** Speech that a clip holds whole or not at all. */
export interface Unit extends Span {
  /** How far off its ends may be; 0 for a word. */
  doubtSeconds: number
}

/** A place between two units, or before the first or behind the last one. */
export interface Edge {
  /** Seconds, inside the gap. */
  time: number
  gap: Span
  /** How far from there a pause is looked for. */
  doubtSeconds: number
}

export interface Stretch {
  start: Edge
  end: Edge
  /** `from` of the clip that goes on; absent where this one reaches the end that was asked for. */
  next?: number
}

/** Of sentences: by the doubt of a model that measures, and by the error of estimates. */
const measuredDoubtSeconds = 0.3
export const estimatedDoubtSeconds = 1
/** Kept of a pause around a clip, and at least left of it beside the words of its neighbours. */
export const marginSeconds = 0.15
const minDistanceSeconds = 0.05
/** Neighbours that overlap by no more follow each other, from the middle of the overlap on. */
const maxOverlapSeconds = 0.03
/** No word is shorter: models give such a length where they know the start of a word alone. */
const minWordSeconds = 0.04
/** Such a word may last as long, until the next one. */
const maxWordSeconds = 1
/** Longer sentences are taken in parts. */
const maxUnitSeconds = 18
/** In a longer gap nothing is said, wherever its estimated ends are. */
export const longGapSeconds = 2
/** Times are compared to the millisecond. */
const tolerance = 0.0005

/** Units in order, which do not overlap: voices that speak at once are one. */
export function unitsOf(segments: readonly Segment[]): Unit[] {
  const pieces = segments
    .flatMap(({ start, end, estimated, words }) =>
      !estimated && words?.length
        ? words.map(word => ({ start: word.start, end: word.end, doubtSeconds: 0 }))
        : [{ start, end, doubtSeconds: estimated ? estimatedDoubtSeconds : measuredDoubtSeconds }],
    )
    .sort((a, b) => a.start - b.start)
    .map((piece, i, all) =>
      piece.doubtSeconds > 0 ? piece : { ...piece, end: endOf(piece, all[i + 1]?.start) },
    )
  const units: Unit[] = []
  for (const piece of pieces) {
    const last = units.at(-1)
    if (!last || piece.start >= last.end) units.push(piece)
    else if (piece.start >= last.end - maxOverlapSeconds && piece.end > last.end) {
      last.end = roundToMs((piece.start + last.end) / 2)
      units.push({ ...piece, start: last.end })
    } else {
      last.end = Math.max(last.end, piece.end)
      last.doubtSeconds = Math.max(last.doubtSeconds, piece.doubtSeconds)
    }
  }
  return units.flatMap(parted)
}

function endOf({ start, end }: Span, next = Number.POSITIVE_INFINITY): number {
  return end - start < minWordSeconds ? Math.max(end, Math.min(next, start + maxWordSeconds)) : end
}

function parted(unit: Unit): Unit[] {
  const length = unit.end - unit.start
  const count = Math.ceil(length / maxUnitSeconds)
  if (count < 2) return [unit]
  const at = (i: number) => roundToMs(unit.start + (length * i) / count)
  return Array.from({ length: count }, (_, i) => ({
    start: at(i),
    end: at(i + 1),
    doubtSeconds: estimatedDoubtSeconds,
  }))
}

/** The units between `from` and `to`, with those that these times are in, as far as `maxSeconds` hold them. */
export function stretchOf(
  units: readonly Unit[],
  { from, to, duration, maxSeconds }: { from: number; to: number; duration: number; maxSeconds: number },
): Stretch {
  const first = firstBehind(units, from)
  const behind = units.findIndex(({ start }) => start >= to - tolerance)
  const wanted = (behind < 0 ? units.length : behind) - 1
  const start = edgeBefore(units, first, duration, ({ gap, isFirst }) =>
    clamp(
      from,
      gap.start + (isFirst ? 0 : least(gap, minDistanceSeconds)),
      gap.end - least(gap, marginSeconds),
    ),
  )
  const limit = start.time + maxSeconds
  let last = wanted
  while (last >= first && units[last]!.end > limit) last--
  const isWhole = last === wanted
  // A unit fits in a clip, unless there is a silence before it.
  const isSilent = last < first
  const end = edgeBefore(units, last + 1, duration, ({ gap, isLast }) =>
    clamp(
      isWhole ? to : isSilent ? limit : gap.start,
      Math.max(start.time, gap.start + least(gap, marginSeconds)),
      gap.end - (isLast ? 0 : least(gap, minDistanceSeconds)),
    ),
  )
  if (end.time > limit) {
    const time = roundToMs(limit)
    return { start, end: { ...end, time }, next: time }
  }
  return { start, end, ...(!isWhole && { next: nextOf(end, units[last + 1]!) }) }
}

/** A long gap is not left out. */
function nextOf({ gap, time }: Edge, unit: Unit): number {
  return gap.end - gap.start > longGapSeconds ? time : unit.start
}

function firstBehind(units: readonly Unit[], from: number): number {
  const found = units.findIndex(({ end }) => end > from + tolerance)
  return found < 0 ? units.length : found
}

function edgeBefore(
  units: readonly Unit[],
  i: number,
  duration: number,
  timeIn: (place: { gap: Span; isFirst: boolean; isLast: boolean }) => number,
): Edge {
  const [before, after] = [units[i - 1], units[i]]
  const start = before?.end ?? 0
  const end = after?.start ?? Math.max(start, duration)
  const middle = (start + end) / 2
  const gap = start <= end ? { start, end } : { start: middle, end: middle }
  const time = roundToMs(timeIn({ gap, isFirst: !before, isLast: !after }))
  return { time, gap, doubtSeconds: Math.max(before?.doubtSeconds ?? 0, after?.doubtSeconds ?? 0) }
}

/** At most half of the gap. */
function least({ start, end }: Span, seconds: number): number {
  return Math.min(seconds, (end - start) / 2)
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value))
}
