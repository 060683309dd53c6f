// The one way to the provider: JSON over undici, with time limits, and errors that carry no secret and no body.
import { Readable } from 'node:stream'
import type { Agent } from 'undici'
import { SpeechError } from '../../domain/errors.ts'

export interface HttpResponse {
  status: number
  /** The parsed body; undefined when it is not JSON (a proxy's error page, for instance). */
  json: unknown
}

/** A body in pieces, JSON unless a header says otherwise, so that a recording never stands in memory; read anew for each attempt. */
export interface JsonBody {
  bytes: number
  pieces(): Iterable<Buffer> | AsyncIterable<Buffer>
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
  /**
   * A text file whose address is all it takes: no key goes there. Resolves with any answer; throws also
   * `PROVIDER_FAILED` (not retryable) for one that is too large.
   */
  fetchText(request: { url: string; signal: AbortSignal }): Promise<{ status: number; text: string }>
  close(): Promise<void>
}

export interface HttpOptions {
  connections: number
  /** Seconds until the connection stands. */
  connectTimeout?: number
  /** Seconds without a byte of the answer. */
  answerTimeout?: number
  /** Bytes; twelve hours of Chinese are some 30 MB, with a time for each character. */
  largestText?: number
}

/** A larger answer is not what we asked for. */
const largestAnswer = 4_000_000

/** undici's pool of connections and its `request`. The whole package also brings WebSockets, caches and a fetch: 9 MB and
 * 50 ms that the first call would pay. The version is pinned, as these paths are its own affair. */
const [agentModule, requestModule] = ['undici/lib/dispatcher/agent.js', 'undici/lib/api/api-request.js']

interface Pool {
  agent: Agent
  request: typeof Agent.prototype.request
}

/** It is loaded with the first request: a start that only lists tools does not wait for it. */
export function createHttp({
  connections,
  connectTimeout = 10,
  answerTimeout = 120,
  largestText = 100_000_000,
}: HttpOptions): HttpClient {
  async function start(maxResponseSize: number): Promise<Pool> {
    const [{ default: Pool }, { default: request }] = await Promise.all([
      import(agentModule),
      import(requestModule),
    ])
    const agent: Agent = new Pool({
      connections,
      connect: { timeout: connectTimeout * 1000 },
      headersTimeout: answerTimeout * 1000,
      bodyTimeout: answerTimeout * 1000,
      maxResponseSize,
      keepAliveTimeout: 30_000,
    })
    return { agent, request: request.bind(agent) }
  }
  /** The limit of an answer is its pool's. */
  let answers: Promise<Pool> | undefined
  let texts: Promise<Pool> | undefined

  return {
    async request(request) {
      request.signal.throwIfAborted()
      answers ??= start(largestAnswer)
      const { status, text } = await send(await answers, request)
      return { status, json: parse(text) }
    },
    async fetchText({ url, signal }) {
      signal.throwIfAborted()
      texts ??= start(largestText)
      return send(await texts, { method: 'GET', url, signal }).catch(error => {
        throw isTooLarge(error) ? tooLarge(largestText, error) : error
      })
    },
    async close() {
      const pools = await Promise.all([answers, texts])
      await Promise.all(pools.map(pool => pool?.agent.destroy()))
    },
  }
}

async function send(
  { request }: Pool,
  { method, url, headers, body, signal }: HttpRequest,
): Promise<{ status: number; text: string }> {
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
    return { status: response.statusCode, text }
  } catch (error) {
    signal.throwIfAborted()
    throw transportError(error, `${method} ${origin}${pathname}`)
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

/** True where the signal ended a wait that was too long (`AbortSignal.timeout`), and nobody called it off. */
export function isTimeUp(signal: AbortSignal): boolean {
  return signal.aborted && (signal.reason as { name?: unknown } | undefined)?.name === 'TimeoutError'
}

function isTooLarge(error: unknown): boolean {
  return ((error as SpeechError).cause as { code?: unknown })?.code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE'
}

function tooLarge(most: number, cause: unknown): SpeechError {
  return new SpeechError('PROVIDER_FAILED', `The provider’s result is larger than ${most / 1e6} MB.`, {
    hint: 'Part the recording and give the parts one by one.',
    cause,
  })
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
