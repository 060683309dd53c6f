// Responses that their clients do not read: they wait in memory, so their number and their time are limited.
import type { ServerResponse } from 'node:http'
import type { Exchange } from './exchange.ts'
import type { HttpLimits } from './limits.ts'
import { createTurns } from './pages/turns.ts'

export type UnreadResponses = ReturnType<typeof trackUnread>

export function trackUnread(
  pending: ReadonlySet<ServerResponse>,
  { unreadTimeoutMs, maxFilesPerOwner }: HttpLimits,
) {
  /** Bytes that had been sent at the last check, while others were waiting. */
  const sentBefore = new WeakMap<ServerResponse, number | undefined>()

  const takeTurn = createTurns(maxFilesPerOwner)

  const timer = setInterval(() => {
    for (const response of pending) {
      const { socket, writableLength } = response
      const sent = socket && writableLength > 0 ? socket.bytesWritten - writableLength : undefined
      if (sent !== undefined && sentBefore.get(response) === sent) socket?.destroy()
      sentBefore.set(response, sent)
    }
  }, unreadTimeoutMs).unref()

  return {
    /** Resolves when the owner may have one more file in memory. The turn ends with the response. */
    async fileTurn(exchange: Pick<Exchange, 'owner' | 'onEnd'>): Promise<void> {
      await takeTurn(exchange)
    },
    close: () => clearInterval(timer),
  }
}
