// How long the chunks of a recording should be, so that few requests wait for each other.
import type { CutOptions } from '../audio/cut/cut.ts'
import type { Decoding } from '../audio/decode.ts'

/** So many requests go out at once, whatever the setting: the rule depends on the recording alone, as cached chunks do. */
const requestsAtOnce = 8
/** Up to this length, each of them gets an equal part. With more, the next pause may lie beyond the longest chunk. */
const maxEqualSeconds = 1_100
const minEqualSeconds = 30
/** Of longer recordings, the first and the last chunks are short: nothing else can be done while they are prepared or sent. */
const minRampSeconds = 45
/** Share of the rest that one of the last chunks gets. */
const rampShare = 1 / 3

/**
 * Length to aim at, in seconds, for the chunk that begins at `start`. `header`: length of the recording by its header;
 * undefined where that gives none.
 */
export function chunkLength(start: number, header: number | undefined, maxSeconds: number): number {
  // A header that tells too little tells nothing of the rest.
  const total = header !== undefined && start < header ? header : undefined
  if (total !== undefined && total <= maxSeconds) return maxSeconds
  if (total !== undefined && total <= maxEqualSeconds)
    return Math.min(maxSeconds, Math.max(minEqualSeconds, total / requestsAtOnce))
  const rest = total === undefined ? Number.POSITIVE_INFINITY : Math.max(0, total - start) * rampShare
  return Math.min(maxSeconds, Math.max(minRampSeconds, Math.min(start, rest)))
}

/** By the length that the header has told by then. */
export function cutOptions(
  { headerSeconds }: Pick<Decoding, 'headerSeconds'>,
  { maxSeconds }: { maxSeconds: number },
): CutOptions {
  return { maxSeconds, lengthAt: start => chunkLength(start, headerSeconds(), maxSeconds) }
}
