// DashScope's errors, in each form that was recorded, and the `SpeechError` that each one means.
import { type ErrorCode, isSpeechError, SpeechError } from '../../domain/errors.ts'

export interface ErrorResponse {
  status: number
  /** Empty in a response of unknown form. */
  code: string
  /** The model exists, but at another route. */
  wrongRoute?: boolean
  /** Seconds that the provider asks to wait. */
  retryAfter?: number | undefined
}

/** DashScope's response to a failed call; undefined when there was none. */
export function errorResponseOf(error: unknown): ErrorResponse | undefined {
  const cause = isSpeechError(error) ? (error.cause as { status?: unknown } | undefined) : undefined
  return typeof cause?.status === 'number' ? (cause as ErrorResponse) : undefined
}

/** The `SpeechError` that a provider's error code means. */
export interface ErrorMeaning {
  code: ErrorCode
  message: string
  hint: string
  retryable?: boolean
  scope?: 'account' | 'model'
}

const key: ErrorMeaning = {
  code: 'KEY_REFUSED',
  message: 'DashScope refused the key.',
  hint: 'Check DASHSCOPE_API_KEY; a key of another region (Beijing, for one) does not work at this address.',
  scope: 'account',
}
const access: ErrorMeaning = {
  code: 'ACCESS_DENIED',
  message: 'The key may not use this model.',
  hint: 'Activate Model Studio and the model for the key’s workspace in the console.',
  scope: 'model',
}
const address: ErrorMeaning = {
  code: 'WRONG_BASE_URL',
  message: 'There is no such service at this address.',
  hint: 'Check DASHSCOPE_BASE_URL; it ends in /api/v1.',
  scope: 'account',
}
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
const intercepted: ErrorMeaning = {
  code: 'PROVIDER_REFUSED',
  message:
    'A proxy or firewall before DashScope refused the request (403, without an error code of DashScope).',
  hint: 'Check a proxy or firewall, and DASHSCOPE_BASE_URL.',
  scope: 'account',
}

interface Row {
  code: RegExp
  /** Where the code is too general, the message says what is meant. */
  message?: RegExp
  means: ErrorMeaning
}

/** The first match counts (Model Studio error reference, and recorded answers). */
const rows: Row[] = [
  { code: /^invalid_?api_?key$/i, means: key },
  {
    code: /FreeTierOnly$/,
    message: /free (tier|quota) of the model has been exhausted|use free tier only/i,
    means: {
      code: 'FREE_TIER_USED_UP',
      message: 'The free quota of the model is used up, and the account stops there.',
      hint: 'Switch off “use free tier only” in the Model Studio console, or use another model.',
      scope: 'model',
    },
  },
  {
    code: /^(Arrearage|CommodityNotPurchased|PrepaidBillOverdue|PostpaidBillOverdue)$/,
    means: {
      code: 'ACCOUNT_IN_ARREARS',
      message: 'The Alibaba Cloud account is in arrears or the service is not paid for.',
      hint: 'Pay the bill in the Alibaba Cloud console, then call again.',
      scope: 'account',
    },
  },
  { code: /^(Model\.|Workspace\.)?AccessDenied/, means: access },
  {
    code: /^model_?not_?found$/i,
    message: /^.{0,80}\bmodel\b.{0,80}\bnot (exist|found|be found)|no longer available to new users/i,
    means: {
      code: 'MODEL_NOT_FOUND',
      message: 'DashScope does not know the model, or has retired it.',
      hint: 'Set ASR_MODEL, SPEAKER_MODEL or FILE_MODEL to a model that exists in the region.',
      scope: 'model',
    },
  },
  { code: /^Throttling|^limit_burst_rate$|^insufficient_quota$/, means: throttled },
  {
    code: /DataInspectionFailed|^data_inspection_failed$/,
    message: /DataInspectionFailed|inappropriate content/i,
    means: {
      code: 'CONTENT_REFUSED',
      message: 'The provider’s content check refused this part of the recording.',
      hint: 'It cannot be transcribed with this provider; the rest of the transcript is complete.',
    },
  },
]

/** These say that a recording has no speech, as a code or within a message. */
const silence = /ASR_RESPONSE_HAVE_NO_WORDS|SUCCESS_WITH_NO_VALID_FRAGMENT/

/** The error that a response other than a success means. The provider's message is left out: it may quote the request. */
export function providerError(
  httpStatus: number,
  json: unknown,
  retryAfter?: number | undefined,
): SpeechError {
  const { code, message } = codeAndMessage(json)
  // An error within a stream comes with the status 200, and its own one in the message.
  const inMessage = httpStatus === 200 ? /^<(\d{3})>/.exec(message)?.[1] : undefined
  const status = Number(inMessage ?? httpStatus)
  const meaning = status === 403 && json === undefined ? intercepted : meaningOf(status, code, message)
  const { code: ours, message: ourMessage, ...details } = meaning
  const wrongRoute = /^url error/i.test(message)
  const providerCode = silence.exec(`${code} ${message}`)?.[0] ?? code.slice(0, 60)
  const cause: ErrorResponse = { status, code: providerCode, retryAfter, ...(wrongRoute && { wrongRoute }) }
  return new SpeechError(ours, ourMessage, { ...details, cause })
}

/** At the top, or in an object `error` as gateways send it. */
function codeAndMessage(json: unknown): { code: string; message: string } {
  const top = (json ?? {}) as Record<string, unknown>
  const nested = (typeof top.error === 'object' ? top.error : undefined) as Record<string, unknown> | null
  const text = (name: string) => [top[name], nested?.[name]].find(value => value && typeof value === 'string')
  return { code: String(text('code') ?? ''), message: String(text('message') ?? '') }
}

/** Of an error in any response; undefined where neither code nor message is known. */
export function knownMeaning(code: string, message: string): ErrorMeaning | undefined {
  return rows.find(row => row.code.test(code) || row.message?.test(message))?.means
}

/** The status decides where the code does not: 4xx `InternalError.…` is a refusal, which is not repeated. */
function meaningOf(status: number, code: string, message: string): ErrorMeaning {
  const known = knownMeaning(code, message)
  if (known) return known
  if (status === 401) return key
  if (status === 403) return access
  if (status === 404) return address
  if (status === 429) return throttled
  if (status >= 500 || status === 408 || status === 200) return failed
  return {
    code: 'PROVIDER_REFUSED',
    message: `DashScope refused the request (${status}${/^[\w.]{1,60}$/.test(code) ? `, ${code}` : ''}).`,
    hint: 'Look the code up in Model Studio’s error reference, or report it with the recording’s format.',
  }
}
