// How chunks are encoded to MP3: the two profiles, their delay, and the encoder of a voice note.
import { SpeechError } from '../../domain/errors.ts'
import type { Span } from '../../domain/transcript.ts'
import { sampleRate } from './activity.ts'
import type { Chunk } from './cut/cut.ts'
import { blocksOf, bytesOf, type Samples } from './cut/sample-memory.ts'
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
  /** Returns the memory of `audio`, which must not be read afterwards. */
  reuseAudio?(): void
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
export const delaySamples = 1105

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
export function startEncoder(
  ffmpeg: Ffmpeg,
  profile: Profile,
  signal: AbortSignal,
  settings: readonly string[] = [],
): FfmpegProcess {
  // Without the codec, ffmpeg looks for others in the samples, and takes some noise for MP3.
  const format = ['-f', 'wav', '-ignore_length', '1', '-c:a', 'pcm_s16le']
  const input = ['-loglevel', 'error', ...format, '-i', 'pipe:0']
  const output = [...settings, ...encoderArguments(profile), 'pipe:1']
  const urgency = profile === 'voiceNote' ? 'note' : 'long'
  const process = startFfmpeg(ffmpeg, [...input, ...output], signal, urgency)
  process.stdin.write(wavHeader)
  return process
}

/**
 * Of a WAV file without an end: ffmpeg reads it in pieces three times as long as those of samples without a header, which
 * takes a tenth less time.
 */
const wavHeader = Buffer.alloc(44, 0xff)
wavHeader.write('RIFF', 0)
wavHeader.write('WAVEfmt ', 8)
wavHeader.writeUInt32LE(16, 16)
// PCM, one channel, and after the rates 2 bytes of 16 bits a sample.
for (const [i, value] of [1, 1, sampleRate, 0, 2 * sampleRate, 0, 2, 16].entries())
  wavHeader.writeUInt16LE(value, 20 + 2 * i)
wavHeader.write('data', 36)

/** MP3 of these 16 kHz samples, followed by silence up to `minSamples`. Throws `FFMPEG_FAILED` and `FFMPEG_HUNG`. */
export async function encodeVoiceNote(
  samples: Samples,
  minSamples: number,
  ffmpeg: LocateFfmpeg,
  signal: AbortSignal,
): Promise<Buffer> {
  const process = startEncoder(await ffmpeg(), 'voiceNote', signal)
  for (const block of blocksOf(samples)) process.stdin.write(bytesOf(block))
  process.stdin.end(bytesOf(new Int16Array(Math.max(0, minSamples - samples.length))))
  const audio = await readAll(process.stdout)
  const code = await process.ended
  signal.throwIfAborted()
  if (code !== 0 || audio.length === 0) throw encoderError(process.stderr())
  return audio
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

/** Of one that had begun: the samples of the chunk's beginning are not kept. */
export function encoderLost(): SpeechError {
  return new SpeechError('FFMPEG_FAILED', 'ffmpeg ended while it encoded a chunk.', {
    hint: 'Call again: what was recognised is kept. If it happens again, the system may be short of memory.',
    retryable: true,
  })
}
