// Decodes any container, or one channel of it, to 16 kHz mono samples on a pipe, and reports defects of the file.
import { SpeechError } from '../../domain/errors.ts'
import { formatTime } from '../../domain/format-time.ts'
import type { Run } from '../../domain/run.ts'
import type { Span } from '../../domain/transcript.ts'
import { killedExitCode } from '../../system/child-process.ts'
import type { Source } from '../source/source.ts'
import { sampleRate } from './activity.ts'
import { inputArguments, playlistDemuxers } from './demuxers.ts'
import { encoderArguments, encoderError, maxVoiceNoteSeconds } from './encode.ts'
import { type LocateFfmpeg, readAll, startFfmpeg } from './ffmpeg.ts'
import { checkSampleRate } from './plausibility.ts'

export interface Decoding {
  /** Number of the channel, from 0; absent for the mix of all. */
  channel?: number
  /** 16-bit little-endian samples, 16 kHz mono, in buffers of whole samples; can be read once. */
  samples: AsyncIterable<Buffer>
  /** Length by the file's header; undefined until the header was read, or where it gives none. */
  headerSeconds(): number | undefined
  decodedSeconds(): number
  /** The part that was not decoded because ffmpeg itself died; known once all samples were read. */
  lost(): Span | undefined
  /** The first ten seconds as MP3, if requested by the option `voiceNote`; resolves once all samples were read. */
  voiceNote(): Promise<Buffer | undefined>
}

export interface DecodeOptions {
  /** Decodes only this channel, counted from 0, instead of the mix of all. */
  channel?: number
  /** Yields only this stretch: by sample number, as seeking by time is inexact in files with a variable bit rate. */
  part?: Span
  /** Encodes a voice note in the same process: starting a second one would take longer than its work. */
  voiceNote?: boolean
}

/**
 * Starts decoding when `samples` is first read. Throws `SpeechError` where there is no audio. A file that is truncated
 * or damaged yields its readable part and a warning.
 */
export function decode(
  source: Source,
  ffmpeg: LocateFfmpeg,
  run: Run,
  options: DecodeOptions = {},
): Decoding {
  const { part, channel } = options
  const start = 2 * samplesOf(part?.start ?? 0)
  const end = 2 * samplesOf(part?.end ?? Number.POSITIVE_INFINITY)
  let bytes = 0
  let stderr = () => ''
  let voiceNote: Promise<Buffer> | undefined
  let lost = false
  let isRateChecked = false
  const seconds = () => bytes / 2 / sampleRate
  async function* samples(): AsyncGenerator<Buffer> {
    const process = startFfmpeg(await ffmpeg(), decoderArguments(source.file, options), run.signal)
    voiceNote = readAll(process.pipe3)
    voiceNote.catch(() => {})
    stderr = process.stderr
    process.stdin.end()
    try {
      let odd: Buffer | undefined
      for await (const chunk of process.stdout) {
        const buffer = odd ? Buffer.concat([odd, chunk]) : chunk
        const whole = buffer.length & ~1
        odd = whole < buffer.length ? buffer.subarray(whole) : undefined
        const wanted = buffer.subarray(
          Math.min(Math.max(0, start - bytes), whole),
          Math.min(end - bytes, whole),
        )
        bytes += whole
        isRateChecked ||= checkSampleRate(stderr())
        if (wanted.length > 0) yield wanted
        if (bytes >= end) return
      }
      const code = await process.ended
      run.signal.throwIfAborted()
      if (!isRateChecked) checkSampleRate(stderr())
      if (bytes === 0 && !part) throw noAudioError(stderr(), code)
      if (!part) warnOfTracks(stderr(), run)
      if (!part && code === killedExitCode) lost = true
      if (!part && !lost) warnOfDamage(stderr(), seconds(), source, run)
    } finally {
      process.kill()
    }
  }
  return {
    channel,
    samples: samples(),
    headerSeconds: () => headerDuration(stderr()),
    decodedSeconds: seconds,
    lost: () =>
      lost ? { start: seconds(), end: Math.max(seconds(), headerDuration(stderr()) ?? 0) } : undefined,
    voiceNote: async () => (options.voiceNote ? await voiceNote : undefined),
  }
}

