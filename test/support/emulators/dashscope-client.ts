// A plain HTTP client of the DashScope emulator: encodes audio with ffmpeg, and builds recognition and task requests.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const PATH = '/services/aigc/multimodal-generation/generation'
/** The two encodings that the program sends, with LAME's fastest setting as there. */
export const WIDE = ['-ar', '16000', '-b:a', '32k', '-compression_level', '9']
export const NARROW = ['-ar', '8000', '-b:a', '24k', '-compression_level', '9']

export interface Truth {
  recording: string
  language: string
  joiner: string
  duration: number
  words: { text: string; start: number; end: number; speaker: string }[]
}

export const fixture = (name: string) => fileURLToPath(new URL(`../../../fixtures/${name}`, import.meta.url))

export function truthOf(recording: string): Truth {
  return JSON.parse(readFileSync(fixture(recording.replace(/\.\w+$/, '.truth.json')), 'utf8'))
}

const decoded = new Map<string, Float32Array>()

/** The samples of a recording, 16 kHz mono. All callers share them, so copy before you write. */
export function samplesOf(ffmpeg: string, recording: string): Float32Array {
  const known = decoded.get(recording)
  if (known) return known
  const output = ['-vn', '-f', 'f32le', '-ac', '1', '-ar', '16000', '-']
  const args = ['-v', 'error', '-i', fixture(recording), ...output]
  const bytes = execFileSync(ffmpeg, args, { maxBuffer: 1e9 })
  const samples = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
  decoded.set(recording, samples)
  return samples
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

/** Concatenates samples; a number means that many seconds of silence. */
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

export function asrRequest(audio: string | Buffer, options: { context?: string; language?: string } = {}) {
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

export const SPEAKERS = 'fun-asr-mtl'
export const WORDS = 'qwen3-asr-flash-filetrans'
const SUBMIT = '/services/audio/asr/transcription'

type Cloud = { url: string; apiKey: string }

export interface FileServer {
  /** Returns a URL for a file, or for a status that every request for it gets. */
  add(content: Buffer | number): string
  close(): Promise<void>
}

/** Serves files without authentication. */
export async function serveFiles(): Promise<FileServer> {
  const files: (Buffer | number)[] = []
  const server = createServer((request, response) => {
    const file = files[Number(request.url?.slice(1))] ?? 404
    if (typeof file === 'number') response.writeHead(file).end()
    else response.writeHead(200, { 'content-length': file.length }).end(file)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    add: content => `http://127.0.0.1:${port}/${files.push(content) - 1}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** The body of a submit request, in the shape of the model's family. */
export function taskRequest(model: string, url: string, parameters: object = {}) {
  const input = model === WORDS ? { file_url: url } : { file_urls: [url] }
  return { model, input, parameters }
}

export function submit(cloud: Cloud, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(cloud.url + SUBMIT, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: {
      authorization: `Bearer ${cloud.apiKey}`,
      'content-type': 'application/json',
      'x-dashscope-async': 'enable',
      ...headers,
    },
  })
}

/** A request about tasks: `/ID`, `/ID/cancel`, `/?start_time=…`. */
export function askTasks(cloud: Cloud, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${cloud.url}/tasks${path}`, { ...init, headers: { authorization: `Bearer ${cloud.apiKey}` } })
}

export interface TaskAnswer {
  output: {
    task_id: string
    task_status: string
    submit_time?: string
    code?: string
    message?: string
    result?: { transcription_url: string }
    results?: {
      file_url: string
      transcription_url?: string
      subtask_status: string
      code?: string
      message?: string
    }[]
    output?: { transcription_url?: string }
    task_metrics?: object
  }
  usage?: { seconds?: number; duration?: number }
}

/** Submits, and resolves with the id of the task. */
export async function startTask(
  cloud: Cloud,
  body: object,
  headers?: Record<string, string>,
): Promise<string> {
  const response = await submit(cloud, body, headers)
  if (response.status !== 200) throw new Error(await response.text())
  return ((await response.json()) as TaskAnswer).output.task_id
}

/** Polls until the task ends, and resolves with the last response. */
export async function taskEnd(cloud: Cloud, id: string): Promise<TaskAnswer> {
  for (;;) {
    const answer = (await (await askTasks(cloud, `/${id}`)).json()) as TaskAnswer
    if (!['PENDING', 'RUNNING'].includes(answer.output.task_status)) return answer
    await sleep(100)
  }
}

export interface TaskSentence {
  sentence_id: number
  begin_time: number
  end_time: number
  text: string
  language?: string
  speaker_id?: number
  words?: { begin_time: number; end_time: number; text: string; punctuation: string }[]
}

export interface TaskResult {
  file_url: string
  transcripts: { channel_id: number; text: string; sentences: TaskSentence[] }[]
}

export function resultAddress({ output }: TaskAnswer): string {
  const address = [output.result, output.results?.[0], output.output].find(Boolean)?.transcription_url
  if (!address) throw new Error(`There is no result: ${JSON.stringify(output)}`)
  return address
}

/** Runs a task from submit to result file. */
export async function runTask(cloud: Cloud, body: object): Promise<TaskResult> {
  const answer = await taskEnd(cloud, await startTask(cloud, body))
  return (await (await fetch(resultAddress(answer))).json()) as TaskResult
}
