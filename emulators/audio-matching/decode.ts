// Decodes audio of any format to samples, with ffmpeg.
import { spawn } from 'node:child_process'
import { sampleRateHz } from './fourier.ts'

export interface Decoded {
  /** Mono at 8 kHz, between -1 and 1. */
  samples: Float32Array
  seconds: number
  /** Of the input, in Hz and bit/s; 0 and undefined if ffmpeg does not report them. */
  sampleRate: number
  bitRate: number | undefined
}

/** Rejects if ffmpeg finds no audio, and when the signal aborts. */
export async function decode(
  source: { file: string } | { bytes: Buffer },
  ffmpeg: string,
  signal?: AbortSignal,
): Promise<Decoded> {
  const input = 'file' in source ? source.file : 'pipe:0'
  const args = ['-hide_banner', '-nostats', '-threads', '1', '-i', input, '-vn', '-f', 's16le', '-ac', '1']
  const child = spawn(ffmpeg, [...args, '-ar', String(sampleRateHz), 'pipe:1'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(signal ? { signal, killSignal: 'SIGKILL' as const } : {}),
  })
  // ffmpeg may stop reading early, for instance if the format is unknown.
  child.stdin.on('error', () => {})
  child.stdin.end('bytes' in source ? source.bytes : undefined)
  const output: Buffer[] = []
  let report = ''
  child.stdout.on('data', (part: Buffer) => output.push(part))
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    report += part
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  if (code !== 0) throw new Error(`ffmpeg exited with ${code}: ${report.slice(-300)}`)
  const samples = toFloats(Buffer.concat(output))
  const stream = /Audio: [^\n]*?(\d+) Hz[^\n]*/.exec(report.slice(report.indexOf('Input #')))
  const kilobits = /(\d+) kb\/s/.exec(stream?.[0] ?? '')
  return {
    samples,
    seconds: samples.length / sampleRateHz,
    sampleRate: Number(stream?.[1] ?? 0),
    bitRate: kilobits ? Number(kilobits[1]) * 1000 : undefined,
  }
}

function toFloats(bytes: Buffer): Float32Array {
  const samples = new Float32Array(bytes.length >> 1)
  for (let i = 0; i < samples.length; i++) samples[i] = bytes.readInt16LE(2 * i) / 32768
  return samples
}
