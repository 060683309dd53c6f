// Decodes any container, or one channel of it, to 16 kHz mono samples on a pipe, and says what was wrong with the file.
import { SpeechError } from '../../domain/errors.ts'
import { formatTime } from '../../domain/format-time.ts'
import type { Run } from '../../domain/run.ts'
import type { Span } from '../../domain/transcript.ts'
import type { Source } from '../source/source.ts'
import { sampleRate } from './activity.ts'
import { allowedDemuxers, playlistDemuxers } from './demuxers.ts'
import { encoderArguments, encoderError, maxVoiceNoteSeconds } from './encode.ts'
import { killedExitCode, type LocateFfmpeg, readAll, startFfmpeg } from './ffmpeg.ts'

export interface Decoding {
  /** Which channel it is; absent for the mix of all. */
  channel?: number
  /** 16-bit little-endian samples, 16 kHz mono, in buffers of whole samples; can be read once. */
  samples: AsyncIterable<Buffer>
  /** Length by the file's own header, in seconds; undefined until it was read, or when it does not say. */
  headerSeconds(): number | undefined
  /** Seconds decoded so far. */
  decodedSeconds(): number
  /** What was not decoded because ffmpeg itself died; known once all samples were read. */
  lost(): Span | undefined
  /** The first ten seconds as a voice note's MP3, when that was asked for; there once all samples were read. */
  voiceNote(): Promise<Buffer | undefined>
}

export interface DecodeOptions {
  /** Decode this channel alone, counted from 0, instead of the mix of all. */
  channel?: number
  /** Decode this stretch of the recording alone. */
  part?: Span
  /** Let the same process encode a voice note on the side: a second one would take longer to start than to work. */
  voiceNote?: boolean
}

/**
 * Starts decoding when `samples` is first read. Throws `SpeechError` where there is nothing to hear; a file that
 * is cut off or damaged gives what there is, and a warning.
 */
export function decode(
  source: Source,
  ffmpeg: LocateFfmpeg,
  run: Run,
  options: DecodeOptions = {},
): Decoding {
  const { part, channel } = options
  let bytes = 0
  let said = () => ''
  let note: Promise<Buffer> | undefined
  let lost = false
  const seconds = () => bytes / 2 / sampleRate
  async function* samples(): AsyncGenerator<Buffer> {
    const process = startFfmpeg(await ffmpeg(), decoderArguments(source.file, options), run.signal)
    note = readAll(process.pipe3)
    note.catch(() => {})
    said = process.stderr
    process.stdin.end()
    try {
      let odd: Buffer | undefined
      for await (const piece of process.stdout as AsyncIterable<Buffer>) {
        const buffer = odd ? Buffer.concat([odd, piece]) : piece
        const whole = buffer.length & ~1
        odd = whole < buffer.length ? buffer.subarray(whole) : undefined
        bytes += whole
        yield buffer.subarray(0, whole)
      }
      const code = await process.ended
      run.signal.throwIfAborted()
      if (bytes === 0 && !part) throw nothingToHear(said(), code)
      if (!part) warnOfTracks(said(), run)
      if (!part && code === killedExitCode) lost = true
      if (!part && !lost) warnOfDamage(said(), seconds(), source, run)
    } finally {
      process.kill()
    }
  }
  return {
    ...(channel !== undefined && { channel }),
    samples: samples(),
    headerSeconds: () => headerDuration(said()),
    decodedSeconds: seconds,
    lost: () =>
      lost ? { start: seconds(), end: Math.max(seconds(), headerDuration(said()) ?? 0) } : undefined,
    voiceNote: async () => (options.voiceNote ? await note : undefined),
  }
}

function decoderArguments(file: string, { channel, part, voiceNote }: DecodeOptions): string[] {
  // By sample number, as seeking by time is inexact in files of varying bit rate.
  const trim = part && `atrim=start_sample=${samplesOf(part.start)}:end_sample=${samplesOf(part.end)}`
  const filters = [
    ...(channel === undefined ? [] : [`pan=mono|c0=c${channel}`]),
    ...(trim ? [`aresample=${sampleRate},${trim}`] : []),
  ]
  const soundOnly = ['-map_metadata', '-1', '-vn', '-sn', '-dn']
  return [
    ...['-nostdin', '-loglevel', 'info'],
    ...['-protocol_whitelist', 'file', '-format_whitelist', allowedDemuxers, '-i', `file:${file}`],
    ...[...soundOnly, '-ac', '1', '-ar', String(sampleRate)],
    ...(filters.length > 0 ? ['-af', filters.join()] : []),
    // Unflushed, samples come in pieces of 32 kB instead of 1 kB: a thirtieth of the reads.
    ...['-f', 's16le', '-flush_packets', '0', 'pipe:1'],
    ...(voiceNote
      ? [...soundOnly, '-t', String(maxVoiceNoteSeconds), ...encoderArguments('voiceNote'), 'pipe:3']
      : []),
  ]
}

