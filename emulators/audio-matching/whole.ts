// Listens to whole files: window by window, so that memory does not grow with the recording, and each word once.
import { spawn } from 'node:child_process'
import type { Stretch } from './extend.ts'
import { RATE } from './fourier.ts'
import { toLayers, underneath } from './layers.ts'
import { blockLevels, type Known } from './library.ts'
import { isSilent, type Part, toPart, unknownParts } from './match-audio.ts'
import { findStretches } from './stretches.ts'

export interface HeardFile {
  /** Length of the file, silence included. */
  seconds: number
  /** As the file has them: Hz, number of channels, and ffmpeg's name of its format. */
  sampleRate: number
  channels: number
  codec: string
  /** In order of their beginnings; times are seconds of the file. */
  parts: Part[]
}

/** The file cannot be decoded. */
export class NotAudio extends Error {}

/** The recording is longer than it may be. */
export class TooLong extends Error {}

// A window's length, and the part at its end in which its cut may lie, in samples.
const WINDOW = 90 * RATE
const REACH = 15 * RATE
const QUIET = RATE / 20
// Coding fills what it codes up to whole frames, so audio of exactly the limit comes a little longer.
const PADDING = 0.25

/** Rejects with `NotAudio` where there is none in it, with `TooLong`, and when the signal aborts. */
export async function listenToFile(
  file: string,
  channel: number,
  library: Known[],
  { ffmpeg, maxSeconds }: { ffmpeg: string; maxSeconds: number },
  signal: AbortSignal,
): Promise<HeardFile> {
  const stretches: Stretch[] = []
  const unknown: Part[] = []
  let at = 0
  let earlier: Stretch[] = []
  const decoding = decodeFile(file, channel, ffmpeg, signal)
  for await (const samples of windows(decoding.samples)) {
    // The file says it at once, if it says it at all.
    if (Math.max(decoding.announced(), at / RATE) > maxSeconds + PADDING) throw new TooLong()
    if (!isSilent(samples)) {
      const found = await findStretches(samples, library)
      found.push(...underneath(samples, found, earlier))
      earlier = found.map(stretch => movedStretch(stretch, -samples.length))
      unknown.push(...unknownParts(samples, found).map(part => moved(part, at)))
      stretches.push(...found.map(stretch => movedStretch(stretch, at)))
    }
    at += samples.length
  }
  if (at / RATE > maxSeconds + PADDING) throw new TooLong()
  const parts = [...toLayers(stretches).map(toPart), ...unknown].filter(part => part.words.length > 0)
  parts.sort((a, b) => a.at - b.at)
  return { seconds: at / RATE, ...decoding.format(), parts }
}

function moved(part: Part, by: number): Part {
  const seconds = by / RATE
  const words = part.words.map(word => ({ ...word, start: word.start + seconds, end: word.end + seconds }))
  return { ...part, at: part.at + by, words }
}

function movedStretch(stretch: Stretch, by: number): Stretch {
  return {
    ...stretch,
    offset: stretch.offset - by,
    start: stretch.start + by,
    end: stretch.end + by,
    quietStart: stretch.quietStart + by,
    quietEnd: stretch.quietEnd + by,
  }
}

// Cuts in the quietest moment: what a cut goes through is put together again, but a pause is easier to listen to.
async function* windows(pieces: AsyncIterable<Float32Array>): AsyncGenerator<Float32Array> {
  let kept = new Float32Array(0)
  for await (const piece of pieces) {
    kept = concatenate(kept, piece)
    while (kept.length >= WINDOW) {
      const end = quietest(kept.subarray(0, WINDOW))
      yield kept.slice(0, end)
      kept = kept.slice(end)
    }
  }
  if (kept.length > 0) yield kept
}

function quietest(samples: Float32Array): number {
  const from = samples.length - REACH
  const levels = blockLevels(samples.subarray(from), QUIET)
  const least = levels.indexOf(levels.reduce((a, b) => Math.min(a, b)))
  return from + least * QUIET + QUIET / 2
}

function concatenate(a: Float32Array, b: Float32Array): Float32Array<ArrayBuffer> {
  const both = new Float32Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

// One channel of a file as samples, ten seconds at a time.
function decodeFile(file: string, channel: number, ffmpeg: string, signal: AbortSignal) {
  const args = ['-hide_banner', '-nostats', '-nostdin', '-threads', '1', '-i', file, '-vn', '-f', 's16le']
  const one = ['-af', `pan=mono|c0=c${channel}`, '-ar', String(RATE), 'pipe:1']
  let report = ''
  async function* samples(): AsyncGenerator<Float32Array> {
    const child = spawn(ffmpeg, [...args, ...one], {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
    })
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve)
    })
    // It is awaited only after the output.
    ended.catch(() => {})
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      report += part
    })
    let parts: Buffer[] = []
    let size = 0
    for await (const part of child.stdout as AsyncIterable<Buffer>) {
      parts.push(part)
      size += part.length
      if (size < 20 * RATE) continue
      const bytes = Buffer.concat(parts)
      const even = bytes.length & ~1
      parts = [bytes.subarray(even)]
      size = bytes.length - even
      yield toFloats(bytes.subarray(0, even))
    }
    yield toFloats(Buffer.concat(parts))
    if ((await ended) !== 0) throw new NotAudio(report.slice(-300))
  }
  return { samples: samples(), format: () => formatOf(report), announced: () => announcedSeconds(report) }
}

// What ffmpeg only estimates may be far off.
function announcedSeconds(report: string): number {
  if (report.includes('Estimating duration')) return 0
  const [, hours, minutes, seconds] = /Duration: (\d+):(\d+):([\d.]+)/.exec(report) ?? []
  return Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)
}

function formatOf(report: string): Pick<HeardFile, 'sampleRate' | 'channels' | 'codec'> {
  const [, codec = '', rate = '0', layout = ''] =
    /Audio: (\w+)[^\n]*?, (\d+) Hz, ([^,\n]+)/.exec(report.slice(report.indexOf('Input #'))) ?? []
  const counted = /^(\d+) channels/.exec(layout)?.[1]
  const channels = layout.startsWith('mono') ? 1 : Number(counted ?? 2)
  return { sampleRate: Number(rate), channels, codec }
}

function toFloats(bytes: Buffer): Float32Array {
  const samples = new Float32Array(bytes.length >> 1)
  for (let i = 0; i < samples.length; i++) samples[i] = bytes.readInt16LE(2 * i) / 32768
  return samples
}
