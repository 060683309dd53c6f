// Decodes any container, or one voice of it, to 16 kHz mono samples on a pipe, and reports defects of the file.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Run } from '../../domain/run.ts'
import type { Span } from '../../domain/transcript.ts'
import { killedExitCode } from '../../system/child-process.ts'
import type { Source } from '../source/source.ts'
import { sampleRate } from './activity.ts'
import { onClock, silenceOf } from './clock/clock.ts'
import { type DecodeOptions, decoderArguments, seekSeconds } from './decode-arguments.ts'
import { endedEarly, noAudioError } from './decode-errors.ts'
import { headerDuration, playedSeconds, startSeconds, warnOfDamage } from './decode-warnings.ts'
import { type FfmpegProcess, type LocateFfmpeg, readAll, startFfmpeg } from './ffmpeg.ts'
import { checkSampleRate, maxSeconds } from './plausibility.ts'

export interface Decoding {
  /** 16-bit little-endian samples, 16 kHz mono, in buffers of whole samples; can be read once. */
  samples: AsyncIterable<Buffer>
  /** The text that ffmpeg has written about the file so far. */
  description(): string
  /** Length by the file's header; undefined until the header was read, or where it gives none. */
  headerSeconds(): number | undefined
  decodedSeconds(): number
  /** The part that was not decoded because ffmpeg itself died; known once all samples were read. */
  lost(): Span | undefined
  /** The first ten seconds as MP3, if requested by the option `voiceNote`; resolves once all samples were read. */
  voiceNote(): Promise<Buffer | undefined>
}

/** Of a file whose header gives no length. */
const maxGapSeconds = 12 * 3600
/** The first chunks are on their way before the rest of a long file is looked at for damage. */
const undisturbedSeconds = 600

/**
 * Starts decoding when `samples` is first read. Throws `SpeechError` where there is no audio. A file that is truncated
 * or damaged yields its readable part and a warning.
 */
export function decode(
  given: Source,
  ffmpeg: LocateFfmpeg,
  run: Pick<Run, 'signal' | 'warn'>,
  options: DecodeOptions = {},
): Decoding {
  const { part } = options
  const source = seekSeconds(options) > 0 ? { ...given, hasClock: true } : given
  const start = 2 * samplesOf(part?.start ?? 0)
  const end = 2 * samplesOf(part?.end ?? Number.POSITIVE_INFINITY)
  let bytes = 0
  let stderr = () => ''
  let voiceNote: Promise<Buffer> | undefined
  let lost = false
  let isRateChecked = false
  let isAsInFile = true
  const onChange = () => {
    isAsInFile = false
  }
  const seconds = () => bytes / 2 / sampleRate
  function* wanted(buffer: Buffer): Generator<Buffer> {
    const from = Math.max(0, start - bytes)
    const to = Math.min(end - bytes, buffer.length)
    bytes += buffer.length
    if (from < to) yield buffer.subarray(from, to)
  }
  async function* samples(): AsyncGenerator<Buffer> {
    const found = await ffmpeg()
    const { noteDecoders } = found
    const argumentsFor = (file: string) => decoderArguments({ ...source, file }, options)
    const note = { file: source.file, argumentsFor }
    const waited = options.voiceNote ? noteDecoders?.take(found, note, run.signal) : undefined
    // The system may have ended a process that waits, or forbid it to follow a link.
    if (waited && !(yield* soundFrom(waited, { mayBeEmpty: true }))) return
    const urgency = options.urgency ?? (options.voiceNote ? 'note' : 'long')
    const decoder = startFfmpeg(found, argumentsFor(source.file), run.signal, urgency)
    yield* soundFrom(decoder, { mayBeEmpty: false })
    if (waited) noteDecoders?.noteFailure()
  }
  /** Returns true where `mayBeEmpty` and nothing was decoded. */
  async function* soundFrom(
    process: FfmpegProcess,
    { mayBeEmpty }: { mayBeEmpty: boolean },
  ): AsyncGenerator<Buffer, boolean> {
    voiceNote = readAll(process.pipe3)
    voiceNote.catch(() => {})
    stderr = process.stderr
    process.stdin.end()
    let damage: ReturnType<typeof findDamage> | undefined
    // Where it cannot be read, ffmpeg says so too.
    const findDamage = async () => source.readAll?.(run.signal).catch(() => undefined)
    const onBroken = () => {
      lost = true
      process.kill()
    }
    try {
      for await (const buffer of soundOf(process, source, onChange, onBroken)) {
        isRateChecked ||= checkSampleRate(stderr())
        yield* wanted(buffer)
        if (bytes >= end) return false
        if (!part && seconds() > undisturbedSeconds) damage ??= findDamage()
      }
      const code = await process.ended
      run.signal.throwIfAborted()
      if (mayBeEmpty && bytes === 0) return true
      lost ||= code === killedExitCode
      if (part && lost) throw endedEarly()
      if (part) return false
      if (!isRateChecked) checkSampleRate(stderr())
      if (bytes === 0) throw noAudioError(stderr(), code)
      if (lost) return false
      // Where ffmpeg has failed, a whole file is no proof that all of it was decoded.
      const whole = { ...source, ...(await (damage ?? findDamage())) }
      const judged = code === 0 ? whole : { ...whole, isTruncated: whole.isTruncated || undefined }
      const played = playedSeconds(stderr(), judged) ?? 0
      const silent = played <= maxSeconds(source.bytes) ? samplesOf(played - seconds()) : 0
      for await (const buffer of silenceOf(silent)) yield* wanted(buffer)
      const hasGaps = !isAsInFile || silent > 0
      warnOfDamage(stderr(), { decoded: seconds(), hasGaps }, judged, run)
      return false
    } finally {
      process.kill()
    }
  }
  return {
    samples: samples(),
    description: () => stderr(),
    headerSeconds: () => headerDuration(stderr()),
    decodedSeconds: seconds,
    lost: () =>
      lost ? { start: seconds(), end: Math.max(seconds(), headerDuration(stderr()) ?? 0) } : undefined,
    voiceNote: async () => (options.voiceNote && isAsInFile ? await voiceNote : undefined),
  }
}

