// Reads a request's body, within bounds, and tells of a JSON-RPC message what HTTP must know of it.
import type { IncomingMessage } from 'node:http'
import type { RequestId } from '@modelcontextprotocol/server'

/**
 * Resolves with the body, or with undefined where it is too large. What comes then is still read, and dropped: a client
 * listens for an answer only when it has said all. Rejects when the client goes.
 */
export function readBody(incoming: IncomingMessage, mostBytes: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let bytes = 0
    incoming.on('data', (piece: Buffer) => {
      bytes += piece.length
      if (bytes <= mostBytes) pieces.push(piece)
      else {
        pieces.length = 0
        resolve(undefined)
      }
    })
    incoming.once('end', () => resolve(Buffer.concat(pieces).toString()))
    incoming.once('error', reject)
    incoming.once('close', () => reject(new Error('The client has gone.')))
  })
}

/** Undefined where it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

interface Message {
  id?: RequestId
  method?: unknown
  params?: { requestId?: RequestId; notifications?: { resourceSubscriptions?: unknown } }
}

/** The ids of the requests in a body, which may be a batch; notifications and answers have none. */
export function requestIds(body: unknown): RequestId[] {
  return messages(body).flatMap(({ id, method }) => (method !== undefined && id != null ? [id] : []))
}

/** The id of the request that a client gives up. */
export function cancelledId(body: unknown): RequestId | undefined {
  return messages(body).find(({ method }) => method === 'notifications/cancelled')?.params?.requestId
}

/** True for the request of 2026-07-28 for change notifications, which is answered as long as the client listens. */
export function isListen(body: unknown): boolean {
  return messages(body).some(({ method }) => method === 'subscriptions/listen')
}

/** The addresses whose changes it asks for. */
export function listenedUris(body: unknown): string[] {
  const uris = messages(body)[0]?.params?.notifications?.resourceSubscriptions
  return Array.isArray(uris) ? uris.map(String) : []
}

function messages(body: unknown): Message[] {
  return (Array.isArray(body) ? body : [body]).filter(
    message => typeof message === 'object' && message !== null,
  )
}
