// How long the chunks of a recording should be, so that few requests wait for each other.
import type { CutOptions } from '../audio/cut/cut.ts'
import type { Decoding } from '../audio/decode.ts'

/** So many requests go out at once, whatever the setting: the rule depends on the recording alone, as cached chunks do. */
const requestsAtOnce = 8
/** A recording of up to this length is one chunk, and no chunk of a longer one aims at more. */
const maxAimedSeconds = 150
const minPartSeconds = 30
/** The first part is longer than the mean by this share, and the last one shorter: it is ready later, and due with the first. */
const maxSlope = 0.2
/** Share of the longest chunk that a part may aim at: the pause that ends it may lie behind its end. */
const aimShare = 0.94
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
  const aimed = Math.min(maxSeconds, maxAimedSeconds)
  if (total !== undefined && total <= aimed) return maxSeconds
  if (total !== undefined && total <= requestsAtOnce * aimShare * maxSeconds)
    return partLength(start, total, maxSeconds)
  const rest = total === undefined ? Number.POSITIVE_INFINITY : Math.max(0, total - start) * rampShare
  return Math.min(aimed, Math.max(minRampSeconds, Math.min(start, rest)))
}

/** Up to the next end of a part: so that each cut makes good for the one before, and no ninth request waits. */
function partLength(start: number, total: number, maxSeconds: number): number {
  const count = Math.min(requestsAtOnce, Math.floor(total / minPartSeconds))
  const mean = total / count
  const slope = Math.min(maxSlope, (aimShare * maxSeconds) / mean - 1, 1 - minPartSeconds / mean)
  let end = 0
  for (let i = 0; i < count - 1; i++) {
    const length = mean * (1 + slope * (1 - (2 * i) / (count - 1)))
    end += length
    if (end - start >= length / 2) return Math.min(maxSeconds, end - start)
  }
  return maxSeconds
}

/** By the length that the header has told by then. */
export function cutOptions(
  { headerSeconds }: Pick<Decoding, 'headerSeconds'>,
  { maxSeconds }: { maxSeconds: number },
): CutOptions {
  return { maxSeconds, lengthAt: start => chunkLength(start, headerSeconds(), maxSeconds) }
}
