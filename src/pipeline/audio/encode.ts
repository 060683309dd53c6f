// Encodes a chunk to MP3 with an ffmpeg process of its own, through pipes.
import { SpeechError } from '../../domain/errors.ts'
import type { Run } from '../../domain/run.ts'
import type { Span } from '../../domain/transcript.ts'
import { sampleRate } from './activity.ts'
import type { Chunk } from './cut.ts'
import { type Ffmpeg, type FfmpegProcess, type LocateFfmpeg, readAll, startFfmpeg } from './ffmpeg.ts'

/** Recordings up to this length are voice notes. */
export const maxVoiceNoteSeconds = 10
/** Files up to this size may be voice notes: their encoding starts before their length is known. */
export const maxVoiceNoteBytes = 2_000_000

export const encodedMime = 'audio/mpeg'

/** A chunk for whose times its speech was heard. */
export interface HeardChunk extends Omit<Chunk, 'levels'> {
  /** Speech as the detector heard it, where it doubts `speech`. */
  heard?: Span[]
  /** Speech for estimated times: `heard` or `speech`, parted at short pauses. */
  voiced?: Span[]
}

/** A chunk without its samples. */
export type ChunkInfo = Omit<HeardChunk, 'samples' | 'release'>

export interface EncodedChunk extends ChunkInfo {
  audio: Buffer
  /** Length of `audio`, which the provider bills. */
  seconds: number
}

/** The two encodings that are sent. */
const profiles = {
  voiceNote: { bitRate: '24k', sampleRate: 8_000 },
  recording: { bitRate: '32k', sampleRate: 16_000 },
} as const
export type Profile = keyof typeof profiles

/**
 * Samples by which decoders play our MP3 late: 576 of LAME and 529 of their own. A LAME tag would tell them, but it is
 * written when all else is, at the start of a file, and ours is streamed.
 */
const delaySamples = 1105

/** Seconds by which times are late that were measured in audio of this profile. */
export function delaySeconds(profile: Profile): number {
  return delaySamples / profiles[profile].sampleRate
}

/** ffmpeg arguments for an output in one of the profiles. */
export function encoderArguments(profile: Profile): string[] {
  const { bitRate, sampleRate: rate } = profiles[profile]
  return [
    // LAME's fastest setting takes under half the time of the default, and is no less accurate.
    ...['-c:a', 'libmp3lame', '-b:a', bitRate, '-compression_level', '9', '-threads', '4'],
    ...['-ar', String(rate), '-ac', '1'],
    ...['-write_xing', '0', '-id3v2_version', '0', '-flush_packets', '0', '-f', 'mp3'],
  ]
}

/** An encoder that takes 16-bit little-endian samples, 16 kHz mono. */
export function startEncoder(ffmpeg: Ffmpeg, profile: Profile, signal: AbortSignal): FfmpegProcess {
  const input = ['-f', 's16le', '-ar', String(sampleRate), '-ac', '1', '-i', 'pipe:0']
  return startFfmpeg(ffmpeg, ['-loglevel', 'error', ...input, ...encoderArguments(profile), 'pipe:1'], signal)
}

/** Encodes a chunk and releases its samples. Fills it up with silence to `minSeconds`, as the provider refuses less. */
export async function encode(
  chunk: HeardChunk,
  { ffmpeg, profile, minSeconds }: { ffmpeg: LocateFfmpeg; profile: Profile; minSeconds: number },
  run: Run,
): Promise<EncodedChunk> {
  const { samples, release, ...info } = chunk
  const process = startEncoder(await ffmpeg(), profile, run.signal)
  const missing = Math.max(0, Math.ceil(minSeconds * sampleRate) - samples.length)
  process.stdin.write(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength))
  process.stdin.end(Buffer.alloc(missing * 2))
  const audio = await readAll(process.stdout)
  const code = await process.ended
  run.signal.throwIfAborted()
  if (code !== 0 || audio.length === 0) throw encoderError(process.stderr())
  const seconds = (samples.length + missing) / sampleRate
  release()
  return { ...info, audio, seconds }
}

export function encoderError(stderr: string): SpeechError {
  if (/Unknown encoder/.test(stderr))
    return new SpeechError('FFMPEG_FAILED', 'This ffmpeg was built without the MP3 encoder libmp3lame.', {
      hint: 'Set FFMPEG_PATH to a full build, or run `npm install ffmpeg-static`.',
    })
  return new SpeechError('FFMPEG_FAILED', 'ffmpeg could not encode a chunk.', {
    hint: 'Run `speech-mcp doctor` to check ffmpeg.',
  })
}
