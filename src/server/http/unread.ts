// Responses that their clients do not read: they wait in memory, so their number and their time are limited.
import type { ServerResponse } from 'node:http'
import type { HttpLimits } from './limits.ts'

export type UnreadResponses = ReturnType<typeof trackUnread>

export function trackUnread(
  pending: ReadonlySet<ServerResponse>,
  { unreadTimeoutMs, maxUnreadBytesPerOwner }: HttpLimits,
) {
  const owners = new WeakMap<ServerResponse, string>()
  /** Bytes that had been sent at the last check, while others were waiting. */
  const sentBefore = new WeakMap<ServerResponse, number | undefined>()

  const timer = setInterval(() => {
    for (const response of pending) {
      const { socket, writableLength } = response
      const sent = socket && writableLength > 0 ? socket.bytesWritten - writableLength : undefined
      if (sent !== undefined && sentBefore.get(response) === sent) socket?.destroy()
      sentBefore.set(response, sent)
    }
  }, unreadTimeoutMs).unref()

  return {
    /** False if too much is waiting for the owner's clients. */
    add(response: ServerResponse, owner: string): boolean {
      owners.set(response, owner)
      const own = [...pending].filter(one => owners.get(one) === owner)
      return own.reduce((sum, { writableLength }) => sum + writableLength, 0) <= maxUnreadBytesPerOwner
    },
    close: () => clearInterval(timer),
  }
}
