// Gemini's errors, and what they mean for whoever asked.
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'
import type { Meaning } from '../../http/dashscope.ts'

interface GoogleError {
  /** `INVALID_ARGUMENT` and the like; empty in an answer of no known form. */
  status: string
  message: string
  /** `API_KEY_INVALID` and the like. */
  reason: string
  /** Seconds that the provider wants us to wait. */
  retryAfter?: number
}

const meanings = {
  key: {
    code: 'KEY_REFUSED',
    message: 'Gemini refused the key.',
    hint: 'Check GEMINI_API_KEY (Google AI Studio → API keys).',
    scope: 'account',
  },
  place: {
    code: 'ACCESS_DENIED',
    message: 'Gemini does not serve this key from here: the country is not served, or billing is not set up.',
    hint: 'Check billing in Google AI Studio, or leave GEMINI_API_KEY empty.',
    scope: 'account',
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
    hint: 'Check what GEMINI_API_KEY is restricted to, or take the model out of FORMAT_MODELS.',
    scope: 'account',
  },
  address: {
    code: 'WRONG_BASE_URL',
    message: 'There is no Gemini at this address.',
    hint: 'Check GEMINI_BASE_URL; it ends in its version, /v1beta or /v1.',
    scope: 'account',
  },
  intercepted: {
    code: 'PROVIDER_REFUSED',
    message: 'Something between here and Gemini refused the request (403, and not in Gemini’s form).',
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
    hint: 'This passes as a rule; call again in a minute.',
    retryable: true,
  },
} as const satisfies Record<string, Meaning>

/** True for a body that tells of an error, also where the status does not. */
export function answeredWith(json: unknown): boolean {
  return typeof (json as { error?: unknown } | null)?.error === 'object'
}

/** The provider's own words stay here: they may quote the request. */
export function geminiError(httpStatus: number, json: unknown, model: string): SpeechError {
  const told = errorIn(json)
  const code = (json as { error?: { code?: unknown } } | null)?.error?.code
  const status = httpStatus === 200 && typeof code === 'number' ? code : httpStatus
  const { code: ours, message, ...details } = meaningOf(status, told, model)
  const { retryAfter } = told
  const cause = {
    status,
    code: told.status.slice(0, 60),
    isAboutThinking: isThinkingRefused(status, told),
    ...(retryAfter !== undefined && { retryAfter }),
  }
  return new SpeechError(ours, message, { ...details, cause })
}

/** True where the model would take the request if it said nothing of thinking. */
export function isAboutThinking(error: unknown): boolean {
  return isSpeechError(error) && (error.cause as { isAboutThinking?: unknown })?.isAboutThinking === true
}

/** Seconds that the provider asks to wait before the next request. */
export function retryAfter(error: unknown): number | undefined {
  return isSpeechError(error) ? (error.cause as { retryAfter?: number } | undefined)?.retryAfter : undefined
}

function meaningOf(status: number, { status: name, reason, message }: GoogleError, model: string): Meaning {
  const isGoogle = name !== ''
  // A wrong key is a bad argument to Google, and one that has leaked is a missing permission.
  if (reason === 'API_KEY_INVALID' || /^API key (?:not valid|expired)|reported as leaked/i.test(message))
    return meanings.key
  if (status === 401) return meanings.key
  if (status === 402) return meanings.arrears
  if (status === 403) return isGoogle ? meanings.access : meanings.intercepted
  if (status === 404) return isGoogle ? gone(model) : meanings.address
  if (status === 429) return meanings.throttled
  if (status >= 500 || status === 408 || status === 200) return meanings.failed
  if (name === 'FAILED_PRECONDITION') return meanings.place
  return {
    code: 'PROVIDER_REFUSED',
    message: `Gemini refused the request (${status}${/^[A-Z_]{1,60}$/.test(name) ? `, ${name}` : ''}).`,
    hint: 'Check GEMINI_BASE_URL, or put another model first in FORMAT_MODELS.',
  }
}

function gone(model: string): Meaning {
  return {
    code: 'MODEL_NOT_FOUND',
    message: `Gemini does not know the model ${model}, or has retired it.`,
    hint: 'Set FORMAT_MODELS to models that exist.',
    scope: 'account',
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
