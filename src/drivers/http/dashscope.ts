// Client of the DashScope API: its address, its key, and the meaning of its errors.
import { type ErrorCode, isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { HttpClient, HttpRequest, RequestBody } from './http.ts'
import { readEvents, readJsonBody } from './sse.ts'

export interface DashscopeOptions {
  apiKey: string | undefined
  /** `https://host/api/v1`, without a slash at the end. */
  baseUrl: string
  http: HttpClient
}

export interface DashscopeCall {
  method: 'GET' | 'POST'
  path: string
  query?: Record<string, string>
  /** In addition to the key. */
  headers?: Record<string, string>
  body?: RequestBody
}

export interface Dashscope {
  readonly baseUrl: string
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

export interface ErrorResponse {
  status: number
  /** Empty in a response of unknown form. */
  code: string
  /** The model exists, but at another route. */
  wrongRoute?: boolean
}

/** DashScope's response to a failed call; undefined when there was none. */
export function errorResponseOf(error: unknown): ErrorResponse | undefined {
  const cause = isSpeechError(error) ? (error.cause as { status?: unknown } | undefined) : undefined
  return typeof cause?.status === 'number' ? (cause as ErrorResponse) : undefined
}

export function dashscope({ apiKey, baseUrl, http }: DashscopeOptions): StreamingDashscope {
  function prepare({ method, path, query, headers, body }: DashscopeCall, signal: AbortSignal): HttpRequest {
    if (!apiKey)
      throw new SpeechError('KEY_MISSING', 'No DashScope key is set.', {
        hint: 'Set DASHSCOPE_API_KEY to a key of the Singapore region (Model Studio console → API keys).',
        scope: 'account',
      })
    return {
      method,
      url: `${baseUrl}/${path}${query ? `?${new URLSearchParams(query)}` : ''}`,
      headers: { authorization: `Bearer ${apiKey}`, ...headers },
      ...(body && { body }),
      signal,
    }
  }

  return {
    baseUrl,
    async call(request, signal) {
      const { status, json } = await http.request(prepare(request, signal))
      if (status === 200 && json !== undefined) return json
      throw providerError(status, json)
    },
    async *stream(request, signal, onOpen) {
      const headers = { accept: 'text/event-stream', 'x-dashscope-sse': 'enable', ...request.headers }
      const { status, text } = await http.stream(prepare({ ...request, headers }, signal))
      if (status !== 200) throw providerError(status, await readJsonBody(text))
      onOpen?.()
      for await (const event of readEvents(text)) {
        // A stream may be refused with 200 and an event that has the true status (raw captures).
        if (event.event === 'error' || isRefusal(event.json))
          throw providerError(event.status ?? 200, event.json)
        yield event.json
      }
    },
  }
}

function isRefusal(json: unknown): boolean {
  const { code, output } = (json ?? {}) as { code?: unknown; output?: unknown }
  return typeof code === 'string' && code !== '' && !output
}

/** The `SpeechError` that a provider's error code means. */
export interface ErrorMeaning {
  code: ErrorCode
  message: string
  hint: string
  retryable?: boolean
  scope?: 'account'
}

const accountMeanings = {
  key: {
    code: 'KEY_REFUSED',
    message: 'DashScope refused the key.',
    hint: 'Check DASHSCOPE_API_KEY; a key of another region (Beijing, for one) does not work at this address.',
    scope: 'account',
  },
  arrears: {
    code: 'ACCOUNT_IN_ARREARS',
    message: 'The Alibaba Cloud account is in arrears or the service is not paid for.',
    hint: 'Pay the bill in the Alibaba Cloud console, then call again.',
    scope: 'account',
  },
  access: {
    code: 'ACCESS_DENIED',
    message: 'The key may not use this model.',
    hint: 'Activate Model Studio and the model for the key’s workspace in the console.',
    scope: 'account',
  },
  model: {
    code: 'MODEL_NOT_FOUND',
    message: 'DashScope does not know the model, or has retired it.',
    hint: 'Set ASR_MODEL, SPEAKER_MODEL or FILE_MODEL to a model that exists in the region.',
    scope: 'account',
  },
  address: {
    code: 'WRONG_BASE_URL',
    message: 'There is no such service at this address.',
    hint: 'Check DASHSCOPE_BASE_URL; it ends in /api/v1.',
    scope: 'account',
  },
} as const satisfies Record<string, ErrorMeaning>

const throttled: ErrorMeaning = {
  code: 'THROTTLED',
  message: 'DashScope limits the rate of requests.',
  hint: 'Wait a minute and call again, or lower SPEECH_CONCURRENCY.',
  retryable: true,
}
const failed: ErrorMeaning = {
  code: 'PROVIDER_FAILED',
  message: 'DashScope failed to answer.',
  hint: 'This usually passes; call again in a minute.',
  retryable: true,
}

/** The meaning of DashScope's codes; the first match counts (Model Studio error reference). */
const meanings: [RegExp, ErrorMeaning][] = [
  [/^invalid_?api_?key$/i, accountMeanings.key],
  [
    /^(Arrearage|CommodityNotPurchased|PrepaidBillOverdue|PostpaidBillOverdue|AllocationQuota\.FreeTierOnly)$/,
    accountMeanings.arrears,
  ],
  [/^AccessDenied|^Model\.AccessDenied|^Workspace\.AccessDenied/, accountMeanings.access],
  [/^model_?not_?found$/i, accountMeanings.model],
  [/^Throttling|^limit_burst_rate$|^insufficient_quota$/, throttled],
  [
    /^DataInspectionFailed$|^data_inspection_failed$/,
    {
      code: 'CONTENT_REFUSED',
      message: 'The provider’s content check refused this part of the recording.',
      hint: 'It cannot be transcribed with this provider; the rest of the transcript is complete.',
    },
  ],
  [
    /^InternalError|^SystemError$|^ModelServiceFailed$|^ModelServingError$|^ModelUnavailable$|^RequestTimeOut$/,
    failed,
  ],
]

const intercepted: ErrorMeaning = {
  code: 'PROVIDER_REFUSED',
  message:
    'A proxy or firewall before DashScope refused the request (403, without an error code of DashScope).',
  hint: 'Check a proxy or firewall, and DASHSCOPE_BASE_URL.',
  scope: 'account',
}

/** The error that a response other than a success means. The provider's message is left out: it may quote the request. */
function providerError(status: number, json: unknown): SpeechError {
  const body = json as { code?: unknown; message?: unknown } | undefined
  const code = typeof body?.code === 'string' ? body.code : ''
  const message = typeof body?.message === 'string' ? body.message : ''
  const meaning = status === 403 && json === undefined ? intercepted : meaningOf(status, code, message)
  const { code: ours, message: ourMessage, ...details } = meaning
  const wrongRoute = /^url error/i.test(message)
  const cause: ErrorResponse = { status, code: code.slice(0, 60), ...(wrongRoute && { wrongRoute }) }
  return new SpeechError(ours, ourMessage, { ...details, cause })
}

function meaningOf(status: number, code: string, message: string): ErrorMeaning {
  if (/Model not exist/i.test(message)) return accountMeanings.model
  const known = meanings.find(([pattern]) => pattern.test(code))?.[1]
  if (known) return known
  if (status === 401) return accountMeanings.key
  if (status === 403) return accountMeanings.access
  if (status === 404) return accountMeanings.address
  if (status === 429) return throttled
  if (status >= 500 || status === 408 || status === 200) return failed
  return {
    code: 'PROVIDER_REFUSED',
    message: `DashScope refused the request (${status}${/^[\w.]{1,60}$/.test(code) ? `, ${code}` : ''}).`,
    hint: 'Look the code up in Model Studio’s error reference, or report it with the recording’s format.',
  }
}
