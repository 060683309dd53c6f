// The stretches of a recording that a chunk is made of, and times in the recording of moments in the chunk.
import { roundToMs, type Span } from '../../../domain/transcript.ts'
import { framesPerSecond } from '../activity.ts'

/** A stretch without omissions; it ends where the next one begins. */
export interface Part {
  /** Seconds from the start of the chunk's samples. */
  at: number
  /** Seconds of the recording. */
  start: number
}

/** `frames`: numbers in the recording of a chunk's frames. */
export function partsOf(frames: readonly number[]): Part[] {
  const parts: Part[] = []
  for (let i = 0; i < frames.length; i++)
    if (i === 0 || frames[i] !== frames[i - 1]! + 1) parts.push({ at: time(i), start: time(frames[i]!) })
  return parts
}

/** The spans of a chunk's frames that are included. */
export function spansOf(
  frames: readonly number[],
  isIncluded: (frame: number, index: number) => boolean,
): Span[] {
  const spans: Span[] = []
  let last: number | undefined
  for (let i = 0; i < frames.length; i++) {
    const frame = frames[i]!
    if (!isIncluded(frame, i)) continue
    const end = time(frame + 1)
    if (last === frame - 1) spans[spans.length - 1]!.end = end
    else spans.push({ start: time(frame), end })
    last = frame
  }
  return spans
}

/** When a frame begins. */
export function time(frame: number): number {
  return roundToMs(frame / framesPerSecond)
}

/** The time in the recording of a moment of the chunk. Where two parts meet, an end belongs to the first. */
export function timeInRecording(seconds: number, parts: readonly Part[], isEnd = false): number {
  return timeIn(parts.findLast(({ at }) => (isEnd ? at < seconds : at <= seconds)) ?? parts[0]!, seconds)
}

/** The same for one moment after the other, in order of time. */
export function clockOf(parts: readonly Part[]): (seconds: number) => number {
  let at = 0
  return seconds => {
    while (at + 1 < parts.length && parts[at + 1]!.at <= seconds) at++
    return timeIn(parts[at]!, seconds)
  }
}

function timeIn(part: Part, seconds: number): number {
  return roundToMs(part.start + Math.max(0, seconds - part.at))
}
