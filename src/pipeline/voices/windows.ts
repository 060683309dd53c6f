// Reads samples of a recording's tracks in windows, to compare them without decoding hours.
import { sampleRate } from '../audio/activity.ts'
import { type InputFile, inputArguments } from '../audio/demuxers.ts'
import { type FfmpegProcess, readAll } from '../audio/ffmpeg.ts'

/** A stretch of several channels or tracks: 16 kHz samples, of equal length. */
export type Stretch = readonly Int16Array[]

export type StartFfmpeg = (args: string[]) => FfmpegProcess

export interface WindowOptions {
  stream: number
  /** ffmpeg takes so many channels. */
  channels: number
  /** Of the recording, in seconds; default: unknown, so that only its start is read. */
  duration?: number
  /** Number of tracks that are read, each of them for a shorter time. */
  tracks?: number
}

const windowCount = 10
const maxWindowSeconds = 20
const minWindowSeconds = 5
/** A window of all tracks together. */
const maxTrackSeconds = 60

/**
 * Windows across the recording, or its start where its length is unknown; a recording that is no longer than all of
 * them is read whole. Empty where the track cannot be decoded.
 */
export async function readWindows(
  source: InputFile,
  { stream, channels, duration = 0, tracks = 1 }: WindowOptions,
  start: StartFfmpeg,
): Promise<Stretch[]> {
  const seconds = Math.max(minWindowSeconds, Math.min(maxWindowSeconds, Math.floor(maxTrackSeconds / tracks)))
  const isWhole = duration <= windowCount * seconds
  const starts = isWhole ? [0] : windowStarts(duration, seconds)
  const length = isWhole ? windowCount * seconds : seconds
  // A few seconds more or less do not matter, and a long MP3 need not be read from its start; but tracks must be aligned.
  const seek = tracks > 1 ? [] : ['-fflags', '+fastseek', '-noaccurate_seek']
  const clock = tracks > 1 ? ':async=1:first_pts=0' : ''
  const window = (at: number) => ['-ss', at.toFixed(1), '-t', String(length)]
  const inputs = starts.flatMap(at => [...seek, ...window(at), ...inputArguments(source)])
  // Each window is padded to its full length, so that the start of the next one is known.
  const samples = length * sampleRate
  const layout = channels === 1 ? 'mono' : 'stereo'
  const format = `aresample=${sampleRate}${clock},aformat=sample_fmts=s16:channel_layouts=${layout}`
  const padding = isWhole ? '' : `,apad,atrim=end_sample=${samples}`
  const pads = starts.map((_, i) => `[${i}:${stream}]${format}${padding}[w${i}];`)
  const graph = `${pads.join('')}${starts.map((_, i) => `[w${i}]`).join('')}concat=n=${starts.length}:v=0:a=1`
  const process = start([...inputs, '-filter_complex', graph, '-f', 's16le', 'pipe:1'])
  process.stdin.end()
  const [sound] = await Promise.all([readAll(process.stdout), process.ended])
  const bytes = samples * channels * 2
  const stretches = starts.map((_, i) => deinterleave(sound.subarray(i * bytes, (i + 1) * bytes), channels))
  return stretches.filter(([first]) => first!.length > 0)
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

function deinterleave(sound: Buffer, channels: number): Stretch {
  const length = Math.floor(sound.length / channels / 2)
  const samples = new Int16Array(sound.buffer, sound.byteOffset, length * channels)
  const stretch = Array.from({ length: channels }, () => new Int16Array(length))
  for (const [channel, own] of stretch.entries())
    for (let i = 0; i < length; i++) own[i] = samples[i * channels + channel]!
  return stretch
}
