// Reads samples of a recording's tracks in windows, to compare them without decoding hours.
import pLimit from 'p-limit'
import { sampleRate } from '../audio/activity.ts'
import { type InputFile, inputArguments } from '../audio/demuxers.ts'
import { type FfmpegProcess, readAll } from '../audio/ffmpeg.ts'

/** A stretch of several channels or tracks: 16 kHz samples, of equal length. */
export type Stretch = readonly Int16Array[]

type Samples = Int16Array | Float32Array
type SamplesConstructor = Int16ArrayConstructor | Float32ArrayConstructor

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
  const Memory: SamplesConstructor = isFine ? Float32Array : Int16Array
  const layout = ['', ':channel_layouts=mono', ':channel_layouts=stereo'][channels] ?? ''
  const format = `aformat=sample_fmts=${isFine ? 'flt' : 's16'}${layout}`
  // Each window is padded to its full length, so that the start of the next one is known.
  const padding = isWhole ? '' : `,apad,atrim=end_sample=${samples}`
  const convert = `${mix ? `${mix},` : ''}aresample=${sampleRate}${clock},${format}${padding}`

  /** One process reads several windows, one after the other. */
  async function read(some: number[]): Promise<Samples[][]> {
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
    const memory = some.map(() => Array.from({ length: channels }, () => new Memory(samples)))
    const [windows] = await Promise.all([filled(memory, samples, process.stdout), process.ended])
    return windows
  }

  // No filter joins windows of channels without a layout.
  const limit = pLimit(concurrency)
  const groups = layout || hasLayout ? [starts] : starts.map(at => [at])
  const windows = (await Promise.all(groups.map(group => limit(() => read(group))))).flat()
  const { stretches, gainDb } = isFine ? raised(windows) : { stretches: windows as Stretch[], gainDb: 0 }
  return { stretches: stretches.filter(([first]) => first!.length > 0), gainDb }
}

/**
 * Sorts sound by window and channel while it arrives, so that it is in memory once. `length` is that of the arrays; what
 * does not come is cut off.
 */
async function filled(
  windows: Samples[][],
  length: number,
  sound: AsyncIterable<Buffer>,
): Promise<Samples[][]> {
  const channels = windows[0]!.length
  const Memory = windows[0]![0]!.constructor as SamplesConstructor
  const frameBytes = channels * Memory.BYTES_PER_ELEMENT
  let rest: Buffer = Buffer.alloc(0)
  let read = 0
  for await (const buffer of sound) {
    const all = rest.length > 0 ? Buffer.concat([rest, buffer]) : buffer
    const count = Math.floor(all.length / frameBytes)
    rest = all.subarray(count * frameBytes)
    const given = new Memory(all.buffer as ArrayBuffer, all.byteOffset, count * channels)
    for (let at = 0; at < count; ) {
      const from = read % length
      const run = Math.min(count - at, length - from)
      const window = windows[Math.floor(read / length)] ?? []
      for (const [channel, own] of window.entries())
        for (let i = 0; i < run; i++) own[from + i] = given[(at + i) * channels + channel]!
      at += run
      read += run
    }
  }
  return windows.map((window, i) => window.map(own => own.subarray(0, Math.max(0, read - i * length))))
}

/** 16-bit samples of floats, raised where these are very quiet. */
function raised(windows: Samples[][]): Windows {
  let most = 0
  for (const samples of windows.flat()) for (const one of samples) most = Math.max(most, Math.abs(one))
  const peak = 20 * Math.log10(most)
  const isQuiet = peak <= maxQuietPeakDbfs && peak > minPeakDbfs
  const gainDb = isQuiet ? Math.round(raisedPeakDbfs - peak) : 0
  const factor = 32_767 * 10 ** (gainDb / 20)
  const sample = (one: number) => Math.max(-32_768, Math.min(32_767, one * factor))
  return { stretches: windows.map(window => window.map(own => Int16Array.from(own, sample))), gainDb }
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
