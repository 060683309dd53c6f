// The one way to the provider: JSON over undici, with time limits, and errors that carry no secret and no body.
import { Readable } from 'node:stream'
import type { Agent } from 'undici'
import { SpeechError } from '../../domain/errors.ts'

export interface HttpResponse {
  status: number
  /** The parsed body; undefined when it is not JSON (a proxy's error page, for instance). */
  json: unknown
}

/** JSON in pieces, so that a recording never stands in memory as text; read anew for each attempt. */
export interface JsonBody {
  bytes: number
  pieces(): Iterable<Buffer>
}

export interface HttpRequest {
  method: 'GET' | 'POST'
  url: string
  headers?: Record<string, string>
  body?: JsonBody
  signal: AbortSignal
}

export interface HttpClient {
  /** Resolves with any answer the server gives; throws `PROVIDER_UNREACHABLE` or `PROVIDER_TIMEOUT` (both retryable). */
  request(request: HttpRequest): Promise<HttpResponse>
  close(): Promise<void>
}

export interface HttpOptions {
  connections: number
  /** Seconds until the connection stands. */
  connectTimeout?: number
  /** Seconds without a byte of the answer. */
  answerTimeout?: number
}

/** A larger answer is not what we asked for. */
const largestAnswer = 4_000_000

/** undici's pool of connections and its `request`. The whole package also brings WebSockets, caches and a fetch: 9 MB and
 * 50 ms that the first call would pay. The version is pinned, as these paths are its own affair. */
const [agentModule, requestModule] = ['undici/lib/dispatcher/agent.js', 'undici/lib/api/api-request.js']

interface Undici {
  agent: Agent
  request: typeof Agent.prototype.request
}

/** It is loaded with the first request: a start that only lists tools does not wait for it. */
export function createHttp({
  connections,
  connectTimeout = 10,
  answerTimeout = 120,
}: HttpOptions): HttpClient {
  let undici: Promise<Undici> | undefined
  async function start(): Promise<Undici> {
    const [{ default: Pool }, { default: request }] = await Promise.all([
      import(agentModule),
      import(requestModule),
    ])
    const agent: Agent = new Pool({
      connections,
      connect: { timeout: connectTimeout * 1000 },
      headersTimeout: answerTimeout * 1000,
      bodyTimeout: answerTimeout * 1000,
      maxResponseSize: largestAnswer,
      keepAliveTimeout: 30_000,
    })
    return { agent, request: request.bind(agent) }
  }

  return {
    async request({ method, url, headers, body, signal }) {
      signal.throwIfAborted()
      undici ??= start()
      const { request } = await undici
      const { origin, pathname, search } = new URL(url)
      try {
        const response = await request({
          origin,
          path: pathname + search,
          method,
          headers: { accept: 'application/json', ...(body && describeBody(body)), ...headers },
          ...(body && { body: Readable.from(body.pieces(), { objectMode: false, highWaterMark: 1 }) }),
          signal,
        })
        const text = await response.body.text()
        return { status: response.statusCode, json: parse(text) }
      } catch (error) {
        signal.throwIfAborted()
        throw transportError(error, `${method} ${origin}${pathname}`)
      }
    },
    async close() {
      await (await undici)?.agent.destroy()
    },
  }
}

function describeBody({ bytes }: JsonBody): Record<string, string> {
  return { 'content-type': 'application/json', 'content-length': String(bytes) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function transportError(error: unknown, what: string): SpeechError {
  const code = String((error as { code?: unknown }).code ?? '')
  if (/TIMEOUT/i.test(code))
    return new SpeechError('PROVIDER_TIMEOUT', `${what} was not answered in time.`, {
      hint: 'The provider or the network is slow; call again.',
      retryable: true,
      cause: error,
    })
  const reason = code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'its name could not be resolved' : code
  return new SpeechError('PROVIDER_UNREACHABLE', `${what} failed${reason ? ` (${reason})` : ''}.`, {
    hint: 'Check the network, a proxy or firewall, and DASHSCOPE_BASE_URL; then call again.',
    retryable: true,
    cause: error,
  })
}
