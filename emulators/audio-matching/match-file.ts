// Recognises whole files window by window, so that memory does not grow with the file; each word occurs once.
import { spawn } from 'node:child_process'
import type { Match } from './extend-match.ts'
import { findMatches } from './find-matches.ts'
import { sampleRateHz } from './fourier.ts'
import { findUnderlying, toLayers } from './layers.ts'
import { blockLevels, type Recording } from './library.ts'
import { isSilent, type Part, toPart, unknownParts } from './match-audio.ts'

export interface RecognisedFile {
  /** Length of the file, including silence. */
  seconds: number
  /** Of the file: Hz, number of channels, and ffmpeg's name of the codec. */
  sampleRate: number
  channels: number
  codec: string
  /** Ordered by start; times are seconds of the file. */
  parts: Part[]
}

/** The file cannot be decoded. */
export class NotAudioError extends Error {}

/** The file is longer than `maxSeconds`. */
export class TooLongError extends Error {}

// Length of a window, and the range at its end in which it may be cut.
const windowSamples = 90 * sampleRateHz
const cutRangeSamples = 15 * sampleRateHz
const quietSamples = sampleRateHz / 20
// Codecs pad audio to whole frames, so a file of exactly the limit decodes slightly longer.
const codecPaddingSeconds = 0.25

/** Rejects with `NotAudioError` or `TooLongError`, and when the signal aborts. */
export async function recogniseFile(
  file: string,
  channel: number,
  library: Recording[],
  { ffmpeg, maxSeconds }: { ffmpeg: string; maxSeconds: number },
  signal: AbortSignal,
): Promise<RecognisedFile> {
  const matches: Match[] = []
  const unknown: Part[] = []
  let at = 0
  let earlier: Match[] = []
  const decoding = decodeFile(file, channel, ffmpeg, signal)
  for await (const samples of windows(decoding.samples)) {
    // Most files announce their duration at once.
    if (Math.max(decoding.announced(), at / sampleRateHz) > maxSeconds + codecPaddingSeconds)
      throw new TooLongError()
    if (!isSilent(samples)) {
      const found = await findMatches(samples, library)
      found.push(...findUnderlying(samples, found, earlier))
      earlier = found.map(match => shiftMatch(match, -samples.length))
      unknown.push(...unknownParts(samples, found).map(part => shiftPart(part, at)))
      matches.push(...found.map(match => shiftMatch(match, at)))
    }
    at += samples.length
  }
  if (at / sampleRateHz > maxSeconds + codecPaddingSeconds) throw new TooLongError()
  const parts = [...toLayers(matches).map(toPart), ...unknown].filter(part => part.words.length > 0)
  parts.sort((a, b) => a.at - b.at)
  return { seconds: at / sampleRateHz, ...decoding.format(), parts }
}

function shiftPart(part: Part, by: number): Part {
  const seconds = by / sampleRateHz
  const words = part.words.map(word => ({ ...word, start: word.start + seconds, end: word.end + seconds }))
  return { ...part, at: part.at + by, words }
}

function shiftMatch(match: Match, by: number): Match {
  return {
    ...match,
    offset: match.offset - by,
    start: match.start + by,
    end: match.end + by,
    quietStart: match.quietStart + by,
    quietEnd: match.quietEnd + by,
  }
}

// Cuts at the quietest moment: a cut word is joined again, but pauses match more reliably.
async function* windows(pieces: AsyncIterable<Float32Array>): AsyncGenerator<Float32Array> {
  let kept = new Float32Array(0)
  for await (const piece of pieces) {
    kept = concatenate(kept, piece)
    while (kept.length >= windowSamples) {
      const end = quietestCut(kept.subarray(0, windowSamples))
      yield kept.slice(0, end)
      kept = kept.slice(end)
    }
  }
  if (kept.length > 0) yield kept
}

function quietestCut(samples: Float32Array): number {
  const from = samples.length - cutRangeSamples
  const levels = blockLevels(samples.subarray(from), quietSamples)
  const least = levels.indexOf(levels.reduce((a, b) => Math.min(a, b)))
  return from + least * quietSamples + quietSamples / 2
}

function concatenate(a: Float32Array, b: Float32Array): Float32Array<ArrayBuffer> {
  const both = new Float32Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

// Decodes channelArgs channel of a file, ten seconds at a time.
function decodeFile(file: string, channel: number, ffmpeg: string, signal: AbortSignal) {
  const args = ['-hide_banner', '-nostats', '-nostdin', '-threads', '1', '-i', file, '-vn', '-f', 's16le']
  const channelArgs = ['-af', `pan=mono|c0=c${channel}`, '-ar', String(sampleRateHz), 'pipe:1']
  let report = ''
  async function* samples(): AsyncGenerator<Float32Array> {
    const child = spawn(ffmpeg, [...args, ...channelArgs], {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
    })
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve)
    })
    // Awaited after the output.
    ended.catch(() => {})
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      report += part
    })
    let parts: Buffer[] = []
    let size = 0
    for await (const part of child.stdout as AsyncIterable<Buffer>) {
      parts.push(part)
      size += part.length
      if (size < 20 * sampleRateHz) continue
      const bytes = Buffer.concat(parts)
      const even = bytes.length & ~1
      parts = [bytes.subarray(even)]
      size = bytes.length - even
      yield toFloats(bytes.subarray(0, even))
    }
    yield toFloats(Buffer.concat(parts))
    if ((await ended) !== 0) throw new NotAudioError(report.slice(-300))
  }
  return { samples: samples(), format: () => formatOf(report), announced: () => announcedSeconds(report) }
}

// 0 if unknown; an estimate of ffmpeg may be far off.
function announcedSeconds(report: string): number {
  if (report.includes('Estimating duration')) return 0
  const [, hours, minutes, seconds] = /Duration: (\d+):(\d+):([\d.]+)/.exec(report) ?? []
  return Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)
}

function formatOf(report: string): Pick<RecognisedFile, 'sampleRate' | 'channels' | 'codec'> {
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
