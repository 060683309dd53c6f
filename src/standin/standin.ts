// The stand-in cloud: a server on loopback that speaks DashScope's protocol and knows the fixture recordings.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { dashscopeErrors } from './dashscope-errors.ts'
import { createFaults, type Fault, type RecognitionRequest } from './faults.ts'
import { loadLibrary } from './listen/library.ts'
import { recognise } from './recognition.ts'
import { sendError, sendJson } from './wire.ts'

export { dashscopeErrors } from './dashscope-errors.ts'
export type { Fault, RecognitionRequest } from './faults.ts'

export interface StandinOptions {
  /** Path of an ffmpeg binary. */
  ffmpeg: string
  /** Folder with recordings and their *.truth.json; default: the fixtures of this package. */
  fixtures?: string
  /** Default 0: any free one. */
  port?: number
  /** The one key that is accepted. */
  apiKey?: string
  /** Seconds, and seconds per second of audio. */
  latency?: { base: number; perSecond: number }
  /** Default: no limit. */
  requestsPerMinute?: number
  maxSeconds?: number
  /** Limit of a data URI. */
  maxBytes?: number
}

export interface Standin {
  /** As DASHSCOPE_BASE_URL expects it. */
  url: string
  apiKey: string
  /** The recognitions that were asked for with the right key, in the order in which they came. */
  requests: RecognitionRequest[]
  inFlight(): number
  peakInFlight(): number
  /** Switches a fault on; the answer switches it off. Of several that fit a request the first counts. */
  fault(fault: Fault): () => void
  set(changes: Partial<Pick<StandinOptions, 'latency' | 'requestsPerMinute'>>): void
  /** Loads the fixtures now, so that the first recognition does not wait for them. */
  warmUp(): Promise<void>
  /** Ends all connections at once. */
  close(): Promise<void>
}

// The same from src/standin and from dist/standin.
const ownFixtures = fileURLToPath(new URL('../../fixtures', import.meta.url))
const RECOGNITION = '/api/v1/services/aigc/multimodal-generation/generation'
const TASK = /^\/api\/v1\/tasks\/([^/]+)$/

export async function startStandin(options: StandinOptions): Promise<Standin> {
  const { ffmpeg, apiKey = 'sk-standin', fixtures = ownFixtures } = options
  const faults = createFaults()
  const requests: RecognitionRequest[] = []
  const limiter = createLimiter(options.requestsPerMinute)
  const closing = new AbortController()
  let inFlight = 0
  let peak = 0
  const service = {
    ffmpeg,
    latency: options.latency ?? { base: 0, perSecond: 0 },
    maxSeconds: options.maxSeconds ?? 300,
    maxBytes: options.maxBytes ?? 10_485_760,
    faults,
    library: () => loadLibrary(path.resolve(fixtures), ffmpeg),
    admit: limiter.admit,
  }

  async function handleRecognition(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const now = Date.now()
    const record: RecognitionRequest = {
      ...{ at: now, model: '', seconds: 0, sampleRate: 0, mime: '', status: 0, bytes: 0 },
      ...{ started: now, aborted: false },
    }
    requests.push(record)
    peak = Math.max(peak, ++inFlight)
    const leaving = new AbortController()
    response.once('close', () => {
      inFlight--
      record.finished = Date.now()
      record.aborted = !response.writableFinished
      leaving.abort()
    })
    await recognise(request, response, record, service, AbortSignal.any([leaving.signal, closing.signal]))
  }

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://standin')
    const key = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    const refuse = (error: Parameters<typeof sendError>[2]) => {
      request.resume()
      sendError(request, response, error, Date.now())
    }
    // The gateway looks at the key before it looks at anything else.
    if (key !== apiKey) return refuse(dashscopeErrors.invalidApiKey)
    const task = request.method === 'GET' ? TASK.exec(pathname)?.[1] : undefined
    if (task) {
      const output = { task_id: task, task_status: 'UNKNOWN' }
      return sendJson(request, response, 200, { request_id: randomUUID(), output }, Date.now())
    }
    if (request.method !== 'POST' || pathname !== RECOGNITION) {
      return refuse({
        status: 404,
        code: 'NotFound',
        message: `No such route: ${request.method} ${pathname}`,
      })
    }
    if (request.headers['x-dashscope-async']) return refuse(dashscopeErrors.noAsynchronousCalls)
    void handleRecognition(request, response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve)
  })

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`,
    apiKey,
    requests,
    inFlight: () => inFlight,
    peakInFlight: () => peak,
    fault: faults.add,
    set(changes) {
      if (changes.latency) service.latency = changes.latency
      if ('requestsPerMinute' in changes) limiter.limit(changes.requestsPerMinute)
    },
    async warmUp() {
      await service.library()
    },
    async close() {
      closing.abort()
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

// A sliding minute, in which only what was let in counts.
function createLimiter(perMinute = Number.POSITIVE_INFINITY) {
  let limit = perMinute
  let admitted: number[] = []
  return {
    limit(changed = Number.POSITIVE_INFINITY) {
      limit = changed
    },
    admit(): boolean {
      const now = Date.now()
      admitted = admitted.filter(at => at > now - 60_000)
      if (admitted.length >= limit) return false
      admitted.push(now)
      return true
    },
  }
}
