// How long the chunks of a recording should be, so that few requests wait for each other.
import type { CutOptions } from '../audio/cut/cut.ts'
import type { Decoding } from '../audio/decode.ts'

/** So many requests go out at once, whatever the setting: the rule depends on the recording alone, as cached chunks do. */
const requestsAtOnce = 8
/** A recording of up to this length is one chunk; no chunk of more than 21 minutes aims at more. */
const maxAimedSeconds = 150
const minPartSeconds = 30
/** The first part is longer than the mean by this share, and the last one shorter: it is ready later, and due with the first. */
const maxSlope = 0.16
/** Taken by the first part from the second one, whose request waits until that of the first one is well under way. */
const leadSeconds = 3
/** Share of the longest chunk that a part may aim at: the pause that ends it may lie behind its end. */
const aimShare = 0.94
/** Of longer recordings, the first and the last chunks are short: nothing else can be done while they are prepared or sent. */
const minRampSeconds = 45
/** Share of the rest that one of the last chunks gets. */
const rampShare = 1 / 3

interface ChunkStart {
  /** Of the chunk, in seconds. */
  start: number
  /** Number of chunks before it. */
  chunksBefore: number
}

/**
 * Length to aim at, in seconds, for a chunk. `header`: length of the recording by its header; undefined where that gives
 * none.
 */
export function chunkLength(
  { start, chunksBefore }: ChunkStart,
  header: number | undefined,
  maxSeconds: number,
): number {
  // A header that tells too little tells nothing of the rest.
  const total = header !== undefined && start < header ? header : undefined
  const aimed = Math.min(maxSeconds, maxAimedSeconds)
  if (total === undefined) return Math.min(aimed, Math.max(minRampSeconds, start))
  if (total <= aimed) return maxSeconds
  const rest = total - start
  if (total <= requestsAtOnce * aimShare * maxSeconds) {
    // After a long silence little is left.
    if (rest < 1.5 * minPartSeconds) return maxSeconds
    return Math.min(maxSeconds, Math.max(minPartSeconds, rest * partOfRest(chunksBefore, total, maxSeconds)))
  }
  // No tiny chunk is left behind the last one.
  if (rest < 1.5 * minRampSeconds) return maxSeconds
  return Math.min(aimed, Math.max(minRampSeconds, Math.min(start, rest * rampShare)))
}

/**
 * Share of the rest for the next part: each cut makes good for the ones before, and no ninth request waits. Infinite for
 * the last one, as the header may tell a little too little.
 */
function partOfRest(chunksBefore: number, total: number, maxSeconds: number): number {
  const count = Math.min(requestsAtOnce, Math.floor(total / minPartSeconds))
  if (chunksBefore >= count - 1) return Number.POSITIVE_INFINITY
  const mean = total / count
  const slope = Math.min(maxSlope, (aimShare * maxSeconds) / mean - 1, 1 - minPartSeconds / mean)
  const planned = Array.from({ length: count }, (_, i) => 1 + slope * (1 - (2 * i) / (count - 1)))
  const lead = Math.min(
    leadSeconds / mean,
    (aimShare * maxSeconds) / mean - planned[0]!,
    planned[1]! - minPartSeconds / mean,
  )
  planned[0]! += lead
  planned[1]! -= lead
  const left = planned.slice(chunksBefore)
  return left[0]! / left.reduce((sum, part) => sum + part, 0)
}

/** By the length that the header has told by then. */
export function cutOptions(
  { headerSeconds }: Pick<Decoding, 'headerSeconds'>,
  { maxSeconds }: { maxSeconds: number },
): CutOptions {
  return {
    maxSeconds,
    lengthAt: (start, chunksBefore) => chunkLength({ start, chunksBefore }, headerSeconds(), maxSeconds),
  }
}
