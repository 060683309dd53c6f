// The one way to the provider: JSON over undici, with time limits, and errors that carry no secret and no body.
import { Readable } from 'node:stream'
import type { Agent, Dispatcher } from 'undici'
import { SpeechError } from '../../domain/errors.ts'

export interface HttpResponse {
  status: number
  /** The parsed body; undefined when it is not JSON (a proxy's error page, for instance). */
  json: unknown
}

/** A body in pieces, JSON unless a header says otherwise, so that a recording never stands in memory; read anew for each attempt. */
export interface RequestBody {
  byteLength: number
  chunks(): Iterable<Buffer> | AsyncIterable<Buffer>
}

export interface HttpRequest {
  method: 'GET' | 'POST'
  url: string
  headers?: Record<string, string>
  body?: RequestBody
  signal: AbortSignal
  /** The setting that holds the address, for whoever is told that it does not answer; `DASHSCOPE_BASE_URL` as a rule. */
  setting?: string
}

/** An answer whose text comes bit by bit. */
export interface HttpStream {
  status: number
  /** To be read at once, and to its end or until `break`: either frees the connection. Throws as `stream` does. */
  text: AsyncIterable<string>
}

export interface HttpClient {
  /** Resolves with any answer the server gives; throws `PROVIDER_UNREACHABLE` or `PROVIDER_TIMEOUT` (both retryable). */
  request(request: HttpRequest): Promise<HttpResponse>
  /**
   * A text file whose address is all it takes: no key goes there. Resolves with any answer; throws also
   * `PROVIDER_FAILED` (not retryable) for one that is too large.
   */
  fetchText(request: { url: string; signal: AbortSignal }): Promise<{ status: number; text: string }>
  /**
   * Resolves with any answer as soon as its status is there. Throws, now or while it is read, as `request` does, and
   * `PROVIDER_FAILED` (not retryable) for one that is too large.
   */
  stream(request: HttpRequest): Promise<HttpStream>
  close(): Promise<void>
}

