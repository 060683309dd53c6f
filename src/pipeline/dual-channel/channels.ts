// Reads samples of a recording's channels to decide whether they carry separate speakers, as in a recorded call.
import type { Run } from '../../domain/run.ts'
import { sampleRate } from '../audio/activity.ts'
import { inputArguments } from '../audio/demuxers.ts'
import { type FfmpegProcess, type LocateFfmpeg, readAll, startFfmpeg } from '../audio/ffmpeg.ts'
import type { Source } from '../source/source.ts'
import { areSeparateChannels, type Stereo } from './separate-channels.ts'

/** A recording longer than all windows together is sampled through them; a shorter one is read whole. */
const windowCount = 10
const windowSeconds = 20
const maxWholeSeconds = windowCount * windowSeconds

/**
 * Number of channels to recognise separately: 2 where each of two carries a speaker of its own, otherwise 1. In doubt it
 * is 1: speakers can still be identified by voice, while a room recognised twice would repeat each word. An unreadable
 * file is 1 as well; its decoder reports the error.
 */
export async function countSeparateChannels(
  source: Pick<Source, 'file'>,
  ffmpeg: LocateFfmpeg,
  run: Pick<Run, 'signal'>,
): Promise<number> {
  const found = await ffmpeg()
  const start = (args: string[]) => startFfmpeg(found, ['-nostdin', '-loglevel', 'info', ...args], run.signal)
  const stream = await probe(source.file, start)
  run.signal.throwIfAborted()
  if (!stream?.isStereo) return 1
  const stretches = await readWindows(source.file, stream, start)
  run.signal.throwIfAborted()
  return areSeparateChannels(stretches) ? 2 : 1
}

type Start = (args: string[]) => FfmpegProcess

interface AudioStream {
  /** Number of the stream that ffmpeg decodes. */
  index: number
  isStereo: boolean
  /** Seconds, by the header or estimated from the bit rate. */
  duration?: number
}

/** The stream that ffmpeg would decode, by its own description; undefined where there is none. */
async function probe(file: string, start: Start): Promise<AudioStream | undefined> {
  const output = ['-vn', '-sn', '-dn', '-t', '0', '-f', 'null', '-']
  const stderr = await stderrOf(start([...inputArguments(file), ...output]))
  const index = /^ {2}Stream #0:(\d+) -> #0:0/m.exec(stderr)?.[1]
  if (index === undefined) return undefined
  const description = new RegExp(`^ +Stream #0:${index}\\b.*: Audio: .*`, 'm').exec(stderr)?.[0] ?? ''
  const length = /^ {2}Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)/m.exec(stderr)
  return {
    index: Number(index),
    isStereo: /, (?:stereo|downmix|2 channels\b[^,]*),/.test(description),
    ...(length && { duration: Number(length[1]) * 3600 + Number(length[2]) * 60 + Number(length[3]) }),
  }
}

async function stderrOf(process: FfmpegProcess): Promise<string> {
  process.stdin.end()
  await Promise.all([readAll(process.stdout), process.ended])
  return process.stderr()
}

/** Reads both channels in windows across the recording; one window from its start where its length is unknown. */
async function readWindows(
  file: string,
  { index, duration = 0 }: AudioStream,
  start: Start,
): Promise<Stereo[]> {
  const isWhole = duration <= maxWholeSeconds
  const starts = isWhole ? [0] : windowStarts(duration)
  const length = isWhole ? maxWholeSeconds : windowSeconds
  // A few seconds more or less do not matter, and a long MP3 need not be read from its start.
  const fastSeek = ['-fflags', '+fastseek', '-noaccurate_seek']
  const window = (at: number) => ['-ss', at.toFixed(1), '-t', String(length)]
  const inputs = starts.flatMap(at => [...fastSeek, ...window(at), ...inputArguments(file)])
  // Each window is padded to its full length, so that the start of the next one is known.
  const samples = length * sampleRate
  const format = `aresample=${sampleRate},aformat=sample_fmts=s16:channel_layouts=stereo`
  const padding = isWhole ? '' : `,apad,atrim=end_sample=${samples}`
  const pads = starts.map((_, i) => `[${i}:${index}]${format}${padding}[w${i}];`)
  const graph = `${pads.join('')}${starts.map((_, i) => `[w${i}]`).join('')}concat=n=${starts.length}:v=0:a=1`
  const process = start([...inputs, '-filter_complex', graph, '-f', 's16le', 'pipe:1'])
  process.stdin.end()
  const [sound] = await Promise.all([readAll(process.stdout), process.ended])
  return starts.map((_, i) => deinterleave(sound.subarray(i * samples * 4, (i + 1) * samples * 4)))
}

function windowStarts(duration: number): number[] {
  const room = duration - windowSeconds
  return Array.from({ length: windowCount }, (_, i) => (room * i) / (windowCount - 1))
}

function deinterleave(sound: Buffer): Stereo {
  const length = sound.length >> 2
  const samples = new Int16Array(sound.buffer, sound.byteOffset, length * 2)
  const stereo = [new Int16Array(length), new Int16Array(length)] as const
  for (let i = 0; i < length; i++) {
    stereo[0][i] = samples[i * 2]!
    stereo[1][i] = samples[i * 2 + 1]!
  }
  return stereo
}
