// Derives why a call ended early from the reason its request was aborted with.
import type { DisconnectReason } from '../jobs/jobs.ts'

export function disconnectReasonOf(reason: unknown, closingCancels: boolean): DisconnectReason {
  if (isClosed(reason)) return closingCancels ? 'disconnected' : 'detached'
  // SDKs, in Go by its deadline, send this reason when their own timeout expires; otherwise the user cancelled.
  return /time(?:d[ -]?|[ -]?)out|deadline exceeded/i.test(textOf(reason)) ? 'detached' : 'cancelled'
}

/** True for the SDK's own reason when the connection closes during a request. */
function isClosed(reason: unknown): boolean {
  const code = (reason as { code?: unknown } | null)?.code
  return code === 'CONNECTION_CLOSED' || /connection closed/i.test(textOf(reason))
}

function textOf(reason: unknown): string {
  if (reason instanceof Error) return `${reason.name}: ${reason.message}`
  return typeof reason === 'string' ? reason : ''
}
