// HTTP responses outside of MCP itself: rejections and health; and streams that begin and end at once.
import type { ServerResponse } from 'node:http'
import { type ErrorMessage, errorMessage, notJson, tooLarge } from '../json-rpc/json-rpc.ts'

/** JSON-RPC error codes, the same as those of the MCP SDKs. */
const codes = { refused: -32_000, noSession: -32_001 } as const

export interface JsonResponse {
  status: number
  headers: Record<string, string>
  body: unknown
}

function refusal(
  status: number,
  message: string,
  headers: Record<string, string> = {},
  code: number = codes.refused,
): JsonResponse {
  return { status, headers, body: errorMessage(code, message) }
}

export const refusals = {
  wrongHost: (header: string) =>
    refusal(403, `${header} is not allowed. If it is yours, add its name to SPEECH_HTTP_ALLOWED_HOSTS.`),
  noSessions: refusal(503, 'The session cannot be checked at the moment. Try again later.', {
    'retry-after': '5',
  }),
  notOurPage: refusal(403, 'Only the page of this server may ask this.'),
  notFound: refusal(404, 'Not found. MCP is at /mcp.'),
  notAllowed: (allow: string) => refusal(405, 'Method not allowed.', { allow }),
  noToken: refusal(401, 'A bearer token is required.', { 'www-authenticate': 'Bearer' }),
  badToken: refusal(401, 'Invalid bearer token.', { 'www-authenticate': 'Bearer error="invalid_token"' }),
  noScope: (needed: readonly string[]) =>
    refusal(403, `The token does not allow this. It needs the scopes ${needed.join(', ')}: log in again.`),
  noKeys: (seconds: number) =>
    refusal(503, 'The token cannot be checked: the identity provider does not answer. Try again later.', {
      'retry-after': String(seconds),
    }),
  tooLarge(maxBytes: number) {
    const [code, message] = tooLarge(maxBytes)
    return refusal(413, message, {}, code)
  },
  tooMany: refusal(429, 'Too many concurrent requests. Wait until some of them are answered.', {
    'retry-after': '1',
  }),
  tooManySessions: refusal(503, 'Too many sessions are open. Close some of them, or try again later.', {
    'retry-after': '60',
  }),
  stopping: refusal(503, 'The server is stopping.', { 'retry-after': '5' }),
  notJson: refusal(400, notJson[1], {}, notJson[0]),
  noMessage: (body: ErrorMessage): JsonResponse => ({ status: 400, headers: {}, body }),
  // The same response for an unknown session, an expired one and another owner's.
  noSession: refusal(404, 'Session not found', {}, codes.noSession),
  lostEvent: refusal(400, 'The events after this one are no longer available.'),
}

/** The same, with what a client needs to get another token. The values contain no quotes. */
export function challenged(response: JsonResponse, parameters: Record<string, string>): JsonResponse {
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`)
  return { ...response, headers: { ...response.headers, 'www-authenticate': `Bearer ${pairs.join(', ')}` } }
}

export function healthResponse(isHealthy: boolean, body: object): JsonResponse {
  return { status: isHealthy ? 200 : 503, headers: { 'cache-control': 'no-store' }, body }
}

export function toResponse({ status, headers, body }: JsonResponse): Response {
  return Response.json(body, { status, headers })
}

/** Small enough that a slow client takes one in time. */
const pieceBytes = 64 * 1024

/**
 * The same response, but its event stream sends headers at once, is cancelled as soon as the client disconnects, and
 * shows by small pieces that a client reads on.
 */
export function streamed(response: Response, signal: AbortSignal): Response {
  const { body, status, headers } = response
  if (body === null) return response
  const stream = new TransformStream<Uint8Array, Uint8Array>({
    start(controller) {
      // Headers are sent with the first bytes of the body, so an empty comment sends them now.
      if (headers.get('content-type') === 'text/event-stream') controller.enqueue(Buffer.from(':\n\n'))
    },
    transform(bytes, controller) {
      for (let at = 0; at < bytes.length; at += pieceBytes)
        controller.enqueue(bytes.subarray(at, at + pieceBytes))
    },
  })
  body.pipeTo(stream.writable, { signal }).catch(() => {})
  return new Response(stream.readable, { status, headers })
}

export function sendJson(outgoing: ServerResponse, { status, headers, body }: JsonResponse): void {
  outgoing.writeHead(status, { 'content-type': 'application/json', ...headers })
  outgoing.end(JSON.stringify(body))
}

export function sendPage(outgoing: ServerResponse, { type, text }: { type: string; text: string }): void {
  outgoing.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' })
  outgoing.end(text)
}
