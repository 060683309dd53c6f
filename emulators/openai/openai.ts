// Emulator of servers with OpenAI's transcription API: recognises the fixture recordings as one of several engines.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { decode } from '../audio-matching/decode.ts'
import { loadLibrary } from '../audio-matching/library.ts'
import { recogniseSamples } from '../audio-matching/match-audio.ts'
import { recogniseOnce } from '../audio-matching/recognition-cache.ts'
import { closeAtOnce, listenOnLoopback } from '../loopback.ts'
import { type Engine, type EngineName, engines, type Refusal, type TranscriptionForm } from './engines.ts'

export type { EngineName } from './engines.ts'

export interface OpenAiOptions {
  /** Path of an ffmpeg binary. */
  ffmpeg: string
  engine: EngineName
  /** The only accepted key. Default: none is needed, except by OpenAI itself: `sk-emulator`. */
  apiKey?: string
  /** Longest audio, in seconds, where it differs from the engine's own. */
  maxSeconds?: number
}

/** One request, with its response. */
export interface TranscriptionRequest extends TranscriptionForm {
  status: number
  seconds?: number
}

/** `html`: the page of another server, with 200. `drop`: dies midway. `hang`: never answers. */
export type Fault =
  | { kind: 'html' | 'drop' | 'hang' | 'half' }
  | { kind: 'error'; status: number; headers?: Record<string, string>; body?: object }

export interface OpenAiEmulator {
  /** Value for OPENAI_BASE_URL. */
  url: string
  apiKey: string | undefined
  requests: TranscriptionRequest[]
  /** The next requests get these faults, one each. */
  fault(...faults: Fault[]): void
  close(): Promise<void>
}

const fixtures = fileURLToPath(new URL('../../fixtures', import.meta.url))

export async function startOpenAi({
  ffmpeg,
  engine: name,
  ...options
}: OpenAiOptions): Promise<OpenAiEmulator> {
  const engine: Engine = engines[name]
  const apiKey = options.apiKey ?? (engine.needsKey ? 'sk-emulator' : undefined)
  const maxSeconds = options.maxSeconds ?? engine.maxSeconds
  const requests: TranscriptionRequest[] = []
  const faults: Fault[] = []
  const closing = new AbortController()

  async function answer(request: IncomingMessage): Promise<Refusal & { record?: TranscriptionRequest }> {
    const body = await readBody(request)
    if (request.method !== 'POST' || request.url !== '/v1/audio/transcriptions')
      return { status: 404, body: { detail: 'Not Found' } }
    if (apiKey !== undefined && request.headers.authorization !== `Bearer ${apiKey}`)
      return {
        status: 401,
        body: { error: { message: 'Incorrect API key provided.', code: 'invalid_api_key' } },
      }
    const { form, audio } = await readForm(body, request.headers['content-type'])
    const record: TranscriptionRequest = { ...form, status: 200 }
    requests.push(record)
    const refuse = (refusal: Refusal) => ({ ...refusal, record })
    const { refusals } = engine
    if (engine.models && !engine.models.test(form.model)) return refuse(refusals.model(form))
    if (!engine.formats.test(form.format)) return refuse(refusals.format(form))
    if (audio.length > engine.maxBytes) return refuse(refusals.tooLarge)
    const { seconds, recognised } = await recogniseOnce(audio, fixtures, async () => {
      const { samples, ...sound } = await decode({ bytes: audio }, ffmpeg, closing.signal)
      const library = await loadLibrary(path.resolve(fixtures), ffmpeg)
      return { ...sound, recognised: await recogniseSamples(samples, library) }
    })
    record.seconds = seconds
    if (seconds > maxSeconds + 0.25) return refuse(refusals.tooLong(seconds))
    return { status: 200, body: engine.respond({ ...recognised, seconds }, form), record }
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = faults.shift()
    if (fault) return fail(fault, request, response, closing.signal)
    const { status, body, record } = await answer(request)
    if (record) record.status = status
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  const port = await listenOnLoopback(server)
  return {
    url: `http://127.0.0.1:${port}/v1`,
    apiKey,
    requests,
    fault: (...more) => void faults.push(...more),
    async close() {
      closing.abort()
      await closeAtOnce(server)
    },
  }
}

async function fail(
  fault: Fault,
  request: IncomingMessage,
  response: ServerResponse,
  closing: AbortSignal,
): Promise<void> {
  if (fault.kind === 'drop') return void request.socket.destroy()
  await readBody(request)
  if (fault.kind === 'hang') {
    await sleep(2 ** 30, undefined, { signal: closing, ref: false })
  } else if (fault.kind === 'html') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Open WebUI</title>')
  } else if (fault.kind === 'half') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
    response.write('{"text":"half of', () => request.socket.destroy())
  } else if (fault.kind === 'error') {
    response.writeHead(fault.status, fault.headers).end(JSON.stringify(fault.body ?? {}))
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

async function readForm(body: Buffer, type = ''): Promise<{ form: TranscriptionForm; audio: Buffer }> {
  const given = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
  const text = (name: string) => (given.has(name) ? String(given.get(name)) : undefined)
  const audio = Buffer.from(await (given.get('file') as File).arrayBuffer())
  return {
    audio,
    form: {
      model: text('model') ?? '',
      format: text('response_format') ?? 'json',
      granularities: given.getAll('timestamp_granularities[]').map(String),
      bytes: audio.length,
      ...(given.has('language') && { language: text('language') }),
      ...(given.has('prompt') && { prompt: text('prompt') }),
    },
  }
}
