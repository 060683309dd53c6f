// What goes wrong with Tablestore, in words a reader can act on.
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'

/** Errors that pass: the same request may succeed a moment later. */
const passing = new Set([
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

/** The service's own code; undefined where nothing of the service answered. The library hands out raw bytes as a message. */
export function codeOf(error: unknown): string | undefined {
  return /OTS[A-Za-z]+/.exec(String((error as Error | undefined)?.message ?? ''))?.[0]
}

/** True where the answer, or all of it, did not come: what was asked for may have been done. */
export function mayPass(error: unknown): boolean {
  if (isSpeechError(error)) return error.retryable
  const code = codeOf(error)
  if (code !== undefined) return passing.has(code)
  const { code: status, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return (
    status === 'NetworkingError' || name === 'TimeoutError' || (typeof status === 'number' && status >= 500)
  )
}

/** `right` is what a RAM policy must allow for it. */
export function storeFailure(error: unknown, right: string): SpeechError {
  if (isSpeechError(error)) return error
  const code = codeOf(error)
  // The library's errors carry headers with the key: they are not kept as a cause.
  if (code === 'OTSAuthFailed') {
    const isClosed = /ACL|network/i.test((error as Error).message)
    return new SpeechError('STORE_REFUSED', `Tablestore refused the request (${code}).`, {
      hint: isClosed
        ? 'The instance takes no requests from this network: allow it in the console of Tablestore, or set TABLESTORE_ENDPOINT to the address within the VPC.'
        : 'Check ALIBABA_ACCESS_KEY and ALIBABA_SECRET_KEY, that they belong to the account of the instance, and the clock of this machine.',
    })
  }
  if (code === 'OTSNoPermissionAccess')
    return new SpeechError('STORE_REFUSED', `The key may not do this in Tablestore (${code}).`, {
      hint: `Give its RAM user the right ${right} on this instance.`,
    })
  if (code === 'OTSObjectNotExist')
    return new SpeechError('STORE_NOT_SET_UP', 'A table of the store is not there.', {
      hint: 'Run `speech-mcp doctor` with a key that may create tables; it makes what is missing. TABLESTORE_PREFIX says which tables are meant.',
    })
  if (code === undefined && !mayPass(error))
    return new SpeechError('STORE_FAILED', 'Tablestore could not be asked.', {
      hint: 'Check TABLESTORE_ENDPOINT and TABLESTORE_INSTANCE; `speech-mcp doctor` looks at both.',
    })
  return new SpeechError(
    'STORE_FAILED',
    code === undefined ? 'Tablestore did not answer.' : `Tablestore could not do it (${code}).`,
    {
      hint: 'Try again in a moment; if that does not help, check TABLESTORE_ENDPOINT and the network, and the instance in the console.',
      retryable: mayPass(error),
    },
  )
}

/** Of an answer that does not come within the time for one attempt. */
export function noAnswer(): SpeechError {
  return new SpeechError('STORE_FAILED', 'Tablestore did not answer in time.', {
    hint: 'Try again in a moment; if that does not help, check TABLESTORE_ENDPOINT and the network.',
    retryable: true,
  })
}

/** Of rows that are not what was written. */
export function damagedRows(): SpeechError {
  return new SpeechError('STORE_DAMAGED', 'A row in Tablestore is not as it was written.', {
    hint: 'The rest can still be read. Delete the transcript and order the recording again.',
  })
}
