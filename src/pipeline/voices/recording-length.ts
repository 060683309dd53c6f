// Reads how long a recording is, and how many tracks and channels it has; decodes it only where its header may not tell.
import { access } from 'node:fs/promises'
import type { Run } from '../../domain/run.ts'
import { decode } from '../audio/decode.ts'
import { noAudioError } from '../audio/decode-errors.ts'
import { inputArguments } from '../audio/demuxers.ts'
import { type LocateFfmpeg, startFfmpeg } from '../audio/ffmpeg.ts'
import { withSpeexDecoder } from '../audio/speex.ts'
import { describeFileError } from '../source/paths.ts'
import { openLocal, type Source } from '../source/source.ts'
import { readDescription } from './description.ts'
import { stderrOf } from './windows.ts'

export interface RecordingLength {
  /** Absent where neither header nor packets tell. */
  seconds?: number
  /** Audio tracks, and the most channels that one of them has. */
  tracks: number
  channels: number
}

/** Of these, ffmpeg reads files that were joined, but not how long they are: its figure is that of a header, or of two time stamps. */
const isUnsure = /^Input #0, (?:mpeg|avi|nut|au\b)/m

/** Throws `SpeechError` for a file without audio, or the signal's reason. */
export async function readLength(
  file: string,
  ffmpeg: LocateFfmpeg,
  run: Pick<Run, 'signal' | 'scratch'>,
): Promise<RecordingLength> {
  const { signal } = run
  const source = await openLocal(file, run)
  const found = await ffmpeg()
  const start = (...output: string[]) => {
    const input = ['-nostdin', '-loglevel', 'info', ...inputArguments(source)]
    return startFfmpeg(found, [...input, '-vn', '-sn', '-dn', ...output, '-f', 'null', '-'], signal)
  }
  const looking = start('-t', '0')
  const stderr = await stderrOf(looking)
  signal.throwIfAborted()
  const { tracks, duration } = readDescription(stderr)
  if (tracks.length === 0) {
    // It may have gone since it was hashed.
    await access(file).catch(error => {
      throw describeFileError(error)
    })
    throw noAudioError(stderr, await looking.ended)
  }
  const channels = Math.max(...tracks.map(track => track.channels))
  const isJoined = source.isJoined || source.isMended || isUnsure.test(stderr)
  const copied = async () => lastTime(await stderrOf(start('-map', '0:a:0', '-c', 'copy')))
  const seconds = isJoined
    ? Math.max(duration ?? 0, await decodedSeconds(source, ffmpeg, signal))
    : (duration ?? (await copied()))
  signal.throwIfAborted()
  return { ...(seconds !== undefined && { seconds }), tracks: tracks.length, channels }
}

/** Seconds of a recording as it is heard. */
async function decodedSeconds(source: Source, ffmpeg: LocateFfmpeg, signal: AbortSignal): Promise<number> {
  const run = { signal, warn() {} }
  const decoding = decode(await withSpeexDecoder(source, ffmpeg, run), ffmpeg, run)
  for await (const _ of decoding.samples);
  return decoding.decodedSeconds()
}

/** Seconds of the packets that were copied, by ffmpeg's last line. */
function lastTime(stderr: string): number | undefined {
  const found = [...stderr.matchAll(/\btime=(\d+):(\d\d):(\d\d(?:\.\d+)?)/g)].at(-1)
  return found && Number(found[1]) * 3600 + Number(found[2]) * 60 + Number(found[3])
}
