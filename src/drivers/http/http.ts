// The HTTP client of all providers: JSON over undici, with limits of time and size; errors reveal no secret and no body.
import { Readable } from 'node:stream'
import { SpeechError } from '../../domain/errors.ts'
import type { Deadline } from '../../domain/network/deadlines.ts'
import { type Proxies, proxyFor } from '../../domain/network/proxies.ts'
import { type Connections, openConnections } from './connections.ts'
import { readRetryAfter } from './retry-after.ts'

export interface HttpResponse {
  status: number
  /** The parsed body; undefined when it is not JSON (a proxy's error page, for instance). */
  json: unknown
  /** Seconds that the server asks to wait (`Retry-After`). */
  retryAfterSeconds?: number | undefined
  /** Its header `Date`. */
  serverTime?: string | undefined
}

/**
 * A body in chunks, so that a recording is never in memory as a whole. It is read again for each attempt, and is JSON unless
 * a header says otherwise.
 */
export interface RequestBody {
  byteLength: number
  chunks(): Iterable<Buffer> | AsyncIterable<Buffer>
}

export interface HttpRequest {
  method: 'GET' | 'POST'
  url: string
  headers?: Record<string, string>
  body?: RequestBody
  deadline: Deadline
  signal: AbortSignal
  /** The setting that holds the address, for the hint of an error. Default: `DASHSCOPE_BASE_URL`. */
  setting?: string
}

/** A response whose text arrives bit by bit. */
export interface HttpStream {
  status: number
  /** Seconds that the server asks to wait (`Retry-After`). */
  retryAfterSeconds?: number | undefined
  /** Its header `Date`. */
  serverTime?: string | undefined
  /** Read it at once, to its end or until `break`: either frees the connection. Throws as `stream` does. */
  text: AsyncIterable<string>
}

export interface HttpClient {
  /** Resolves with any response; throws `PROVIDER_UNREACHABLE` or `PROVIDER_TIMEOUT` (both retryable). */
  request(request: HttpRequest): Promise<HttpResponse>
  /**
   * Fetches a text file; no key is sent unless it is in the request. Resolves with any response; throws also
   * `PROVIDER_FAILED` (not retryable) for one that is too large.
   */
  fetchText(
    request: Omit<HttpRequest, 'method'> & Partial<Pick<HttpRequest, 'method'>>,
  ): Promise<Omit<HttpStream, 'text'> & { text: string }>
  /**
   * Resolves with any response as soon as its status arrives. Throws, now or while it is read, as `request` does, and
   * `PROVIDER_FAILED` (not retryable) for one that is too large.
   */
  stream(request: HttpRequest): Promise<HttpStream>
  /** Loads undici, for which the first request would wait; that one reports what is wrong. */
  warmUp(): void
  close(): Promise<void>
}

export interface HttpClientOptions {
  /** Connections to one origin at most. */
  connections: number
  proxies?: Proxies | undefined
  /** Goes before the deadlines of the requests. For tests. */
  deadline?: Partial<Deadline>
  /** A stream that repeats all its text in each event is some hundred times as long as the text. */
  maxStreamBytes?: number
  /** Twelve hours of Chinese are some 30 MB, with a time for each character. */
  maxTextBytes?: number
}

/** A larger JSON response is not what was requested. */
const maxJsonBytes = 4_000_000

interface Limits {
  bytes: number
  /** True if a smaller request may have a response within the limit. */
  isSplittable: boolean
}

/** undici is loaded with the first request, so that a start that only lists tools does not wait for it. */
export function createHttpClient({
  connections,
  proxies,
  deadline,
  maxStreamBytes = 32_000_000,
  maxTextBytes = 100_000_000,
}: HttpClientOptions): HttpClient {
  let opened: Promise<Connections> | undefined

  function open(): Promise<Connections> {
    opened ??= openConnections(connections, proxies)
    return opened
  }

  /** Resolves with the status as soon as it arrives. */
  async function begin(request: HttpRequest, limits: Limits): Promise<HttpStream> {
    const { method, url, headers, body } = request
    request.signal.throwIfAborted()
    const { send } = await open()
    const { idleSeconds, totalSeconds, minBytesPerSecond } = { ...request.deadline, ...deadline }
    const timer = startTimer(request.signal)
    const fail = (error: unknown) => failure(error, request, proxyFor(url, proxies))
    async function* sent(chunks: ReturnType<RequestBody['chunks']>) {
      yield* chunks
      timer.endIn(totalSeconds)
    }
    try {
      timer.endIn(totalSeconds + (minBytesPerSecond ? (body?.byteLength ?? 0) / minBytesPerSecond : 0))
      const sending = send(new URL(url), {
        method,
        headers: {
          accept: 'application/json',
          ...(body && { 'content-type': 'application/json', 'content-length': String(body.byteLength) }),
          ...headers,
        },
        ...(body && { body: Readable.from(sent(body.chunks()), { objectMode: false, highWaterMark: 1 }) }),
        headersTimeout: idleSeconds * 1000,
        bodyTimeout: idleSeconds * 1000,
        signal: timer.signal,
      })
      const response = await timer.orAbort(sending)
      return {
        status: response.statusCode,
        retryAfterSeconds: readRetryAfter(response.headers),
        serverTime: response.headers.date as string | undefined,
        text: readText(response.body, limits, fail, timer.stop),
      }
    } catch (error) {
      timer.stop()
      throw fail(error)
    }
  }

  return {
    async request(request) {
      const { text, ...head } = await begin(request, { bytes: maxJsonBytes, isSplittable: false })
      return { ...head, json: parse(await join(text)) }
    },
    async fetchText(request) {
      const limits = { bytes: maxTextBytes, isSplittable: true }
      const { text, ...head } = await begin({ method: 'GET', ...request }, limits)
      return { ...head, text: await join(text) }
    },
    stream: request => begin(request, { bytes: maxStreamBytes, isSplittable: true }),
    warmUp: () => void open().catch(() => {}),
    async close() {
      await (await opened)?.close()
    },
  }
}

