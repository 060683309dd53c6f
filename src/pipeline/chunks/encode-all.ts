// Makes a stream of chunks ready to be asked for: looks each up in earlier work, and encodes what is not there.

import type { LimitFunction } from 'p-limit'
import type { Run } from '../../domain/run.ts'
import { mapConcurrent } from '../async/map-concurrent.ts'
import { sampleRate } from '../audio/activity.ts'
import type { Chunk } from '../audio/cut.ts'
import type { Decoding } from '../audio/decode.ts'
import { type ChunkInfo, type EncodedChunk, encode, maxVoiceNoteSeconds } from '../audio/encode.ts'
import type { LocateFfmpeg } from '../audio/ffmpeg.ts'
import {
  type AsrOptions,
  type CachedRecognition,
  chunkKey,
  isCachedRecognition,
} from '../audio/fingerprint.ts'

export interface EncodingTools {
  ffmpeg: LocateFfmpeg
  /** Shared by all orders, so that ten of them do not start twenty encoders. */
  limitEncoding: LimitFunction
  /** The provider refuses audio that is shorter. */
  minSeconds: number
  options: AsrOptions
}

/** A chunk with what is sent for it, or with what was heard in it before. */
export type ReadyChunk = ChunkInfo & { key: string } & (
    | { audio: Buffer; seconds: number }
    | { heard: CachedRecognition; own: boolean }
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
    const key = chunkKey(chunk.samples, tools.options)
    const known = await run.checkpoints.get(key)
    if (isCachedRecognition(known)) {
      const { samples: _, release, ...place } = chunk
      release()
      return { ...place, key, heard: known, own: run.checkpoints.isFromThisJob(known) }
    }
    const short = whole !== undefined && whole.decodedSeconds() <= maxVoiceNoteSeconds
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
  const seconds = whole.decodedSeconds()
  if (seconds < minSeconds || samples.length < seconds * sampleRate) return undefined
  const audio = await whole.voiceNote()
  return audio?.length ? { ...place, audio, seconds } : undefined
}
