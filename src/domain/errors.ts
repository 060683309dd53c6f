// The one error class: a code for programs, a sentence for people, and what to do next.

export const errorCodes = [
  'FILE_NOT_FOUND',
  'NOT_A_FILE',
  'EMPTY_FILE',
  'NOT_AUDIO',
  'NO_AUDIO_TRACK',
  'UNSUPPORTED_CODEC',
  'PLAYLIST_REFUSED',
  'OUTSIDE_ALLOWED_DIRS',
  'ATTACHMENT_NOT_VISIBLE',
  'FILE_UNREADABLE',
  'BAD_INPUT',
  'URL_REFUSED',
  'DOWNLOAD_FAILED',
  'TOO_LARGE',
  'FFMPEG_MISSING',
  'FFMPEG_FAILED',
  'KEY_MISSING',
  'KEY_REFUSED',
  'ACCOUNT_IN_ARREARS',
  'ACCESS_DENIED',
  'MODEL_NOT_FOUND',
  'WRONG_BASE_URL',
  'THROTTLED',
  'PROVIDER_REFUSED',
  'PROVIDER_FAILED',
  'PROVIDER_UNREACHABLE',
  'PROVIDER_TIMEOUT',
  'CONTENT_REFUSED',
  'BUCKET_REFUSED',
  'BUCKET_NOT_FOUND',
  'CLOCK_WRONG',
  'UPLOAD_FAILED',
  'UPLOAD_UNREACHABLE',
  'SUBMIT_UNCLEAR',
  'TASK_FAILED',
  'TASK_LOST',
  'TASK_TIMEOUT',
  'TRANSCRIPT_NOT_FOUND',
  'COST_TOO_HIGH',
  'RECORDING_CHANGED',
  'POISON',
  'BUSY',
  'STORE_FAILED',
  'STORE_DAMAGED',
  'STORE_TOO_NEW',
  'DISK_FULL',
  'CONFIG_INVALID',
  'CANCELLED',
  'INTERNAL',
] as const
export type ErrorCode = (typeof errorCodes)[number]

export interface ErrorDetails {
  /** One sentence that tells the reader what to do next. */
  hint: string
  /** True when the same request may succeed if it is made again. */
  retryable?: boolean
  /** `account`: every other request would fail in the same way, so the job stops. */
  scope?: 'account' | 'request'
  cause?: unknown
}

/** Anything that goes wrong in a way a reader can act on. `message` never holds a secret or a provider's text. */
export class SpeechError extends Error {
  readonly code: ErrorCode
  readonly hint: string
  readonly retryable: boolean
  readonly scope: 'account' | 'request'

  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'SpeechError'
    this.code = code
    this.hint = details.hint
    this.retryable = details.retryable ?? false
    this.scope = details.scope ?? 'request'
  }
}

export function isSpeechError(error: unknown): error is SpeechError {
  return error instanceof SpeechError
}

/** `CODE: what failed. What to do next.`, the form in which every error reaches a reader. */
export function describeError(error: unknown): string {
  if (isSpeechError(error)) return `${error.code}: ${error.message} ${error.hint}`
  return 'INTERNAL: Something failed inside the server. Look at its log on stderr, and report it if it happens again.'
}

/** True for the operating system's words for "no room left". */
export function isDiskFull(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG' || code === 'SQLITE_FULL'
}

export function cancelled(cause?: unknown): SpeechError {
  return new SpeechError('CANCELLED', 'The call was cancelled.', { hint: 'Call again to start over.', cause })
}
