// How a caller went who did not wait for the end, told from what its request was aborted with.
import type { DisconnectReason } from '../jobs/jobs.ts'

export function departureOf(reason: unknown, closingCancels: boolean): DisconnectReason {
  if (isClosed(reason)) return closingCancels ? 'closed' : 'gone'
  // SDK clients name this reason when it is they who give up waiting, and not their user who wants no more.
  return /time(?:d[ -]?|[ -]?)out/i.test(wordsOf(reason)) ? 'gone' : 'cancelled'
}

/** The SDK's own reason, when the connection ends under a request. */
function isClosed(reason: unknown): boolean {
  const code = (reason as { code?: unknown } | null)?.code
  return code === 'CONNECTION_CLOSED' || /connection closed/i.test(wordsOf(reason))
}

function wordsOf(reason: unknown): string {
  if (reason instanceof Error) return `${reason.name}: ${reason.message}`
  return typeof reason === 'string' ? reason : ''
}
