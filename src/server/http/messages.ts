// Reads request bodies, and extracts ids and methods from JSON-RPC messages.
import type { IncomingMessage } from 'node:http'
import type { RequestId } from '@modelcontextprotocol/server'

/**
 * Resolves with the body, or with undefined if it is too large. The rest of a large body is read and dropped, because
 * clients read the response only after they have sent everything; `requestTimeoutMs` limits it. Rejects when the client
 * disconnects.
 */
export function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let bytes = 0
    incoming.on('data', (piece: Buffer) => {
      bytes += piece.length
      if (bytes <= maxBytes) pieces.push(piece)
      else {
        pieces.length = 0
        resolve(undefined)
      }
    })
    incoming.once('end', () => resolve(Buffer.concat(pieces)))
    incoming.once('error', reject)
    incoming.once('close', () => reject(new Error('The client has disconnected.')))
  })
}

interface Message {
  id?: RequestId
  method?: unknown
  params?: { name?: unknown; requestId?: RequestId; notifications?: { resourceSubscriptions?: unknown } }
}

/** The ids of the requests in a body, which may be a batch; notifications and responses do not count. */
export function requestIds(body: unknown): RequestId[] {
  return messagesIn(body).flatMap(({ id, method }) => (method !== undefined && id != null ? [id] : []))
}

/** The id of the request that the client cancels. */
export function cancelledId(body: unknown): RequestId | undefined {
  return messagesIn(body).find(({ method }) => method === 'notifications/cancelled')?.params?.requestId
}

/** True for a `subscriptions/listen` request (2026-07-28), whose response streams until the client disconnects. */
export function isListen(body: unknown): boolean {
  return messagesIn(body).some(({ method }) => method === 'subscriptions/listen')
}

/** Number of the resources that a body asks for. */
export function resourceReads(body: unknown): number {
  return messagesIn(body).filter(({ method }) => method === 'resources/read').length
}

/** The URIs that a listen request subscribes to. */
export function listenedUris(body: unknown): string[] {
  const uris = messagesIn(body)[0]?.params?.notifications?.resourceSubscriptions
  return Array.isArray(uris) ? uris.map(String) : []
}

/** The messages of a body, which may be a batch. */
export function messagesIn(body: unknown): Message[] {
  return (Array.isArray(body) ? body : [body]).filter(
    message => typeof message === 'object' && message !== null,
  )
}
