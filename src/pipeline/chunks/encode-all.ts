// Prepares a stream of chunks for recognition: looks each one up in the cache, and encodes the others.
import { availableParallelism } from 'node:os'
import type { Run } from '../../domain/run.ts'
import type { FairLimit } from '../../domain/waiting/fair-limit.ts'
import { mapConcurrent } from '../async/map-concurrent.ts'
import { sampleRate } from '../audio/activity.ts'
import type { ChunkEncoders } from '../audio/chunk-encoders.ts'
import type { Chunk } from '../audio/cut/cut.ts'
import type { Decoding } from '../audio/decode.ts'
import {
  type ChunkInfo,
  type EncodedChunk,
  encodeVoiceNote,
  type HeardChunk,
  maxVoiceNoteSeconds,
  type Profile,
} from '../audio/encode.ts'
import type { LocateFfmpeg } from '../audio/ffmpeg.ts'
import {
  type AsrOptions,
  type CachedRecognition,
  chunkKey,
  isCachedRecognition,
} from '../audio/fingerprint.ts'
import { heardSpeech } from '../audio/speech-detector/heard-speech.ts'
import { loadSpeechDetector } from '../audio/speech-detector/speech-detector.ts'
import { betweenPauses } from './short-pauses.ts'

export interface EncodingTools {
  ffmpeg: LocateFfmpeg
  encoders: ChunkEncoders
  /** Shared by all jobs, so that ten of them do not encode twenty chunks at once. */
  limitEncoding: FairLimit
  /** The provider refuses shorter audio. */
  minSeconds: number
  options: AsrOptions
}

/**
 * A chunk with its encoded audio, or with its recognition from the cache. `lookedAt`: when that had none, in milliseconds
 * since 1970.
 */
export type ReadyChunk = ChunkInfo & { key: string; profile: Profile } & (
    | (Pick<EncodedChunk, 'audio' | 'seconds' | 'reuseAudio'> & { lookedAt: number })
    | { recognition: CachedRecognition; isFromThisJob: boolean }
  )

/** One is encoded while the next one is cut and heard. */
const chunksAtOnce = 2
/**
 * At work in a process. On two cores one keeps up with the decoder, and a second one takes longer to start than it saves.
 */
export const encoderConcurrency = availableParallelism() > 2 ? 2 : 1

/** Yields chunks as they are ready, in completion order. `whole` is given when they make up a whole recording. */
export function encodeAll(
  chunks: AsyncIterable<Chunk>,
  tools: EncodingTools,
  run: Run,
  whole?: Decoding,
): AsyncGenerator<ReadyChunk> {
  return mapConcurrent(chunks, chunksAtOnce, async cutChunk => {
    const chunk = await withHeard(cutChunk)
    const key = await chunkKey(chunk.samples, tools.options)
    const isShort = whole !== undefined && whole.decodedSeconds() <= maxVoiceNoteSeconds
    const profile = isShort ? 'voiceNote' : 'recording'
    const lookedAt = Date.now()
    const recognition = await run.checkpoints.get(key)
    if (isCachedRecognition(recognition)) {
      const { samples: _, release, ...info } = chunk
      release()
      const isFromThisJob = run.checkpoints.isFromThisJob(recognition)
      return { ...info, key, profile, recognition, isFromThisJob }
    }
    const ready = isShort ? await encodedByDecoder(chunk, whole, tools.minSeconds) : undefined
    return {
      key,
      profile,
      lookedAt,
      ...(ready ?? (await tools.limitEncoding(run.owner, () => encode(chunk, profile, tools, run)))),
    }
  })
}

/** Encodes a chunk and releases its samples. Fills it up with silence to the length that the provider needs. */
async function encode(
  chunk: HeardChunk,
  profile: Profile,
  { encoders, ffmpeg, minSeconds }: EncodingTools,
  run: Run,
): Promise<EncodedChunk> {
  const { samples, release, ...info } = chunk
  const length = Math.max(samples.length, Math.ceil(minSeconds * sampleRate))
  const encoding =
    profile === 'recording'
      ? encoders.encode(samples, length, release)
      : encodeVoiceNote(samples, length, ffmpeg, run.signal)
  const audio = await encoding
  release()
  const encoded = { ...info, audio, seconds: length / sampleRate }
  return profile === 'recording' ? { ...encoded, reuseAudio: () => encoders.reuse(audio) } : encoded
}

/** While the samples are there, also for a chunk whose text is cached: times are not part of the cache. */
async function withHeard(chunk: Chunk): Promise<HeardChunk> {
  const detector = await loadSpeechDetector()
  const heard = detector && (await heardSpeech(chunk, detector))
  const voiced = betweenPauses(heard ?? chunk.speech, chunk)
  const { levels: _, ...kept } = chunk
  return { ...kept, ...(heard && { heard }), voiced }
}

/** The decoder's own MP3, when the chunk is the whole recording and long enough to be sent unchanged. */
async function encodedByDecoder(
  chunk: HeardChunk,
  whole: Decoding,
  minSeconds: number,
): Promise<EncodedChunk | undefined> {
  const { samples, release, ...info } = chunk
  const seconds = whole.decodedSeconds()
  if (seconds < minSeconds || samples.length < seconds * sampleRate) return undefined
  const audio = await whole.voiceNote()
  return audio?.length ? { ...info, audio, seconds } : undefined
}
