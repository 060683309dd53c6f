// Talks to the stand-in as a plain HTTP client: makes audio with ffmpeg, and builds the requests of the wire contract.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const PATH = '/services/aigc/multimodal-generation/generation'
export const WIDE = ['-ar', '16000', '-b:a', '32k']
export const NARROW = ['-ar', '8000', '-b:a', '24k']

export interface Truth {
  recording: string
  language: string
  joiner: string
  duration: number
  words: { text: string; start: number; end: number }[]
}

export const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url))

export function truthOf(recording: string): Truth {
  return JSON.parse(readFileSync(fixture(recording.replace(/\.\w+$/, '.truth.json')), 'utf8'))
}

/** The samples of a recording, 16 kHz mono. */
export function samplesOf(ffmpeg: string, recording: string): Float32Array {
  const args = [
    '-v',
    'error',
    '-i',
    fixture(recording),
    '-vn',
    '-f',
    'f32le',
    '-ac',
    '1',
    '-ar',
    '16000',
    '-',
  ]
  const bytes = execFileSync(ffmpeg, args, { maxBuffer: 1e9 })
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

/** MP3 of samples at 16 kHz. */
export function encode(ffmpeg: string, samples: Float32Array, profile = WIDE): Buffer {
  const args = [
    '-v',
    'error',
    '-f',
    'f32le',
    '-ar',
    '16000',
    '-ac',
    '1',
    '-i',
    '-',
    ...profile,
    '-f',
    'mp3',
    '-',
  ]
  const input = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
  return execFileSync(ffmpeg, args, { input, maxBuffer: 1e9 })
}

/** Samples one after the other; a number is so many seconds of silence. */
export function join(...parts: (Float32Array | number)[]): Float32Array {
  const arrays = parts.map(part => (typeof part === 'number' ? new Float32Array(part * 16000) : part))
  const all = new Float32Array(arrays.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of arrays) {
    all.set(part, at)
    at += part.length
  }
  return all
}

export function order(audio: string | Buffer, options: { context?: string; language?: string } = {}) {
  const uri = typeof audio === 'string' ? audio : `data:audio/mpeg;base64,${audio.toString('base64')}`
  const system = { role: 'system', content: [{ text: options.context ?? '' }] }
  const { language } = options
  return {
    model: 'qwen3-asr-flash',
    input: {
      messages: [
        ...(options.context === undefined ? [] : [system]),
        { role: 'user', content: [{ audio: uri }] },
      ],
    },
    parameters: {
      result_format: 'message',
      asr_options: { enable_itn: false, ...(language ? { language } : {}) },
    },
  }
}

export function post(
  cloud: { url: string; apiKey: string },
  body: unknown,
  init: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(cloud.url + PATH, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: {
      authorization: `Bearer ${cloud.apiKey}`,
      'content-type': 'application/json',
      ...init.headers,
    },
    ...(init.signal ? { signal: init.signal } : {}),
  })
}

export interface Answer {
  output: {
    choices: { message: { content: { text: string }[]; annotations?: { language: string }[] } }[]
  }
  code: string
  message: string
  request_id: string
}

export async function read(response: Response): Promise<Answer> {
  return (await response.json()) as Answer
}