export interface HttpClientOptions {
  connections: number
  /** Seconds until the connection stands. */
  connectTimeoutSeconds?: number
  /** Seconds without a byte of the answer. */
  responseTimeoutSeconds?: number
  /** Seconds that an answer may take that comes bit by bit. */
  streamTimeoutSeconds?: number
  /** Bytes of such an answer; one that says all again in each frame is some hundred times its text. */
  maxStreamBytes?: number
  /** Bytes; twelve hours of Chinese are some 30 MB, with a time for each character. */
  maxTextBytes?: number
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
export function createHttpClient({
  connections,
  connectTimeoutSeconds = 10,
  responseTimeoutSeconds = 120,
  streamTimeoutSeconds = 300,
  maxStreamBytes = 32_000_000,
  maxTextBytes = 100_000_000,
}: HttpClientOptions): HttpClient {
  async function start(maxResponseSize: number): Promise<Pool> {
    const [{ default: Pool }, { default: request }] = await Promise.all([
      import(agentModule),
      import(requestModule),
    ])
    const agent: Agent = new Pool({
      connections,
      connect: { timeout: connectTimeoutSeconds * 1000 },
      headersTimeout: responseTimeoutSeconds * 1000,
      bodyTimeout: responseTimeoutSeconds * 1000,
      maxResponseSize,
      keepAliveTimeout: 30_000,
    })
    return { agent, request: request.bind(agent) }
  }
  /** The limit of an answer is its pool's. */
  let answers: Promise<Pool> | undefined
  let texts: Promise<Pool> | undefined
  let streams: Promise<Pool> | undefined

  return {
    async request(request) {
      request.signal.throwIfAborted()
      answers ??= start(largestAnswer)
      const { status, text } = await send(await answers, request)
      return { status, json: parse(text) }
    },
    async fetchText({ url, signal }) {
      signal.throwIfAborted()
      texts ??= start(maxTextBytes)
      return send(await texts, { method: 'GET', url, signal }).catch(error => {
        throw isTooLarge(error) ? tooLarge(maxTextBytes, error) : error
      })
    },
    async stream(request) {
      request.signal.throwIfAborted()
      streams ??= start(maxStreamBytes)
      const limits = { bytes: maxStreamBytes, seconds: streamTimeoutSeconds }
      return open(await streams, request).then(({ statusCode, body }) => ({
        status: statusCode,
        text: textOf(body, request, limits),
      }))
    },
    async close() {
      const pools = await Promise.all([answers, texts, streams])
      await Promise.all(pools.map(pool => pool?.agent.destroy()))
    },
  }
}

async function send(pool: Pool, request: HttpRequest): Promise<{ status: number; text: string }> {
  const { statusCode, body } = await open(pool, request)
  try {
    return { status: statusCode, text: await body.text() }
  } catch (error) {
    throw failure(error, request)
  }
}

/** Resolves with the head of the answer. */
async function open({ request }: Pool, asked: HttpRequest): Promise<Dispatcher.ResponseData> {
  const { method, url, headers, body, signal } = asked
  const { origin, pathname, search } = new URL(url)
  try {
    return await request({
      origin,
      path: pathname + search,
      method,
      headers: { accept: 'application/json', ...(body && describeBody(body)), ...headers },
      ...(body && { body: Readable.from(body.chunks(), { objectMode: false, highWaterMark: 1 }) }),
      signal,
    })
  } catch (error) {
    throw failure(error, asked)
  }
}

/** A character may come in two pieces; an answer that drips is never silent, and may yet take too long. */
async function* textOf(
  body: AsyncIterable<Buffer>,
  request: HttpRequest,
  most: { bytes: number; seconds: number },
): AsyncGenerator<string, void> {
  const end = performance.now() + most.seconds * 1000
  const decoder = new TextDecoder()
  try {
    for await (const piece of body) {
      yield decoder.decode(piece, { stream: true })
      if (performance.now() > end) throw Object.assign(new Error('It drips.'), { code: 'STREAM_TIMEOUT' })
    }
    yield decoder.decode()
  } catch (error) {
    throw isTooLarge({ cause: error }) ? tooLarge(most.bytes, error) : failure(error, request)
  }
}

function describeBody({ byteLength }: RequestBody): Record<string, string> {
  return { 'content-type': 'application/json', 'content-length': String(byteLength) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** True where the signal ended a wait that was too long (`AbortSignal.timeout`), and nobody called it off. */
export function hasTimedOut(signal: AbortSignal): boolean {
  return signal.aborted && (signal.reason as { name?: unknown } | undefined)?.name === 'TimeoutError'
}

function isTooLarge({ cause }: { cause?: unknown }): boolean {
  return (cause as { code?: unknown } | undefined)?.code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE'
}

function tooLarge(most: number, cause: unknown): SpeechError {
  return new SpeechError('PROVIDER_FAILED', `The provider’s answer is larger than ${most / 1e6} MB.`, {
    hint: 'Part what you give, and give the parts one by one.',
    cause,
  })
}

/** What a request met on its way; the signal's reason where that has ended it. */
function failure(
  error: unknown,
  { method, url, signal, setting = 'DASHSCOPE_BASE_URL' }: HttpRequest,
): unknown {
  if (signal.aborted) return signal.reason
  const { origin, pathname } = new URL(url)
  const what = `${method} ${origin}${pathname}`
  const code = String((error as { code?: unknown }).code ?? '')
  if (/TIMEOUT/i.test(code))
    return new SpeechError('PROVIDER_TIMEOUT', `${what} was not answered in time.`, {
      hint: 'The provider or the network is slow; call again.',
      retryable: true,
      cause: error,
    })
  const reason = code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'its name could not be resolved' : code
  return new SpeechError('PROVIDER_UNREACHABLE', `${what} failed${reason ? ` (${reason})` : ''}.`, {
    hint: `Check the network, a proxy or firewall, and ${setting}; then call again.`,
    retryable: true,
    cause: error,
  })
}
