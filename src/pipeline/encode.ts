// Encodes each chunk to MP3 with an ffmpeg of its own, started before the chunk is there where that saves time.
import { SpeechError } from '../domain/errors.ts'
import type { Run } from '../domain/job.ts'
import { sampleRate } from './activity.ts'
import type { Chunk } from './cut.ts'
import { type FfmpegProcess, type LocateFfmpeg, startFfmpeg } from './ffmpeg.ts'

/** The two settings that recordings are sent in: MP3 at 24 kbit/s for a voice note, 32 kbit/s for all others. */
export const profiles = {
  short: { bitRate: '24k', sampleRate: 8_000 },
  long: { bitRate: '32k', sampleRate: 16_000 },
} as const
export type Profile = keyof typeof profiles

/** Recordings up to this length (seconds) are voice notes. */
export const shortRecording = 10

export const encodedMime = 'audio/mpeg'

export interface EncodedChunk extends Omit<Chunk, 'samples'> {
  audio: Buffer
  /** Length of `audio`: what the provider bills. */
  seconds: number
}

export interface Encoder {
  encode(chunk: Chunk, profile: Profile): Promise<EncodedChunk>
  /** Starts an encoder that waits for its samples, so that its start-up passes while the decoder starts. */
  warm(profile: Profile): void
  /** Ends an encoder that waited in vain. */
  close(): void
}

export function createEncoder(ffmpeg: LocateFfmpeg, minSeconds: number, run: Run): Encoder {
  let waiting: { profile: Profile; process: Promise<FfmpegProcess> } | undefined

  function take(profile: Profile): Promise<FfmpegProcess> {
    const found = waiting
    waiting = undefined
    if (found?.profile === profile) return found.process
    found?.process.then(
      process => process.kill(),
      () => {},
    )
    return start(profile)
  }

  async function start(profile: Profile): Promise<FfmpegProcess> {
    return startFfmpeg(await ffmpeg(), encoderArguments(profile), run.signal)
  }

  return {
    async encode(chunk, profile) {
      const samples = atLeast(chunk.samples, minSeconds)
      const process = await take(profile)
      process.stdin.end(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength))
      const pieces: Buffer[] = []
      for await (const piece of process.stdout as AsyncIterable<Buffer>) pieces.push(piece)
      const code = await process.ended
      run.signal.throwIfAborted()
      if (code !== 0 || pieces.length === 0) throw encoderFailed(process.said())
      const { samples: _, ...rest } = chunk
      return { ...rest, audio: Buffer.concat(pieces), seconds: samples.length / sampleRate }
    },
    warm(profile) {
      waiting ??= { profile, process: start(profile) }
      waiting.process.catch(() => {})
    },
    close() {
      waiting?.process.then(
        process => process.kill(),
        () => {},
      )
      waiting = undefined
    },
  }
}

function encoderArguments(profile: Profile): string[] {
  const { bitRate, sampleRate: rate } = profiles[profile]
  return [
    ...['-loglevel', 'error', '-f', 's16le', '-ar', String(sampleRate), '-ac', '1', '-i', 'pipe:0'],
    // LAME's quickest setting takes under half the time of its usual one, and is no further from the original.
    ...['-c:a', 'libmp3lame', '-b:a', bitRate, '-compression_level', '9'],
    ...['-ar', String(rate), '-ac', '1', '-threads', '4', '-write_xing', '0', '-id3v2_version', '0'],
    ...['-flush_packets', '0', '-f', 'mp3', 'pipe:1'],
  ]
}

/** The provider refuses audio under a second: shorter chunks are filled up with silence. */
function atLeast(samples: Int16Array, minSeconds: number): Int16Array {
  const least = Math.ceil(minSeconds * sampleRate)
  if (samples.length >= least) return samples
  const longer = new Int16Array(least)
  longer.set(samples)
  return longer
}

function encoderFailed(words: string): SpeechError {
  if (/Unknown encoder/.test(words))
    return new SpeechError('FFMPEG_FAILED', 'This ffmpeg was built without the MP3 encoder libmp3lame.', {
      hint: 'Set FFMPEG_PATH to a full build, or `npm install ffmpeg-static`.',
    })
  return new SpeechError('FFMPEG_FAILED', 'ffmpeg could not encode a chunk.', {
    hint: 'Run `speech-mcp doctor` to check ffmpeg.',
  })
}
