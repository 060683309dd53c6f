// The stretches of a recording that a chunk is made of, and times in the recording of moments in the chunk.
import { roundToMs } from '../../domain/transcript.ts'
import { framesPerSecond } from './activity.ts'

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
  for (const [i, frame] of frames.entries())
    if (i === 0 || frame !== frames[i - 1]! + 1)
      parts.push({ at: roundToMs(i / framesPerSecond), start: roundToMs(frame / framesPerSecond) })
  return parts
}

/** The time in the recording of a moment of the chunk. Where two parts meet, an end belongs to the first. */
export function timeInRecording(seconds: number, parts: readonly Part[], isEnd = false): number {
  const part = parts.findLast(({ at }) => (isEnd ? at < seconds : at <= seconds)) ?? parts[0]!
  return roundToMs(part.start + Math.max(0, seconds - part.at))
}
