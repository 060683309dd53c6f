// Makes a stream of chunks ready to be asked for: looks each up in earlier work, and encodes what is not there.

import type { LimitFunction } from 'p-limit'
import type { Run } from '../../domain/run.ts'
import { mapConcurrent } from '../async/map-concurrent.ts'
import { sampleRate } from '../audio/activity.ts'
import type { Chunk } from '../audio/cut.ts'
import type { Decoding } from '../audio/decode.ts'
import { type ChunkPlace, type EncodedChunk, encode, longestVoiceNote } from '../audio/encode.ts'
import type { LocateFfmpeg } from '../audio/ffmpeg.ts'
import { type Asked, chunkKey, type Heard, isHeard } from '../audio/fingerprint.ts'

export interface EncodingTools {
  ffmpeg: LocateFfmpeg
  /** Shared by all orders, so that ten of them do not start twenty encoders. */
  limitEncoding: LimitFunction
  /** The provider refuses audio that is shorter. */
  minSeconds: number
  asked: Asked
}

/** A chunk with what is sent for it, or with what was heard in it before. */
export type ReadyChunk = ChunkPlace & { key: string } & (
    | { audio: Buffer; seconds: number }
    | { heard: Heard; own: boolean }
  )

/** Two encoders keep two cores busy; the decoder and the network fill what they leave. */
export const encoderConcurrency = 2

/** Yields chunks as they are ready, in no fixed order. `whole` is given when they are all of a recording. */
export function encodeAll(
  chunks: AsyncIterable<Chunk>,
  tools: EncodingTools,
  run: Run,
  whole?: Decoding,
): AsyncGenerator<ReadyChunk> {
  return mapConcurrent(chunks, encoderConcurrency, async chunk => {
    const key = chunkKey(chunk.samples, tools.asked)
    const known = await run.checkpoints.get(key)
    if (isHeard(known)) {
      const { samples: _, release, ...place } = chunk
      release()
      return { ...place, key, heard: known, own: run.checkpoints.isFromThisJob(known) }
    }
    const short = whole !== undefined && whole.decoded() <= longestVoiceNote
    const ready = short ? await encodedAlready(chunk, whole, tools.minSeconds) : undefined
    const profile = short ? 'voiceNote' : 'recording'
    return { key, ...(ready ?? (await tools.limitEncoding(() => encode(chunk, { ...tools, profile }, run)))) }
  })
}

/** The decoder's own MP3, when the chunk is all of the recording and long enough to be sent as it is. */
async function encodedAlready(
  chunk: Chunk,
  whole: Decoding,
  minSeconds: number,
): Promise<EncodedChunk | undefined> {
  const { samples, release, ...place } = chunk
  const seconds = whole.decoded()
  if (seconds < minSeconds || samples.length < seconds * sampleRate) return undefined
  const audio = await whole.voiceNote()
  return audio?.length ? { ...place, audio, seconds } : undefined
}
