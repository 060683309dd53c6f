// What goes wrong with MNS, in words a reader can act on.
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'

/** The service's own code; undefined where nothing of the service answered. */
export function codeOf(error: unknown): string | undefined {
  return /^MNS(\w+?)Error$/.exec(String((error as Error | undefined)?.name ?? ''))?.[1]
}

/** True where nothing is in the queue, or where what we had in hand is somebody else's now. */
export function isGone(error: unknown): boolean {
  return /^(?:MessageNotExist|ReceiptHandleError?)$/.test(codeOf(error) ?? '')
}

/** `right` is what a RAM policy must allow for it. The library's errors carry addresses and are not kept as a cause. */
export function queueFailure(error: unknown, right: string): SpeechError {
  if (isSpeechError(error)) return error
  const code = codeOf(error)
  if (code === 'QueueNotExist')
    return new SpeechError('QUEUE_NOT_SET_UP', 'The queue is not there.', {
      hint: 'Run `speech-mcp doctor` with a key that may create queues (mns:CreateQueue); MNS_QUEUE says which one is meant.',
    })
  if (code === 'AccessDenied')
    return new SpeechError('QUEUE_REFUSED', `The key may not do this in MNS (${code}).`, {
      hint: `Give its RAM user the right ${right} on this queue.`,
    })
  if (
    code !== undefined &&
    /^(?:SignatureDoesNotMatch|Invalid\w*(?:Key|Token)\w*|TimeExpired|Missing\w+)$/.test(code)
  )
    return new SpeechError('QUEUE_REFUSED', `MNS refused the request (${code}).`, {
      hint: 'Check ALIBABA_ACCESS_KEY and ALIBABA_SECRET_KEY, that they belong to the account in MNS_ENDPOINT, and the clock of this machine.',
    })
  if (code !== undefined && !/^(?:Internal|Service|Throttl|Busy)/.test(code))
    return new SpeechError('QUEUE_FAILED', `MNS could not do it (${code}).`, {
      hint: 'Check MNS_ENDPOINT and MNS_QUEUE; `speech-mcp doctor` looks at both.',
    })
  return noAnswer(code)
}

/** Also of an answer that is none of the service's, such as a proxy's. */
export function noAnswer(code?: string): SpeechError {
  const what = code === undefined ? 'MNS did not answer.' : `MNS could not do it (${code}).`
  return new SpeechError('QUEUE_FAILED', what, {
    hint: 'Try again in a moment; if that does not help, check MNS_ENDPOINT and the network.',
    retryable: true,
  })
}
