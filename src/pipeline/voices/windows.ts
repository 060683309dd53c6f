// Reads samples of a recording's tracks in windows, to compare them without decoding hours.
import pLimit from 'p-limit'
import { sampleRate } from '../audio/activity.ts'
import { type InputFile, inputArguments } from '../audio/demuxers.ts'
import { type FfmpegProcess, readAll } from '../audio/ffmpeg.ts'

/** A stretch of several channels or tracks: 16 kHz samples, of equal length. */
export type Stretch = readonly Int16Array[]

export type StartFfmpeg = (args: string[]) => FfmpegProcess

export interface WindowOptions {
  stream: number
  /** The track's, each of which is read; or 1 for the mix of them. */
  channels: number
  /** True where loudspeakers are known for the channels. */
  hasLayout?: boolean
  /** Filter for that mix; default: by their layout. */
  mix?: string
  /** Of the recording, in seconds; default: unknown, so that only its start is read. */
  duration?: number
  /** Number of tracks that are read, each of them for a shorter time. */
  tracks?: number
  /** Of a window. */
  maxSeconds?: number
  /** True for samples finer than 16 bits, which are raised if they are very quiet. */
  isFine?: boolean
}

export interface Windows {
  /** Across the recording, or its start where its length is unknown. Empty where the track cannot be decoded. */
  stretches: Stretch[]
  /** Decibels by which the samples were raised. */
  gainDb: number
}

const windowCount = 10
const maxWindowSeconds = 20
const minWindowSeconds = 5
/** A window of all tracks and channels together. */
const maxTrackSeconds = 60

/** Peaks of speech in 16 bits; what is between the windows may be louder than what is in them. */
const raisedPeakDbfs = -12
/** Quieter recordings are raised: 16 bits leave nine of their samples. */
export const maxQuietPeakDbfs = -40
const minPeakDbfs = -120
/** Processes at once. */
export const concurrency = 2

/** Reads windows of a track; a recording that is no longer than all of them together is read whole. */
export async function readWindows(
  source: InputFile,
  options: WindowOptions,
  start: StartFfmpeg,
): Promise<Windows> {
  const { stream, channels, hasLayout, mix, isFine } = options
  const { duration = 0, tracks = 1, maxSeconds = maxWindowSeconds } = options
  const fair = Math.floor(maxTrackSeconds / tracks / channels)
  const seconds = Math.max(minWindowSeconds, Math.min(maxSeconds, fair))
  const isWhole = duration <= windowCount * seconds
  const starts = isWhole ? [0] : windowStarts(duration, seconds)
  const length = isWhole ? windowCount * seconds : seconds
  // A few seconds more or less do not matter, and a long MP3 need not be read from its start; but tracks must be aligned.
  const seek = tracks > 1 ? [] : ['-fflags', '+fastseek', '-noaccurate_seek']
  const clock = tracks > 1 ? ':async=1:first_pts=0' : ''
  const samples = length * sampleRate
  const layout = ['', ':channel_layouts=mono', ':channel_layouts=stereo'][channels] ?? ''
  const format = `aformat=sample_fmts=${isFine ? 'flt' : 's16'}${layout}`
  // Each window is padded to its full length, so that the start of the next one is known.
  const padding = isWhole ? '' : `,apad,atrim=end_sample=${samples}`
  const convert = `${mix ? `${mix},` : ''}aresample=${sampleRate}${clock},${format}${padding}`

  /** One process reads several windows, one after the other. */
  async function read(some: number[]): Promise<Buffer> {
    const inputs = some.flatMap(at => [
      ...seek,
      '-ss',
      at.toFixed(1),
      '-t',
      String(length),
      ...inputArguments(source),
    ])
    const parts = some.map((_, i) => `[${i}:${stream}]${convert}`)
    const names = some.map((_, i) => `[w${i}]`)
    const joined = `${parts.map((part, i) => `${part}${names[i]};`).join('')}${names.join('')}concat=n=${some.length}:v=0:a=1`
    const graph = some.length > 1 ? joined : parts[0]!
    const output = ['-f', isFine ? 'f32le' : 's16le', 'pipe:1']
    const process = start([...inputs, '-filter_complex', graph, ...output])
    process.stdin.end()
    const [sound] = await Promise.all([readAll(process.stdout), process.ended])
    return sound
  }

  // No filter joins windows of channels without a layout.
  const limit = pLimit(concurrency)
  const groups = layout || hasLayout ? [starts] : starts.map(at => [at])
  const sound = Buffer.concat(await Promise.all(groups.map(group => limit(() => read(group)))))
  const { all, gainDb } = isFine ? raised(sound) : { all: samplesOf(sound), gainDb: 0 }
  const each = (isWhole ? Math.floor(all.length / channels) : samples) * channels
  const stretches = starts.map((_, i) => deinterleave(all.subarray(i * each, (i + 1) * each), channels))
  return { stretches: stretches.filter(([first]) => first!.length > 0), gainDb }
}

function deinterleave(samples: Int16Array, channels: number): Stretch {
  if (channels === 1) return [samples]
  const length = Math.floor(samples.length / channels)
  const stretch = Array.from({ length: channels }, () => new Int16Array(length))
  for (const [channel, own] of stretch.entries())
    for (let i = 0; i < length; i++) own[i] = samples[i * channels + channel]!
  return stretch
}

function samplesOf(sound: Buffer): Int16Array {
  return new Int16Array(sound.buffer, sound.byteOffset, sound.length >> 1)
}

/** 16-bit samples of floats, raised where these are very quiet. */
function raised(sound: Buffer): { all: Int16Array; gainDb: number } {
  const given = new Float32Array(sound.buffer, sound.byteOffset, sound.length >> 2)
  const peak = 20 * Math.log10(given.reduce((most, one) => Math.max(most, Math.abs(one)), 0))
  const isQuiet = peak <= maxQuietPeakDbfs && peak > minPeakDbfs
  const gainDb = isQuiet ? Math.round(raisedPeakDbfs - peak) : 0
  const factor = 32_767 * 10 ** (gainDb / 20)
  return { all: Int16Array.from(given, one => Math.max(-32_768, Math.min(32_767, one * factor))), gainDb }
}

/** Messages of a process that has ended. */
export async function stderrOf(process: FfmpegProcess): Promise<string> {
  process.stdin.end()
  await Promise.all([readAll(process.stdout), process.ended])
  return process.stderr()
}

function windowStarts(duration: number, seconds: number): number[] {
  const room = duration - seconds
  return Array.from({ length: windowCount }, (_, i) => (room * i) / (windowCount - 1))
}
