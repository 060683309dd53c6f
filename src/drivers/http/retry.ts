// Retries a request with exponential backoff and jitter (p-retry, loaded on first use).
import { type ErrorCode, isSpeechError } from '../../domain/errors.ts'
import { log } from '../../log.ts'
import { hasTimedOut } from './http.ts'
import { pauseMsOf, retryAfter, withRetryAfter } from './retry-after.ts'

export interface RetryOptions {
  /** Attempts at most, the first included: one number, or a table by error code. Default: no limit. */
  maxAttempts?: number | (Partial<Record<ErrorCode, number>> & { default: number })
  /** The pause before the second attempt. It doubles with each further one; jitter takes up to half of it away. */
  firstDelaySeconds: number
  maxDelaySeconds?: number
  /** No attempt starts later than this after the first. Default: no limit. */
  maxTotalSeconds?: number
  /** Ends a pause at once. An attempt has to react to it by itself. */
  signal?: AbortSignal
  /** Lets the process exit during a pause. */
  unref?: boolean
  /** Returns true where another attempt may succeed. Default: a `SpeechError` that is `retryable`. */
  isRetryable?(error: unknown): boolean
}

/** p-retry takes nothing but errors and repeats no `TypeError`, so the true error stays on our side. */
const attemptFailed = new Error('The attempt failed.')

/**
 * Resolves with the first success, also where the signal aborts as it arrives: it may have been paid for. Rejects with the
 * last error, or with the reason of the signal; that the time is up does not hide the error that has taken it. No pause is
 * shorter than the server asks for (`Retry-After`), up to `maxRetryAfterSeconds`.
 */
export async function retry<T>(
  attempt: (number: number) => Promise<T>,
  {
    maxAttempts = Number.POSITIVE_INFINITY,
    firstDelaySeconds,
    maxDelaySeconds = Number.POSITIVE_INFINITY,
    maxTotalSeconds = Number.POSITIVE_INFINITY,
    signal,
    unref = false,
    isRetryable = error => isSpeechError(error) && error.retryable,
  }: RetryOptions,
): Promise<T> {
  const { default: pRetry } = await import('p-retry')
  const endsAt = performance.now() + maxTotalSeconds * 1000
  let success: { value: T } | undefined
  let failure: { error: unknown } | undefined
  let wasCutShort = false

  async function shouldRetry(number: number): Promise<boolean> {
    if (success || !failure) return false
    const { error } = failure
    const { code } = (error ?? {}) as { code?: ErrorCode }
    const limit =
      typeof maxAttempts === 'number' ? maxAttempts : ((code && maxAttempts[code]) ?? maxAttempts.default)
    if (number >= limit || !isRetryable(error)) return false
    const backoff = Math.min(maxDelaySeconds, firstDelaySeconds * 2 ** (number - 1))
    const asked = retryAfter(error)
    const ms = Math.max(pauseMsOf(asked), backoff * (0.5 + Math.random() / 2) * 1000)
    const isCutShort = ms < (asked ?? 0) * 1000
    if ((isCutShort && wasCutShort) || performance.now() + ms >= endsAt) return false
    wasCutShort = isCutShort
    log.info('retry', { code, attempt: number, delay: ms / 1000, ...(asked !== undefined && { asked }) })
    await pause(ms, { signal, unref })
    return true
  }

  async function run(number: number): Promise<T> {
    try {
      success = { value: await attempt(number) }
      return success.value
    } catch (error) {
      failure = { error }
      throw attemptFailed
    }
  }

  try {
    return await pRetry(run, {
      retries: Number.POSITIVE_INFINITY,
      // Its own pauses lose their jitter at the limit, where the workers of a team would retry in step.
      minTimeout: 0,
      signal,
      shouldRetry: ({ attemptNumber }) => shouldRetry(attemptNumber),
    })
  } catch (error) {
    if (success) return success.value
    if (failure && (error === attemptFailed || (signal && hasTimedOut(signal))))
      throw withRetryAfter(failure.error)
    throw error
  }
}

/** Resolves after the time, or as soon as the signal aborts. */
function pause(ms: number, { signal, unref }: Pick<RetryOptions, 'signal' | 'unref'>): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) return resolve()
    const timer = setTimeout(end, ms)
    if (unref) timer.unref()
    signal?.addEventListener('abort', end, { once: true })
    function end(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
  })
}
