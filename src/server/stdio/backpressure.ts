// Reads no further request while a client has many unanswered or leaves the answers unread, so that memory stays bounded.
import { EventEmitter, once } from 'node:events'
import type { Writable } from 'node:stream'
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'

/** As many as a client has over HTTP. */
const maxUnanswered = 100
const maxUnreadBytes = 4_000_000

export function createBackpressure(output: Writable) {
  const unanswered = new Set<RequestId>()
  const changes = new EventEmitter()
  const onChange = () => void changes.emit('change')
  output.on('drain', onChange)

  return {
    /** Resolves once the message may be delivered. */
    async received(message: JSONRPCMessage): Promise<void> {
      while (unanswered.size >= maxUnanswered || output.writableLength > maxUnreadBytes)
        await once(changes, 'change')
      if (!('method' in message)) return
      if ('id' in message) unanswered.add(message.id)
      // A cancelled request is never answered.
      if (message.method === 'notifications/cancelled')
        unanswered.delete((message.params as { requestId: RequestId }).requestId)
    },
    sent(message: JSONRPCMessage): void {
      if ('method' in message || message.id === undefined) return
      unanswered.delete(message.id)
      onChange()
    },
    close: () => void output.off('drain', onChange),
  }
}
