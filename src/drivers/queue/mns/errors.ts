// Translates failures of MNS into errors with a hint.
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'

/** Error code of the service; undefined if the response is not from the service. */
export function codeOf(error: unknown): string | undefined {
  return /^MNS(\w+?)Error$/.exec(String((error as Error | undefined)?.name ?? ''))?.[1]
}

/** True if the queue is empty, or if the message now belongs to another worker. */
export function isGone(error: unknown): boolean {
  return /^(?:MessageNotExist|ReceiptHandleError?)$/.test(codeOf(error) ?? '')
}

/** `permission` is what a RAM policy has to grant. Errors of the library contain URLs and are not kept as a cause. */
export function queueError(error: unknown, permission: string): SpeechError {
  if (isSpeechError(error)) return error
  const code = codeOf(error)
  if (code === 'QueueNotExist')
    return new SpeechError('QUEUE_NOT_SET_UP', 'The queue does not exist.', {
      hint: 'Run `speech-mcp doctor` with a key that may create queues (mns:CreateQueue), or check MNS_QUEUE.',
    })
  if (code === 'AccessDenied')
    return new SpeechError('QUEUE_REFUSED', `The key lacks a permission in MNS (${code}).`, {
      hint: `Grant its RAM user ${permission} on this queue.`,
    })
  if (
    code !== undefined &&
    /^(?:SignatureDoesNotMatch|Invalid\w*(?:Key|Token)\w*|TimeExpired|Missing\w+)$/.test(code)
  )
    return new SpeechError('QUEUE_REFUSED', `MNS rejected the request (${code}).`, {
      hint: 'Check that ALIBABA_ACCESS_KEY and ALIBABA_SECRET_KEY belong to the account in MNS_ENDPOINT, and check the clock of this machine.',
    })
  if (code !== undefined && !/^(?:Internal|Service|Throttl|Busy)/.test(code))
    return new SpeechError('QUEUE_FAILED', `MNS failed to process the request (${code}).`, {
      hint: 'Check MNS_ENDPOINT and MNS_QUEUE; `speech-mcp doctor` tests both.',
    })
  return noResponse(code)
}

/** Also for a response from elsewhere, for example from a proxy. */
export function noResponse(code?: string): SpeechError {
  const message = code === undefined ? 'MNS did not respond.' : `MNS failed to process the request (${code}).`
  return new SpeechError('QUEUE_FAILED', message, {
    hint: 'Try again in a moment. If it fails again, check MNS_ENDPOINT and the network.',
    retryable: true,
  })
}
