// The meaning of refusals of servers with OpenAI's transcription route: each words them in its own way.
import { SpeechError } from '../../../domain/errors.ts'
import type { ErrorMeaning } from '../../http/dashscope-errors.ts'
import type { HttpResponse } from '../../http/http.ts'

interface Refusal {
  code: string
  message: string
}

interface Circumstances {
  /** Length of the chunk that was sent. */
  seconds: number
  hasKey: boolean
}

const unknownModel =
  /\bmodel\b.*(?:does not exist|not found|not exist|not installed|not loaded|is unknown|not available)|unknown model|invalid model|no such model|not support transcription/is
const limit = /maximum|too long|too large|longer than|exceed|at most|limit/i
const size = /duration|seconds|minutes|length|size|bytes|\bMB\b|audio|clip|file/i
const formatStatuses = [400, 415, 422, 501]
const format = /response_format|verbose_json|timestamp|granularit/i

/** True where the same request in a plainer format may succeed: it is about the format, or says nothing that is known. */
export function mayBeAboutFormat(response: HttpResponse): boolean {
  if (!formatStatuses.includes(response.status)) return false
  const refusal = refusalOf(response.json)
  return isAboutFormat(response) || !(isAboutModel(refusal) || isAboutSize(refusal))
}

/** True where the refusal names the format. */
export function isAboutFormat({ status, json }: HttpResponse): boolean {
  return formatStatuses.includes(status) && format.test(refusalOf(json).message)
}

/** The error that a response other than a success means. The server's own message is left out: it may quote the request. */
export function serverError(response: HttpResponse, circumstances: Circumstances): SpeechError {
  const refusal = refusalOf(response.json)
  const { code, message, ...details } = meaningOf(response, refusal, circumstances)
  const { status, retryAfterSeconds: retryAfter } = response
  const cause = { status, code: refusal.code.slice(0, 60), retryAfter }
  return new SpeechError(code, message, { ...details, cause })
}

/** The longest audio that a refusal names, below the length that was refused. */
export function statedSeconds({ json }: HttpResponse, refused: number): number | undefined {
  const stated = [...refusalOf(json).message.matchAll(/(\d+(?:\.\d+)?)\s*-?s(?:ec(?:ond)?s?)?\b/gi)]
  const shorter = stated.map(found => Number(found[1])).filter(seconds => seconds > 0 && seconds < refused)
  return shorter.length > 0 ? Math.max(...shorter) : undefined
}

function meaningOf(
  { status, json }: HttpResponse,
  refusal: Refusal,
  { seconds, hasKey }: Circumstances,
): ErrorMeaning {
  if (status === 401) return hasKey ? keyRefused : keyMissing
  if (isAboutModel(refusal)) return modelNotFound
  if (status === 413 || ([400, 422].includes(status) && isAboutSize(refusal))) return tooLarge(seconds)
  if (status === 403) return json === undefined ? intercepted : accessDenied
  if (status === 404 || status === 405) return wrongAddress
  if (refusal.code === 'insufficient_quota') return quotaUsed
  if (status === 429) return throttled
  if (status >= 500 || status === 408 || status === 409) return failed
  return {
    code: 'PROVIDER_REFUSED',
    message: `The server at OPENAI_BASE_URL refused the request (${status}${/^[\w.]{1,60}$/.test(refusal.code) ? `, ${refusal.code}` : ''}).`,
    hint: 'Its log has the reason. It may lack a decoder for MP3, or not know the given language.',
  }
}

function isAboutModel({ code, message }: Refusal): boolean {
  return code === 'model_not_found' || unknownModel.test(message)
}

function isAboutSize({ message }: Refusal): boolean {
  return limit.test(message) && size.test(message)
}

/** OpenAI, vLLM and llama.cpp: `{error: {message, code}}`; FastAPI: `{detail}`; others: `{error}` or `{message}`. */
function refusalOf(json: unknown): Refusal {
  const body = (json ?? {}) as Record<string, unknown>
  const error = (typeof body.error === 'object' ? body.error : body) as Record<string, unknown> | null
  const texts = [error?.message, error?.param, body.error, body.detail, body.message]
  return {
    code: String(error?.code ?? ''),
    message: texts
      .filter(text => text !== undefined && text !== null)
      .map(text => (typeof text === 'string' ? text : JSON.stringify(text)))
      .join(' '),
  }
}

function tooLarge(seconds: number): ErrorMeaning {
  return {
    code: 'TOO_LARGE',
    message: `The server at OPENAI_BASE_URL does not accept a chunk of ${Math.round(seconds)} seconds.`,
    hint: 'Set max_seconds of the model in SPEECH_MODELS to what the server accepts.',
  }
}

/** OpenAI itself is not asked without a key. */
export function noKey(): SpeechError {
  return new SpeechError('KEY_MISSING', 'No key of OpenAI is set.', {
    hint: 'Set OPENAI_API_KEY, or OPENAI_BASE_URL to the address of your own engine.',
    scope: 'account',
  })
}

const keyMissing: ErrorMeaning = {
  code: 'KEY_MISSING',
  message: 'The server at OPENAI_BASE_URL wants a key.',
  hint: 'Set OPENAI_API_KEY to the key of that server.',
  scope: 'account',
}
const keyRefused: ErrorMeaning = {
  code: 'KEY_REFUSED',
  message: 'The server at OPENAI_BASE_URL refused the key.',
  hint: 'Check OPENAI_API_KEY.',
  scope: 'account',
}
const modelNotFound: ErrorMeaning = {
  code: 'MODEL_NOT_FOUND',
  message: 'The server at OPENAI_BASE_URL has no such model for transcription.',
  hint: 'Name a model that it serves, as `openai:` and its name; `GET /models` at that address lists them.',
  scope: 'model',
}
const accessDenied: ErrorMeaning = {
  code: 'ACCESS_DENIED',
  message: 'The key may not use this model at OPENAI_BASE_URL.',
  hint: 'Give the key the rights for transcription, or set another OPENAI_API_KEY.',
  scope: 'model',
}
const intercepted: ErrorMeaning = {
  code: 'PROVIDER_REFUSED',
  message: 'A proxy or firewall before OPENAI_BASE_URL refused the request (403).',
  hint: 'Check a proxy or firewall, and OPENAI_BASE_URL.',
  scope: 'account',
}
const wrongAddress: ErrorMeaning = {
  code: 'WRONG_BASE_URL',
  message: 'There is no transcription API at OPENAI_BASE_URL.',
  hint: 'Check OPENAI_BASE_URL; it usually ends in /v1.',
  scope: 'account',
}
const quotaUsed: ErrorMeaning = {
  code: 'ACCOUNT_IN_ARREARS',
  message: 'The quota of the account at OPENAI_BASE_URL is used up.',
  hint: 'Check plan and billing of OPENAI_API_KEY.',
  scope: 'account',
}
const throttled: ErrorMeaning = {
  code: 'THROTTLED',
  message: 'The server at OPENAI_BASE_URL limits the rate of requests.',
  hint: 'Wait a minute and call again, or lower SPEECH_CONCURRENCY.',
  retryable: true,
}
const failed: ErrorMeaning = {
  code: 'PROVIDER_FAILED',
  message: 'The server at OPENAI_BASE_URL failed to answer.',
  hint: 'Look at its log; it may still be loading the model, or have no memory left. Call again in a minute.',
  retryable: true,
}