/** A signal that aborts with its parent, or when the time of the whole request is up: a response may trickle for hours. */
function startTimer(parent: AbortSignal) {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const abort = () => controller.abort(parent.reason)
  // Not `AbortSignal.any`: the parent is that of a whole job, with thousands of requests.
  parent.addEventListener('abort', abort, { once: true })
  return {
    signal: controller.signal,
    /** Rejects at once; undici would await a connection first. */
    orAbort<T>(work: Promise<T>): Promise<T> {
      return new Promise((resolve, reject) => {
        controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true })
        work.then(resolve, reject)
      })
    },
    endIn(seconds: number): void {
      clearTimeout(timer)
      const late = () => controller.abort(codedError('TOTAL_TIMEOUT', 'The request exceeded its time limit'))
      timer = setTimeout(late, seconds * 1000)
    },
    stop(): void {
      clearTimeout(timer)
      parent.removeEventListener('abort', abort)
    },
  }
}

/** Joins characters that the network splits. */
async function* readText(
  body: AsyncIterable<Buffer>,
  limits: Limits,
  fail: (error: unknown) => unknown,
  stopTimer: () => void,
) {
  const decoder = new TextDecoder()
  let bytes = 0
  try {
    for await (const chunk of body) {
      bytes += chunk.length
      if (bytes > limits.bytes) throw codedError('TOO_LARGE', 'Response exceeds its size limit')
      yield decoder.decode(chunk, { stream: true })
    }
    yield decoder.decode()
  } catch (error) {
    const { code } = error as { code?: unknown }
    throw code === 'TOO_LARGE' && limits.isSplittable ? tooLarge(limits.bytes, error) : fail(error)
  } finally {
    stopTimer()
  }
}

async function join(text: AsyncIterable<string>): Promise<string> {
  let whole = ''
  for await (const piece of text) whole += piece
  return whole
}

function codedError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** True where a signal aborted because its time is up (`AbortSignal.timeout`), not because it was cancelled. */
export function hasTimedOut(signal: AbortSignal): boolean {
  return signal.aborted && (signal.reason as { name?: unknown } | undefined)?.name === 'TimeoutError'
}

function tooLarge(maxBytes: number, cause: unknown): SpeechError {
  return new SpeechError('PROVIDER_FAILED', `The provider’s response is larger than ${maxBytes / 1e6} MB.`, {
    hint: 'Split the request into smaller ones.',
    cause,
  })
}

/** The error of a failed request, or the signal's reason if that ended it. */
function failure(
  error: unknown,
  { method, url, signal, setting = 'DASHSCOPE_BASE_URL' }: HttpRequest,
  proxy: URL | undefined,
): unknown {
  if (signal.aborted) return signal.reason
  const { origin, pathname } = new URL(url)
  const target = `${method} ${origin}${pathname}${proxy ? ` through the proxy ${proxy.host}` : ''}`
  const { code = '', message } = error as { code?: string; message?: string }
  if (/TIMEOUT/i.test(code))
    return new SpeechError('PROVIDER_TIMEOUT', `${target} was not answered in time.`, {
      hint: 'The provider or the network is slow; call again.',
      retryable: true,
      cause: error,
    })
  const refusal = proxy && /^Proxy.*\((\d{3})\)/.exec(message ?? '')?.[1]
  const isUnknown = code === 'ENOTFOUND' || code === 'EAI_AGAIN'
  const reason = refusal ?? (isUnknown ? 'its name could not be resolved' : code)
  return new SpeechError('PROVIDER_UNREACHABLE', `${target} failed${reason ? ` (${reason})` : ''}.`, {
    hint: `Check the network, ${proxy ? 'HTTPS_PROXY and NO_PROXY' : 'a proxy or firewall'}, and ${setting}; then call again.`,
    retryable: true,
    cause: error,
  })
}