function samplesOf(seconds: number): number {
  return Math.round(seconds * sampleRate)
}

/** The length in ffmpeg's description of the input; not where it was guessed from the bit rate. */
function headerDuration(words: string): number | undefined {
  const found = /^ {2}Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)/m.exec(words)
  if (!found || /Estimating duration from bitrate/.test(words)) return undefined
  return Number(found[1]) * 3600 + Number(found[2]) * 60 + Number(found[3])
}

function nothingToHear(words: string, code: number): SpeechError {
  if (/Unknown encoder/.test(words)) return encoderError(words)
  const refused = /\[([\w,]+) @ [^\]]*\] Format not on whitelist/.exec(words)
  if (refused && playlistDemuxers.test(refused[1]!))
    return new SpeechError(
      'PLAYLIST_REFUSED',
      'The file is a playlist that points to other files or addresses.',
      {
        hint: 'Give the recording itself.',
      },
    )
  if (/Permission denied/.test(words))
    return new SpeechError('FILE_UNREADABLE', 'The file may not be read.', {
      hint: 'Give the server’s user the right to read it.',
    })
  if (/moov atom not found/.test(words))
    return new SpeechError('NOT_AUDIO', 'The file was cut off before its index was written.', {
      hint: 'Copy or record it again; an MP4 without its index cannot be read.',
    })
  if (/^Input #0/m.test(words) && !/Stream #0:\d+.*: Audio:/.test(words))
    return new SpeechError('NO_AUDIO_TRACK', 'The file holds pictures but no sound.', {
      hint: 'Give a recording that has an audio track.',
    })
  if (/Stream #0:\d+.*: Audio: none|[Dd]ecoder .*not found|no decoder found|drm|DRM/.test(words))
    return new SpeechError(
      'UNSUPPORTED_CODEC',
      'The sound is in a coding that this ffmpeg cannot decode, or protected.',
      {
        hint: 'Convert it to MP3, M4A, WAV, FLAC or Ogg first.',
      },
    )
  if (
    refused ||
    /Invalid data found|misdetection possible|does not contain any stream|matches no streams/.test(words) ||
    code === 0
  )
    return new SpeechError('NOT_AUDIO', 'The file is not audio or video that ffmpeg can read.', {
      hint: 'Give a recording: MP3, M4A, WAV, FLAC, Ogg, WebM, MP4, MOV, MKV and most others work.',
    })
  return new SpeechError('FFMPEG_FAILED', 'ffmpeg could not decode the file.', {
    hint: 'Try another copy of it; `speech-mcp doctor` checks ffmpeg itself.',
  })
}

function warnOfTracks(words: string, run: Run): void {
  // Behind the mapping ffmpeg describes what it writes.
  const [input = ''] = words.split(/^Stream mapping:/m)
  const tracks = input.match(/^ +Stream #0:\d+.*: Audio:/gm)?.length ?? 0
  if (tracks > 1) run.warn(`The file holds ${tracks} audio tracks; only the main one was transcribed.`)
}

function warnOfDamage(words: string, decoded: number, source: Source, run: Run): void {
  const expected = headerDuration(words)
  // A film may run on after its sound ends, so its length says nothing; a cover is no film.
  const film = /Stream #0:\d+.*: Video: (?!.*attached pic|(?:mjpeg|png|bmp|gif|webp)\b.* 90k tbr)/.test(words)
  const slack = Math.max(0.5, decoded * 0.01)
  if (!film && expected !== undefined && expected - decoded > slack)
    run.warn(
      `The file seems to be cut off: it says ${formatTime(expected)}, and its sound ends at ${formatTime(decoded)}. What there is was transcribed.`,
    )
  else if (source.cutOff || /partial file|corrupt input packet|Read error/.test(words))
    run.warn(`The file seems to be cut off after ${formatTime(decoded)}. What there is was transcribed.`)
  else if (/Error while decoding|Error submitting packet/.test(words))
    run.warn('Parts of the file are damaged and could not be decoded; words may be missing there.')
}
