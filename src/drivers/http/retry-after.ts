// Pauses that a server asks for: reads them from its answers, and tells the reader of an error about them.
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import { maxRetryAfterSeconds } from '../../domain/network/deadlines.ts'
import { plural } from '../../domain/text.ts'

type Header = string | string[] | undefined

const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d{2}:\d{2}:\d{2}/

/**
 * Seconds of a `Retry-After` header: a number or a date (RFC 9110), which is compared with the server's own clock.
 * Undefined where it is absent, past or nonsense.
 */
export function readRetryAfter(headers: Record<string, Header>): number | undefined {
  const [given, date] = [headers['retry-after'], headers.date].map(header => [header].flat()[0]?.trim() ?? '')
  if (/^\d+(?:\.\d+)?$/.test(given!)) return Number(given)
  if (!httpDate.test(given!)) return undefined
  const seconds = (Date.parse(given!) - (Date.parse(date!) || Date.now())) / 1000
  return seconds >= 0 ? seconds : undefined
}

/** Seconds that the server asked to wait, from the cause of an error. */
export function retryAfter(error: unknown): number | undefined {
  return isSpeechError(error) ? (error.cause as { retryAfter?: number } | undefined)?.retryAfter : undefined
}

/** Milliseconds for which requests wait: a server may ask for more than a job has patience for. */
export function pauseMsOf(seconds = 0, maxSeconds = maxRetryAfterSeconds): number {
  return Math.min(seconds, maxSeconds) * 1000
}

/** Adds to a final error for how long the server asked to wait; other errors stay the same. */
export function withRetryAfter(error: unknown): unknown {
  const seconds = retryAfter(error)
  if (seconds === undefined || !isSpeechError(error)) return error
  const { code, message, hint, ...details } = error
  return new SpeechError(code, `${message} It asks to wait ${durationOf(seconds)}.`, {
    ...details,
    hint: hint.replace('in a minute', 'after that').replace('a minute', 'that long'),
    cause: error.cause,
  })
}

const units = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const

function durationOf(seconds: number): string {
  const [name, size] = units.find(([, size]) => seconds >= 2 * size) ?? (['second', 1] as const)
  const count = Math.ceil(seconds / size)
  if (count > 1000) return 'for years'
  return plural(count, name)
}
