// Warnings of a decoded file, by ffmpeg's description of it and by its messages.
import { formatTime } from '../../domain/format-time.ts'
import type { Run } from '../../domain/run.ts'
import type { Source } from '../source/source.ts'

/** The duration in ffmpeg's description of the input, unless ffmpeg estimated it from the bit rate. */
export function headerDuration(stderr: string): number | undefined {
  const found = /^ {2}Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)/m.exec(stderr)
  if (!found || /Estimating duration from bitrate/.test(stderr)) return undefined
  return Number(found[1]) * 3600 + Number(found[2]) * 60 + Number(found[3])
}

export function warnOfTracks(stderr: string, run: Run): void {
  // After the mapping ffmpeg describes its output.
  const [input = ''] = stderr.split(/^Stream mapping:/m)
  const tracks = input.match(/^ +Stream #0:\d+.*: Audio:/gm)?.length ?? 0
  if (tracks > 1) run.warn(`The file has ${tracks} audio tracks; only the main one was transcribed.`)
}

export function warnOfDamage(stderr: string, decoded: number, source: Source, run: Run): void {
  const expected = headerDuration(stderr)
  // A video may run longer than its audio, so its length proves nothing; cover art is no video.
  const isVideo = /Stream #0:\d+.*: Video: (?!.*attached pic|(?:mjpeg|png|bmp|gif|webp)\b.* 90k tbr)/.test(
    stderr,
  )
  const toleranceSeconds = Math.max(0.5, decoded * 0.01)
  if (!isVideo && expected !== undefined && expected - decoded > toleranceSeconds)
    run.warn(
      `The file seems to be cut off: its header says ${formatTime(expected)}, but its audio ends at ${formatTime(decoded)}. The audio up to there was transcribed.`,
    )
  else if (source.isTruncated || /partial file|corrupt input packet|Read error/.test(stderr))
    run.warn(
      `The file seems to be cut off after ${formatTime(decoded)}. The audio up to there was transcribed.`,
    )
  else if (/Error while decoding|Error submitting packet/.test(stderr))
    run.warn('Parts of the file are damaged and could not be decoded; words may be missing there.')
}