/** Yields the samples on the clock of a player, in buffers of whole samples. */
function soundOf(
  { stdout, stderr }: FfmpegProcess,
  { hasClock, bytes, isJoined, pages, voice }: Source,
  onChange: () => void,
  onBroken: () => void,
): AsyncIterable<Buffer> {
  const output = afterDescription(stdout)
  if (!hasClock) return wholeSamples(output)
  const maxGap = () => (isJoined ? undefined : headerDuration(stderr())) ?? maxGapSeconds
  // Older muxers leave the delay of an edit list out of the length.
  const isDelayed = () => /^Input #0, mov/m.test(stderr())
  return onClock(output, {
    isJoined,
    pages: pagesOf(pages, voice?.stream),
    startMs: () => startSeconds(stderr()) * 1000,
    isGap: (seconds, start) =>
      (seconds <= maxGap() || (start === 0 && isDelayed())) && start + seconds <= maxSeconds(bytes),
    onChange,
    onBroken,
  })
}

/** Of the stream; ffmpeg takes the only one with sound. Undefined where there are several to choose from. */
function pagesOf(pages: Source['pages'] = [], stream?: number): readonly Span[] | undefined {
  if (stream !== undefined) return pages[stream]
  const all = pages.filter(({ length }) => length > 0)
  return all.length === 1 ? all[0] : undefined
}

/** ffmpeg describes its input before the first sample, but both may arrive in one turn of the event loop. */
async function* afterDescription(output: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isFirst = true
  for await (const buffer of output) {
    if (isFirst) await nextTurn()
    isFirst = false
    yield buffer
  }
}

async function* wholeSamples(output: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let odd: Buffer | undefined
  for await (const chunk of output) {
    const buffer = odd ? Buffer.concat([odd, chunk]) : chunk
    const whole = buffer.length & ~1
    odd = whole < buffer.length ? buffer.subarray(whole) : undefined
    yield buffer.subarray(0, whole)
  }
}

function samplesOf(seconds: number): number {
  return Math.round(seconds * sampleRate)
}
