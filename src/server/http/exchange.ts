// One HTTP request and the end of its response, after which everything that was taken for it is given back.
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http'
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node'
import { log } from '../../log.ts'
import type { Slots } from './limits.ts'

export interface Exchange {
  owner: string
  request: Request
  /** Parsed; undefined if the request is no POST. */
  body?: unknown
  /** Released at the end. */
  slots: Slots
  /** Called once the response is sent or the client has disconnected, also if that has happened already. */
  onEnd(callback: () => void): void
}

/** Tracks the responses that are not finished. Each of them emits `close`, however it ends. */
export function trackResponses(server: Server) {
  const pending = new Set<ServerResponse>()
  server.on('request', (_, response) => {
    pending.add(response)
    response.once('close', () => pending.delete(response))
  })
  server.on('connection', socket => {
    socket.once('close', () => {
      // Node closes only the response whose turn it is, not those of pipelined requests that wait behind it.
      for (const response of pending)
        if (response.req.socket === socket && response.socket === null) response.destroy().emit('close')
    })
  })
  return {
    pending: pending as ReadonlySet<ServerResponse>,
    /** Calls back once the response is sent or the client has disconnected, also if that has happened already. */
    onEnd(response: ServerResponse, callback: () => void): void {
      if (pending.has(response)) response.once('close', callback)
      else callback()
    },
  }
}

/** Takes a client that accepts anything at its word: the SDK asks for the names of both types. */
export function acceptBoth(headers: IncomingHttpHeaders): void {
  if (headers.accept === undefined || /\*\/\*/.test(headers.accept))
    headers.accept = 'application/json, text/event-stream'
}

/** Adapts a web-standard handler to Node. The body is already read, so the adapter gets an empty one. */
export function adapt(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fetch: (request: Request) => Promise<Response>,
): Promise<void> {
  const onerror = (error: Error) => log.error('http-failed', { error: error.name })
  // The adapter's types do not allow undefined values.
  return toNodeHandler({ fetch }, { onerror })(incoming as NodeIncomingMessageLike, outgoing, null)
}
