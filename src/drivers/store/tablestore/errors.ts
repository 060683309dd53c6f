// Translates failures of Tablestore into errors with a hint.
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'

/** Codes after which the same request may succeed a moment later. */
const transientCodes = new Set([
  'OTSServerBusy',
  'OTSPartitionUnavailable',
  'OTSTableNotReady',
  'OTSTimeout',
  'OTSServerUnavailable',
  'OTSInternalServerError',
  'OTSRowOperationConflict',
  'OTSNotEnoughCapacityUnit',
  'OTSQuotaExhausted',
  'OTSFlowControl',
])

/** Error code of the service, from the raw bytes that the library passes on as a message; undefined for other errors. */
export function codeOf(error: unknown): string | undefined {
  return /OTS[A-Za-z]+/.exec(String((error as Error | undefined)?.message ?? ''))?.[0]
}

/** True if another attempt may succeed. The request may have been done if its response was lost. */
export function isTransient(error: unknown): boolean {
  if (isSpeechError(error)) return error.retryable
  const code = codeOf(error)
  if (code !== undefined) return transientCodes.has(code)
  const { code: status, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return (
    status === 'NetworkingError' || name === 'TimeoutError' || (typeof status === 'number' && status >= 500)
  )
}

/** `permission` is what a RAM policy has to grant. Errors of the library contain headers with the key and are not kept. */
export function storeError(error: unknown, permission: string): SpeechError {
  if (isSpeechError(error)) return error
  const code = codeOf(error)
  if (code === 'OTSAuthFailed') {
    const isNetworkRule = /ACL|network/i.test((error as Error).message)
    return new SpeechError('STORE_REFUSED', `Tablestore rejected the request (${code}).`, {
      hint: isNetworkRule
        ? 'The instance accepts no requests from this network: allow it in the Tablestore console, or set TABLESTORE_ENDPOINT to the address within the VPC.'
        : 'Check that ALIBABA_ACCESS_KEY and ALIBABA_SECRET_KEY belong to the account of the instance, and check the clock of this machine.',
    })
  }
  if (code === 'OTSNoPermissionAccess')
    return new SpeechError('STORE_REFUSED', `The key lacks a permission in Tablestore (${code}).`, {
      hint: `Grant its RAM user ${permission} on this instance.`,
    })
  if (code === 'OTSObjectNotExist')
    return new SpeechError('STORE_NOT_SET_UP', 'A table of the store does not exist.', {
      hint: 'Run `speech-mcp doctor` with a key that may create tables, or check TABLESTORE_PREFIX.',
    })
  if (code === undefined && !isTransient(error))
    return new SpeechError('STORE_FAILED', 'The request to Tablestore could not be made.', {
      hint: 'Check TABLESTORE_ENDPOINT and TABLESTORE_INSTANCE; `speech-mcp doctor` tests both.',
    })
  const message =
    code === undefined ? 'Tablestore did not respond.' : `Tablestore failed to process the request (${code}).`
  return new SpeechError('STORE_FAILED', message, {
    hint: 'Try again in a moment. If it fails again, check TABLESTORE_ENDPOINT, the network, and the instance in the console.',
    retryable: isTransient(error),
  })
}

/** For an attempt that exceeds its time limit. */
export function timedOut(): SpeechError {
  return new SpeechError('STORE_FAILED', 'Tablestore did not respond in time.', {
    hint: 'Try again in a moment. If it fails again, check TABLESTORE_ENDPOINT and the network.',
    retryable: true,
  })
}

/** For a row with missing or invalid columns. */
export function damagedRow(): SpeechError {
  return new SpeechError('STORE_DAMAGED', 'A row in Tablestore is damaged.', {
    hint: 'Other rows are still readable. Delete the transcript and transcribe the recording again.',
  })
}
