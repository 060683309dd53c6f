// Decodes a stretch of a recording as its transcript has heard it, without the hours before where that is exact.
import { SpeechError } from '../../domain/errors.ts'
import type { Run } from '../../domain/run.ts'
import type { Span } from '../../domain/transcript.ts'
import { sampleRate } from '../audio/activity.ts'
import { type Decoding, decode } from '../audio/decode.ts'
import type { LocateFfmpeg } from '../audio/ffmpeg.ts'
import type { Source } from '../source/source.ts'
import type { Voice } from '../voices/voice.ts'
import type { Sound } from './quiet.ts'

export interface HeardRecording {
  source: Source
  voices: readonly Voice[]
  /** Seconds that were decoded for the transcript. */
  duration: number
}

/** An earlier stretch is decoded from the start of the file. */
const minSeekSeconds = 60
/** Headers count in hundredths of a second, and some of them the padding of the last frame. */
const maxDifferenceSeconds = 0.15
/** Containers with a time for each packet, and a table by which it is found. */
const indexed = /^Input #0, (?:mov|matroska)/m
/** ffmpeg finds the very sample in these, measured with that of 2018 and with 5.1. */
const counted = /^Input #0, (?:wav|mp3|flac|aiff|ogg)\b/m

/** Frames without a count of them: ffmpeg counts those before the stretch. */
const framed = /^Input #0, (?:mp3|aac)\b/m

/** All voices together. Throws `SpeechError` where nothing can be decoded. */
export async function soundOf(
  { source, voices, duration }: HeardRecording,
  span: Span,
  ffmpeg: LocateFfmpeg,
  run: Pick<Run, 'signal' | 'warn'>,
): Promise<Sound> {
  const first = Math.round(span.start * sampleRate)
  const mixed = new Int32Array(Math.max(0, Math.round(span.end * sampleRate) - first))
  let length = 0
  for (const voice of voices) {
    const heard = { source: { ...source, voice }, duration }
    const read = (await readStretch(heard, span, ffmpeg, run)).subarray(0, mixed.length)
    for (let i = 0; i < read.length; i++) mixed[i]! += read[i]!
    length = Math.max(length, read.length)
  }
  if (length === 0)
    throw new SpeechError('BAD_INPUT', 'The recording has no sound at this time.', {
      hint: 'Ask for an earlier time.',
    })
  const samples = Int16Array.from(mixed.subarray(0, length), one => Math.max(-32_768, Math.min(32_767, one)))
  return { samples, start: first / sampleRate }
}

async function readStretch(
  { source, duration }: Omit<HeardRecording, 'voices'>,
  part: Span,
  ffmpeg: LocateFfmpeg,
  run: Pick<Run, 'signal' | 'warn'>,
): Promise<Int16Array> {
  const options = { part, urgency: 'note' } as const
  if (part.start >= minSeekSeconds && maySeek(source)) {
    const decoding = decode(source, ffmpeg, run, { ...options, seeks: true })
    const found = await collect(decoding, () => isExact(decoding, { source, duration }, run.signal))
    if (found && found.length > 0) return found
  }
  return (await collect(decode(source, ffmpeg, run, options), async () => true))!
}

/** False for files whose times mean something else than they say. */
function maySeek({ isTruncated, isJoined, isFollowed, isMended, strayShare = 0, inputOptions }: Source) {
  return !(isTruncated || isJoined || isFollowed || isMended || strayShare > 0 || inputOptions)
}

/** True where the clock has not leapt anywhere: as many seconds were decoded as the header has, or all is frames. */
async function isExact(
  decoding: Decoding,
  { source, duration }: Omit<HeardRecording, 'voices'>,
  signal: AbortSignal,
): Promise<boolean> {
  const header = decoding.headerSeconds()
  const description = decoding.description()
  if (header === undefined) return framed.test(description) && (await isAllFrames(source, signal))
  if (indexed.test(description)) return true
  return counted.test(description) && Math.abs(header - duration) <= maxDifferenceSeconds
}

async function isAllFrames(source: Source, signal: AbortSignal): Promise<boolean> {
  const { strayShare, hasTags, isFollowed, isTruncated } = { ...source, ...(await source.readAll?.(signal)) }
  return strayShare === 0 && !hasTags && !isFollowed && !isTruncated
}

/** Undefined where the first samples are not to be trusted. */
async function collect(
  decoding: Decoding,
  isTrusted: () => Promise<boolean>,
): Promise<Int16Array | undefined> {
  const buffers: Buffer[] = []
  for await (const buffer of decoding.samples) {
    if (buffers.length === 0 && !(await isTrusted())) return undefined
    // The buffer may be used again.
    buffers.push(Buffer.from(buffer))
  }
  const { buffer, byteOffset, length } = Buffer.concat(buffers)
  return new Int16Array(buffer.slice(byteOffset, byteOffset + (length & ~1)))
}
