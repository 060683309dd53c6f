// Encodes the samples of a clip to an MP3 file whose tag tells players where its sound begins and ends.
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run } from '../../domain/run.ts'
import { sampleRate } from '../audio/activity.ts'
import { bytesOf } from '../audio/cut/sample-memory.ts'
import { encoderError } from '../audio/encode.ts'
import { type LocateFfmpeg, readAll, startFfmpeg } from '../audio/ffmpeg.ts'
import { describeFileError } from '../source/paths.ts'

export const clipMime = 'audio/mpeg'

/** 4,000 bytes a second, so that base64 of 150,000 characters holds 28 s; the tag and the delay of LAME take 0.2 s. */
export const maxClipSeconds = 27.5
const bitRate = '32k'
/** A cut through the sound would click. */
const fadeSamples = 0.004 * sampleRate

/** MP3 of 16 kHz samples: mono, of a constant bit rate. Throws `FFMPEG_*`, `DISK_FULL`. */
export async function encodeClip(
  samples: Int16Array,
  ffmpeg: LocateFfmpeg,
  { scratch, signal }: Pick<Run, 'scratch' | 'signal'>,
): Promise<Buffer> {
  // The tag is written last, in front of all else: not into a pipe.
  const file = join(await scratch(), 'clip.mp3')
  const input = ['-f', 's16le', '-ar', String(sampleRate), '-ac', '1', '-i', 'pipe:0']
  const encoding = ['-c:a', 'libmp3lame', '-b:a', bitRate, '-compression_level', '2']
  const output = ['-map_metadata', '-1', '-id3v2_version', '0', '-write_xing', '1', '-f', 'mp3', '-y', file]
  const args = ['-loglevel', 'error', ...input, ...encoding, ...output]
  const process = startFfmpeg(await ffmpeg(), args, signal, 'note')
  try {
    process.stdin.end(bytesOf(faded(samples)))
    await readAll(process.stdout)
    const code = await process.ended
    signal.throwIfAborted()
    if (/No space left/i.test(process.stderr())) throw describeFileError({ code: 'ENOSPC' })
    if (code !== 0) throw encoderError(process.stderr())
    return await readFile(file)
  } finally {
    process.kill()
    await rm(file, { force: true }).catch(() => {})
  }
}

function faded(samples: Int16Array): Int16Array {
  const copy = samples.slice()
  const length = Math.min(fadeSamples, copy.length >> 1)
  for (let i = 0; i < length; i++) {
    const last = copy.length - 1 - i
    copy[i] = (copy[i]! * i) / length
    copy[last] = (copy[last]! * i) / length
  }
  return copy
}
