// Errors of Gemini, and the `SpeechError` that each one means.
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'
import type { ErrorMeaning } from '../../http/dashscope-errors.ts'

interface GoogleError {
  /** Such as `INVALID_ARGUMENT`; empty in a response of unknown form. */
  status: string
  message: string
  /** Such as `API_KEY_INVALID`. */
  reason: string
  /** Seconds that the provider asks to wait. */
  retryAfter?: number
}

const meanings = {
  key: {
    code: 'KEY_REFUSED',
    message: 'Gemini refused the key.',
    hint: 'Check GEMINI_API_KEY (Google AI Studio → API keys).',
    scope: 'account',
  },
  region: {
    code: 'ACCESS_DENIED',
    message: 'Gemini does not serve this key: the country is not supported, or billing is not set up.',
    hint: 'Check billing in Google AI Studio, or leave GEMINI_API_KEY empty.',
    scope: 'model',
  },
  arrears: {
    code: 'ACCOUNT_IN_ARREARS',
    message: 'The prepaid balance of the Gemini account is used up.',
    hint: 'Add to it in Google AI Studio, then call again.',
    scope: 'account',
  },
  access: {
    code: 'ACCESS_DENIED',
    message: 'The Gemini key may not use this model.',
    hint: 'Check the restrictions of GEMINI_API_KEY, or remove the model from FORMAT_MODELS.',
    scope: 'model',
  },
  address: {
    code: 'WRONG_BASE_URL',
    message: 'There is no Gemini at this address.',
    hint: 'Check GEMINI_BASE_URL; it ends in its version, /v1beta or /v1.',
    scope: 'account',
  },
  intercepted: {
    code: 'PROVIDER_REFUSED',
    message: 'A proxy or firewall before Gemini refused the request (403, without an error code of Gemini).',
    hint: 'Check a proxy or firewall, and GEMINI_BASE_URL.',
    scope: 'account',
  },
  throttled: {
    code: 'THROTTLED',
    message: 'Gemini limits the rate of requests.',
    hint: 'Wait a minute and call again, or raise the quota of GEMINI_API_KEY in Google AI Studio.',
    retryable: true,
  },
  failed: {
    code: 'PROVIDER_FAILED',
    message: 'Gemini failed to answer.',
    hint: 'This usually passes; call again in a minute.',
    retryable: true,
  },
} as const satisfies Record<string, ErrorMeaning>

/** True where a body contains an error, although the status may be a success. */
export function hasError(json: unknown): boolean {
  return typeof (json as { error?: unknown } | null)?.error === 'object'
}

/** The provider's message is left out: it may quote the request. */
export function geminiError(
  httpStatus: number,
  json: unknown,
  model: string,
  headerSeconds?: number,
): SpeechError {
  const details = errorIn(json)
  const code = (json as { error?: { code?: unknown } } | null)?.error?.code
  const status = httpStatus === 200 && typeof code === 'number' ? code : httpStatus
  const { code: ours, message, ...meaning } = meaningOf(status, details, model)
  const cause = {
    status,
    code: details.status.slice(0, 60),
    isAboutThinking: isThinkingRefused(status, details),
    retryAfter: details.retryAfter ?? headerSeconds,
  }
  return new SpeechError(ours, message, { ...meaning, cause })
}

/** True where the model would accept the request without its thinking budget. */
export function isAboutThinking(error: unknown): boolean {
  return isSpeechError(error) && (error.cause as { isAboutThinking?: unknown })?.isAboutThinking === true
}

function meaningOf(
  status: number,
  { status: name, reason, message }: GoogleError,
  model: string,
): ErrorMeaning {
  const isGoogle = name !== ''
  // Google reports a wrong key as a bad argument, and a leaked key as a missing permission.
  if (reason === 'API_KEY_INVALID' || /^API key (?:not valid|expired)|reported as leaked/i.test(message))
    return meanings.key
  if (status === 401) return meanings.key
  if (status === 402) return meanings.arrears
  if (status === 403) return isGoogle ? meanings.access : meanings.intercepted
  if (status === 404) return isGoogle ? unknownModel(model) : meanings.address
  if (status === 429) return meanings.throttled
  if (status >= 500 || status === 408 || status === 200) return meanings.failed
  if (name === 'FAILED_PRECONDITION') return meanings.region
  return {
    code: 'PROVIDER_REFUSED',
    message: `Gemini refused the request (${status}${/^[A-Z_]{1,60}$/.test(name) ? `, ${name}` : ''}).`,
    hint: 'Check GEMINI_BASE_URL, or put another model first in FORMAT_MODELS.',
  }
}

function unknownModel(model: string): ErrorMeaning {
  return {
    code: 'MODEL_NOT_FOUND',
    message: `Gemini does not know the model ${model}, or has retired it.`,
    hint: 'Set FORMAT_MODELS to models that exist.',
    scope: 'model',
  }
}

function isThinkingRefused(status: number, { status: name, message }: GoogleError): boolean {
  return status === 400 && name === 'INVALID_ARGUMENT' && /thinking/i.test(message)
}

function errorIn(json: unknown): GoogleError {
  const error = (json as { error?: Record<string, unknown> } | null)?.error ?? {}
  const details = (Array.isArray(error.details) ? error.details : []) as (Record<string, unknown> | null)[]
  const stringIn = (key: string) =>
    details.map(detail => detail?.[key]).find(value => typeof value === 'string')
  const delay = /^(\d+(?:\.\d+)?)s$/.exec(String(stringIn('retryDelay')))
  return {
    status: typeof error.status === 'string' ? error.status : '',
    message: typeof error.message === 'string' ? error.message : '',
    reason: String(stringIn('reason') ?? ''),
    ...(delay && { retryAfter: Number(delay[1]) }),
  }
}
