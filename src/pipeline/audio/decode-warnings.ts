// Warnings of a decoded file, by ffmpeg's description of it and by its messages.
import { formatTime } from '../../domain/format-time.ts'
import type { Run } from '../../domain/run.ts'
import type { Source } from '../source/source.ts'

/**
 * Seconds, by ffmpeg's description of the input, unless ffmpeg estimated them from the bit rate. For Ogg it takes the
 * last time stamp for the length, wherever the first one lies.
 */
export function headerDuration(stderr: string): number | undefined {
  const found = /^ {2}Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)(?:, start: ([\d.]+))?/m.exec(stderr)
  if (!found || /Estimating duration from bitrate/.test(stderr)) return undefined
  const [, hours, minutes, seconds, start = 0] = found
  const length = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  return /^Input #0, ogg/m.test(stderr) ? Math.max(0, length - Number(start)) : length
}

/** Milliseconds by which ffmpeg 6 and newer move the start of MPEG-TS and Ogg to that of the streams in use. */
export function removedStartMs(stderr: string): number {
  return Number(/Correcting start time of Input #0 by (\d+) us/.exec(stderr)?.[1] ?? 0) / 1000
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