function decoderArguments(file: string, { channel, voiceNote }: DecodeOptions): string[] {
  const soundOnly = ['-map_metadata', '-1', '-vn', '-sn', '-dn']
  return [
    ...['-nostdin', '-loglevel', 'info'],
    ...inputArguments(file),
    ...[...soundOnly, '-ac', '1', '-ar', String(sampleRate)],
    ...(channel === undefined ? [] : ['-af', `pan=mono|c0=c${channel}`]),
    // Without flushing, samples arrive in buffers of 32 kB instead of 1 kB: a thirtieth of the reads.
    ...['-f', 's16le', '-flush_packets', '0', 'pipe:1'],
    ...(voiceNote
      ? [...soundOnly, '-t', String(maxVoiceNoteSeconds), ...encoderArguments('voiceNote'), 'pipe:3']
      : []),
  ]
}

function samplesOf(seconds: number): number {
  return Math.round(seconds * sampleRate)
}

/** The duration in ffmpeg's description of the input, unless ffmpeg estimated it from the bit rate. */
function headerDuration(stderr: string): number | undefined {
  const found = /^ {2}Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)/m.exec(stderr)
  if (!found || /Estimating duration from bitrate/.test(stderr)) return undefined
  return Number(found[1]) * 3600 + Number(found[2]) * 60 + Number(found[3])
}

function noAudioError(stderr: string, code: number): SpeechError {
  if (/Unknown encoder/.test(stderr)) return encoderError(stderr)
  const refused = /\[([\w,]+) @ [^\]]*\] Format not on whitelist/.exec(stderr)
  if (refused && playlistDemuxers.test(refused[1]!))
    return new SpeechError('PLAYLIST_REFUSED', 'The file is a playlist that refers to other files or URLs.', {
      hint: 'Use the recording itself.',
    })
  if (/Permission denied/.test(stderr))
    return new SpeechError('FILE_UNREADABLE', 'The server may not read the file.', {
      hint: 'Grant the server’s user permission to read it.',
    })
  if (/moov atom not found/.test(stderr))
    return new SpeechError('NOT_AUDIO', 'The file is truncated: its index is missing.', {
      hint: 'Copy or record it again; an MP4 without an index cannot be read.',
    })
  if (/^Input #0/m.test(stderr) && !/Stream #0:\d+.*: Audio:/.test(stderr))
    return new SpeechError('NO_AUDIO_TRACK', 'The file has video but no audio track.', {
      hint: 'Use a recording that has an audio track.',
    })
  if (/Stream #0:\d+.*: Audio: none|[Dd]ecoder .*not found|no decoder found|drm|DRM/.test(stderr))
    return new SpeechError(
      'UNSUPPORTED_CODEC',
      'The audio codec is not supported by this ffmpeg, or the file is protected.',
      { hint: 'Convert it to MP3, M4A, WAV, FLAC or Ogg first.' },
    )
  // A wrapper that ends before its program has no such end.
  const isEmpty = code === 0 && /nothing was encoded|audio:0/.test(stderr)
  if (
    refused ||
    /Invalid data found|misdetection possible|does not contain any stream|matches no streams/.test(stderr) ||
    isEmpty
  )
    return new SpeechError('NOT_AUDIO', 'The file is not audio or video that ffmpeg can read.', {
      hint: 'Use a recording: MP3, M4A, WAV, FLAC, Ogg, WebM, MP4, MOV, MKV and most others work.',
    })
  return new SpeechError('FFMPEG_FAILED', 'ffmpeg could not decode the file.', {
    hint: 'Try another copy of it. If FFMPEG_PATH is a wrapper, set it to ffmpeg itself; `speech-mcp doctor` checks it.',
  })
}

function warnOfTracks(stderr: string, run: Run): void {
  // After the mapping ffmpeg describes its output.
  const [input = ''] = stderr.split(/^Stream mapping:/m)
  const tracks = input.match(/^ +Stream #0:\d+.*: Audio:/gm)?.length ?? 0
  if (tracks > 1) run.warn(`The file has ${tracks} audio tracks; only the main one was transcribed.`)
}

function warnOfDamage(stderr: string, decoded: number, source: Source, run: Run): void {
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
