// Parts speech at pauses that are too short to cut at: they are the best sign of where a sentence may end.
import { roundToMs, type Span } from '../../domain/transcript.ts'
import { framesPerSecond } from '../audio/activity.ts'
import type { Chunk } from '../audio/cut/cut.ts'
import { clockOf } from '../audio/cut/parts.ts'
import { quietLevel } from '../audio/quiet-level.ts'

/** 40 ms. */
const minPauseFrames = 2
/** A soft voice between loud ones is quiet for longer. */
const maxPauseFrames = 0.5 * framesPerSecond

/** The stretches of these spans without their short pauses, in seconds of the recording. */
export function betweenPauses(
  spans: readonly Span[],
  { levels, parts }: Pick<Chunk, 'levels' | 'parts'>,
): Span[] {
  const timeAt = clockOf(parts)
  const starts = new Float64Array(levels.length)
  for (let i = 0; i < starts.length; i++) starts[i] = timeAt(i / framesPerSecond)
  const found: Span[] = []
  let at = 0
  for (const span of spans) {
    while (at < starts.length && starts[at]! < span.start) at++
    const from = at
    while (at < starts.length && starts[at]! < span.end) at++
    const voiced = withoutPauses(starts.subarray(from, at), levels.slice(from, at))
    found.push(...(voiced.length > 0 ? voiced : [span]))
  }
  return found
}

/** Of frames that begin at these times. */
function withoutPauses(starts: Float64Array, levels: readonly number[]): Span[] {
  const limit = quietLevel(levels)
  const found: Span[] = []
  for (let from = 0, to = 0; from < starts.length; from = to) {
    const isQuiet = levels[from]! < limit
    while (to < starts.length && levels[to]! < limit === isQuiet) to++
    const isInside = from > 0 && to < starts.length
    if (isQuiet && to - from <= maxPauseFrames && !(isInside && to - from < minPauseFrames)) continue
    const [start, end] = [starts[from]!, roundToMs(starts[to - 1]! + 1 / framesPerSecond)]
    const last = found.at(-1)
    if (last && start - last.end < minPauseFrames / framesPerSecond - 0.001) last.end = end
    else found.push({ start, end })
  }
  return found
}
