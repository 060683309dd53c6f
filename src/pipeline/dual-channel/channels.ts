// Tells whether the channels of a recording carry different voices, as those of a recorded call do.
import type { Run } from '../../domain/run.ts'
import { sampleRate } from '../audio/activity.ts'
import { allowedDemuxers } from '../audio/demuxers.ts'
import { type FfmpegProcess, type LocateFfmpeg, readAll, startFfmpeg } from '../audio/ffmpeg.ts'
import type { Source } from '../source/source.ts'
import { areSeparateChannels, type Stereo } from './separate-channels.ts'

/** A recording up to the length (seconds) of all windows together is heard whole, a longer one through so many windows. */
const windows = { count: 10, seconds: 20 }
const heardWhole = windows.count * windows.seconds

/**
 * How many channels are to be heard apart: 2 where each of two carries a voice of its own, otherwise 1. In doubt it is 1:
 * speakers can still be told apart by their voices, while a room heard twice would say every word twice. A file that
 * cannot be read is 1 as well; whoever decodes it says why.
 */
export async function countSeparateChannels(
  source: Pick<Source, 'file'>,
  ffmpeg: LocateFfmpeg,
  run: Pick<Run, 'signal'>,
): Promise<number> {
  const path = await ffmpeg()
  const start = (args: string[]) => startFfmpeg(path, ['-nostdin', '-loglevel', 'info', ...args], run.signal)
  const sound = await describe(source.file, start)
  run.signal.throwIfAborted()
  if (!sound?.isStereo) return 1
  const stretches = await listen(source.file, sound, start)
  run.signal.throwIfAborted()
  return areSeparateChannels(stretches) ? 2 : 1
}

type Start = (args: string[]) => FfmpegProcess

interface Sound {
  /** Number of the stream that ffmpeg decodes. */
  stream: number
  isStereo: boolean
  /** Seconds, by the header or guessed from the bit rate. */
  duration?: number
}

function input(file: string): string[] {
  const safe = ['-protocol_whitelist', 'file', '-format_whitelist', allowedDemuxers]
  return [...safe, '-i', `file:${file}`]
}

/** What ffmpeg itself says of the sound it would decode; undefined where there is none. */
async function describe(file: string, start: Start): Promise<Sound | undefined> {
  const words = await wordsOf(start([...input(file), '-vn', '-sn', '-dn', '-t', '0', '-f', 'null', '-']))
  const stream = /^ {2}Stream #0:(\d+) -> #0:0/m.exec(words)?.[1]
  if (stream === undefined) return undefined
  const line = new RegExp(`^ +Stream #0:${stream}\\b.*: Audio: .*`, 'm').exec(words)?.[0] ?? ''
  const length = /^ {2}Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)/m.exec(words)
  return {
    stream: Number(stream),
    isStereo: /, (?:stereo|downmix|2 channels\b[^,]*),/.test(line),
    ...(length && { duration: Number(length[1]) * 3600 + Number(length[2]) * 60 + Number(length[3]) }),
  }
}

async function wordsOf(process: FfmpegProcess): Promise<string> {
  process.stdin.end()
  await Promise.all([readAll(process.stdout), process.ended])
  return process.stderr()
}

/** Both channels in windows spread over the recording; in one, from its start, where its length is not known. */
async function listen(file: string, { stream, duration = 0 }: Sound, start: Start): Promise<Stereo[]> {
  const wholly = duration <= heardWhole
  const starts = wholly ? [0] : spread(duration)
  const length = wholly ? heardWhole : windows.seconds
  // Seconds more or less do not matter, and a long MP3 need not be read from its start.
  const quick = ['-fflags', '+fastseek', '-noaccurate_seek']
  const inputs = starts.flatMap(at => [...quick, '-ss', at.toFixed(1), '-t', String(length), ...input(file)])
  // Each is filled up, so that it is known where the next one begins.
  const samples = length * sampleRate
  const shape = `aresample=${sampleRate},aformat=sample_fmts=s16:channel_layouts=stereo`
  const fill = wholly ? '' : `,apad,atrim=end_sample=${samples}`
  const pads = starts.map((_, i) => `[${i}:${stream}]${shape}${fill}[w${i}];`)
  const graph = `${pads.join('')}${starts.map((_, i) => `[w${i}]`).join('')}concat=n=${starts.length}:v=0:a=1`
  const process = start([...inputs, '-filter_complex', graph, '-f', 's16le', 'pipe:1'])
  process.stdin.end()
  const [sound] = await Promise.all([readAll(process.stdout), process.ended])
  return starts.map((_, i) => channelsOf(sound.subarray(i * samples * 4, (i + 1) * samples * 4)))
}

function spread(duration: number): number[] {
  const room = duration - windows.seconds
  return Array.from({ length: windows.count }, (_, i) => (room * i) / (windows.count - 1))
}

function channelsOf(sound: Buffer): Stereo {
  const length = sound.length >> 2
  const samples = new Int16Array(sound.buffer, sound.byteOffset, length * 2)
  const stereo = [new Int16Array(length), new Int16Array(length)] as const
  for (let i = 0; i < length; i++) {
    stereo[0][i] = samples[i * 2]!
    stereo[1][i] = samples[i * 2 + 1]!
  }
  return stereo
}
