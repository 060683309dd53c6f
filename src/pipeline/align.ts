// Gives each word that was heard the speaker who says it.
import type { FileHearing } from '../domain/ports.ts'
import type { Alignment, Segment, Speaker } from '../domain/transcript.ts'

export interface Aligned {
  /** In order of time: a turn, or a sentence or so of it. */
  segments: Segment[]
  /** Empty where nobody could be told apart. */
  speakers: Speaker[]
  alignment?: Alignment
  /** Sentences for the reader. */
  warnings: string[]
}

/**
 * `who` knows the speakers, `what` the words; either may be missing where its pass failed. `duration` is the length of
 * the recording in seconds. One hearing that tells both is given as both.
 */
export function align(
  _who: FileHearing | undefined,
  _what: FileHearing | undefined,
  _duration: number,
): Aligned {
  throw new Error('not written yet')
}
