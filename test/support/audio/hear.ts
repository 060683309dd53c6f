// Decodes a recording as the pipeline does, and finds the tones in it.
import { dirname } from 'node:path'
import type { Run } from '../../../src/domain/run.ts'
import { decode } from '../../../src/pipeline/audio/decode.ts'
import type { DecodeOptions } from '../../../src/pipeline/audio/decode-arguments.ts'
import { withSpeexDecoder } from '../../../src/pipeline/audio/speex.ts'
import { openSource, type SourcePorts } from '../../../src/pipeline/source/source.ts'
import { locateTestFfmpeg } from './ffmpeg.ts'
import { rate } from './timed-matroska.ts'

/** Seconds of faint noise, with tones of 0.2 s at these moments. */
export function toneSamples(seconds: number, starts: readonly number[] = [0]): Int16Array {
  const samples = new Int16Array(seconds * rate)
  for (let i = 0; i < samples.length; i++) {
    const time = i / rate
    const isTone = starts.some(start => time >= start && time < start + 0.2)
    samples[i] = isTone ? 8000 * Math.sin(i / 3) : ((i * 7919) % 5) - 2
  }
  return samples
}

export interface Heard {
  seconds: number
  /** Where the tones start. */
  tones: number[]
  warnings: string[]
}

async function opened(file: string, options: DecodeOptions, stream?: number) {
  const warnings: string[] = []
  const { signal } = new AbortController()
  const warn = (text: string) => void warnings.push(text)
  const run = { signal, warn, scratch: async () => dirname(file) } as unknown as Run
  const opened = await openSource({ audio: file }, {} as SourcePorts, run)
  const source = await withSpeexDecoder(opened, locateTestFfmpeg, run)
  return { warnings, decoding: decode({ ...source, voice: { stream } }, locateTestFfmpeg, run, options) }
}

/** The recording as MP3, encoded while it is decoded. */
export async function voiceNoteOf(file: string): Promise<Buffer | undefined> {
  const { decoding } = await opened(file, { voiceNote: true })
  for await (const _ of decoding.samples);
  return decoding.voiceNote()
}

/** The samples of the whole recording, at 16 kHz. */
export async function decodedSamples(file: string): Promise<Int16Array> {
  const { decoding } = await opened(file, {})
  const buffers: Buffer[] = []
  for await (const buffer of decoding.samples) buffers.push(buffer)
  const { buffer, byteOffset, length } = Buffer.concat(buffers)
  return new Int16Array(buffer.slice(byteOffset, byteOffset + length))
}

/** Reads the whole recording, or a part of it; the usual track, or that of a stream. */
export async function hear(
  file: string,
  part?: { start: number; end: number },
  stream?: number,
): Promise<Heard> {
  const { warnings, decoding } = await opened(file, { part }, stream)
  const tones: number[] = []
  let [count, lastLoud] = [0, -rate]
  for await (const buffer of decoding.samples)
    for (let i = 0; i < buffer.length; i += 2, count++) {
      if (Math.abs(buffer.readInt16LE(i)) < 2000) continue
      if (count - lastLoud > 0.05 * rate) tones.push(count / rate)
      lastLoud = count
    }
  return { seconds: count / rate, tones, warnings }
}
