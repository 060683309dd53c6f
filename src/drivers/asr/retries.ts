// How often speech recognition repeats a request, and after which errors.
import { isSpeechError } from '../../domain/errors.ts'
import type { RetryOptions } from '../http/retry.ts'

/**
 * Throttling passes, so it may take many attempts; a failing provider is given up sooner, a silent one after minutes. A recording that the
 * provider cannot fetch needs another address, which only the caller can make.
 */
export const asrRetries: RetryOptions = {
  maxAttempts: { THROTTLED: 10, PROVIDER_TIMEOUT: 2, default: 4 },
  firstDelaySeconds: 1,
  maxDelaySeconds: 20,
  isRetryable: error => isSpeechError(error) && error.retryable && error.code !== 'UPLOAD_UNREACHABLE',
}

/** An engine that needs more than ten minutes for a chunk may still be at work on it, and is no faster the next time. */
export const ownEngineRetries: RetryOptions = {
  ...asrRetries,
  maxAttempts: { THROTTLED: 10, PROVIDER_TIMEOUT: 1, default: 4 },
}
