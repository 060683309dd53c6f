// Reads how long a recording is, and how many tracks and channels it has, without decoding it.
import { access } from 'node:fs/promises'
import { noAudioError } from '../audio/decode-errors.ts'
import { inputArguments } from '../audio/demuxers.ts'
import { type LocateFfmpeg, startFfmpeg } from '../audio/ffmpeg.ts'
import { readContainer } from '../source/container.ts'
import { describeFileError } from '../source/paths.ts'
import { readDescription } from './description.ts'
import { stderrOf } from './windows.ts'

export interface RecordingLength {
  /** Absent where neither header nor packets tell. */
  seconds?: number
  /** Audio tracks, and the most channels that one of them has. */
  tracks: number
  channels: number
}

/** Throws `SpeechError` for a file without audio, or the signal's reason. */
export async function readLength(
  { file, bytes }: { file: string; bytes: number },
  ffmpeg: LocateFfmpeg,
  signal: AbortSignal,
): Promise<RecordingLength> {
  const container = await readContainer(file, bytes).catch(error => {
    throw describeFileError(error)
  })
  const found = await ffmpeg()
  const input = inputArguments({ file, ...container })
  const run = (...output: string[]) => {
    const args = [
      '-nostdin',
      '-loglevel',
      'info',
      ...input,
      '-vn',
      '-sn',
      '-dn',
      ...output,
      '-f',
      'null',
      '-',
    ]
    return startFfmpeg(found, args, signal)
  }
  const looking = run('-t', '0')
  const stderr = await stderrOf(looking)
  signal.throwIfAborted()
  const { tracks, duration } = readDescription(stderr)
  // The lengths in the header of such a file are mended before it is decoded.
  if (tracks.length === 0 && container.mended) return { tracks: 1, channels: 1 }
  if (tracks.length === 0) {
    // It may have gone since it was hashed.
    await access(file).catch(error => {
      throw describeFileError(error)
    })
    throw noAudioError(stderr, await looking.ended)
  }
  const seconds = duration ?? lastTime(await stderrOf(run('-map', '0:a:0', '-c', 'copy')))
  signal.throwIfAborted()
  const channels = Math.max(...tracks.map(track => track.channels))
  return { ...(seconds !== undefined && { seconds }), tracks: tracks.length, channels }
}

/** Seconds of the packets that were copied, by ffmpeg's last line. */
function lastTime(stderr: string): number | undefined {
  const found = [...stderr.matchAll(/\btime=(\d+):(\d\d):(\d\d(?:\.\d+)?)/g)].at(-1)
  return found && Number(found[1]) * 3600 + Number(found[2]) * 60 + Number(found[3])
}
