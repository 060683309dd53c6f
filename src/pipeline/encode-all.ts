// Encodes a stream of chunks, two at a time; a whole recording that is short goes as a voice note.
import type { Run } from '../domain/job.ts'
import { sampleRate } from './activity.ts'
import type { Chunk } from './cut.ts'
import type { Decoding } from './decode.ts'
import { type EncodedChunk, encode, longestVoiceNote } from './encode.ts'
import type { LocateFfmpeg } from './ffmpeg.ts'
import { parallel } from './parallel.ts'

export interface EncodingTools {
  ffmpeg: LocateFfmpeg
  /** The provider refuses audio that is shorter. */
  minSeconds: number
}

/** Two encoders keep two cores busy; the decoder and the network fill what they leave. */
const encoders = 2

/** Yields chunks as they are ready, in no fixed order. `whole` is given when they are all of a recording. */
export function encodeAll(
  chunks: AsyncIterable<Chunk>,
  tools: EncodingTools,
  run: Run,
  whole?: Decoding,
): AsyncGenerator<EncodedChunk> {
  return parallel(chunks, encoders, async chunk => {
    const short = whole !== undefined && whole.decoded() <= longestVoiceNote
    const ready = short ? await encodedAlready(chunk, whole, tools.minSeconds) : undefined
    return ready ?? (await encode(chunk, { ...tools, profile: short ? 'voiceNote' : 'recording' }, run))
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
