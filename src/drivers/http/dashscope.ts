// Client of the DashScope API: its address and its key.

import { SpeechError } from '../../domain/errors.ts'
import type { Deadline } from '../../domain/network/deadlines.ts'
import { isPrivateUrl } from '../../domain/network/private-hosts.ts'
import { providerError } from './dashscope-errors.ts'
import type { HttpClient, HttpRequest, RequestBody } from './http.ts'
import { readEvents, readJsonBody } from './sse.ts'

export interface DashscopeOptions {
  apiKey: string | undefined
  /** `https://host/api/v1`, without a slash at the end. */
  baseUrl: string
  /** A server of the user's own: it may need no key. Default: false. */
  isOwn?: boolean
  http: HttpClient
}

export interface DashscopeCall {
  method: 'GET' | 'POST'
  path: string
  query?: Record<string, string>
  /** In addition to the key. */
  headers?: Record<string, string>
  body?: RequestBody
  deadline: Deadline
}

export interface Dashscope {
  readonly baseUrl: string
  /**
   * Present for a server of the user's own. It has file tasks but no lists of them and no object storage, and serves the
   * results itself, with these headers.
   */
  readonly own?: { headers: Record<string, string> }
  /** The error of any call, where no key is set and one is needed. */
  missingKey(): SpeechError | undefined
  /** Milliseconds that the server's clock is ahead of ours, to about a second; undefined before its first response. */
  clockAheadMs(): number | undefined
  /** Resolves with the JSON body of a success; throws `SpeechError` for any other response. */
  call(request: DashscopeCall, signal: AbortSignal): Promise<unknown>
}

export interface StreamingDashscope extends Dashscope {
  /**
   * Yields the JSON of each event of a success as it arrives, or of the one document that comes instead. Throws as `call`
   * does, also midway. `onOpen`: the status is a success, although an event may still be a refusal.
   */
  stream(request: DashscopeCall, signal: AbortSignal, onOpen?: () => void): AsyncIterable<unknown>
}

export function dashscope({ apiKey, baseUrl, isOwn = false, http }: DashscopeOptions): StreamingDashscope {
  const authorization: Record<string, string> = apiKey ? { authorization: `Bearer ${apiKey}` } : {}

  let clockAheadMs: number | undefined

  function readClock({ serverTime = '' }: { serverTime?: string | undefined }): void {
    const ahead = Date.parse(serverTime) - Date.now()
    if (!Number.isNaN(ahead)) clockAheadMs = ahead
  }

  function missingKey(): SpeechError | undefined {
    if (apiKey || isOwn) return undefined
    return new SpeechError('KEY_MISSING', 'No DashScope key is set.', {
      hint: 'Set DASHSCOPE_API_KEY to a key of the Singapore region (Model Studio console → API keys).',
      scope: 'account',
    })
  }

  function prepare({ path, query, headers, ...request }: DashscopeCall, signal: AbortSignal): HttpRequest {
    const missing = missingKey()
    if (missing) throw missing
    return {
      ...request,
      url: `${baseUrl}/${path}${query ? `?${new URLSearchParams(query)}` : ''}`,
      headers: { ...authorization, ...headers },
      signal,
    }
  }

  function refusal(status: number, json: unknown, retryAfterSeconds?: number): SpeechError {
    const error = providerError(status, json, retryAfterSeconds)
    if (error.code !== 'WRONG_BASE_URL' || isOwn || !isPrivateUrl(baseUrl)) return error
    return new SpeechError(error.code, error.message, {
      ...error,
      hint: 'If DASHSCOPE_BASE_URL is a server of your own, set SPEECH_FILE_HOST too, or unset DASHSCOPE_API_KEY.',
    })
  }

  return {
    baseUrl,
    missingKey,
    clockAheadMs: () => clockAheadMs,
    ...(isOwn && { own: { headers: authorization } }),
    async call(request, signal) {
      const response = await http.request(prepare(request, signal))
      readClock(response)
      const { status, json, retryAfterSeconds } = response
      if (status === 200 && json !== undefined) return json
      throw refusal(status, json, retryAfterSeconds)
    },
    async *stream(request, signal, onOpen) {
      const headers = { accept: 'text/event-stream', 'x-dashscope-sse': 'enable', ...request.headers }
      const { status, text, retryAfterSeconds } = await http.stream(prepare({ ...request, headers }, signal))
      if (status !== 200) throw refusal(status, await readJsonBody(text), retryAfterSeconds)
      onOpen?.()
      for await (const event of readEvents(text)) {
        // A stream may be refused with 200 and an event that has the true status (raw captures).
        if (event.event === 'error' || isRefusal(event.json)) throw refusal(event.status ?? 200, event.json)
        yield event.json
      }
    },
  }
}

function isRefusal(json: unknown): boolean {
  const { code, error, output } = (json ?? {}) as Record<'code' | 'error' | 'output', unknown>
  return Boolean((typeof code === 'string' && code) || error) && !output
}
