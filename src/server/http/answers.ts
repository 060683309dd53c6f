// What HTTP clients are answered where MCP itself does not answer, and word of when an answer has gone out.

/** The JSON-RPC codes that the protocol's own libraries use for the same refusals. */
const codes = { refused: -32_000, noSession: -32_001, notJson: -32_700 } as const

export interface Answer {
  status: number
  headers: Record<string, string>
  body: unknown
}

function refusal(
  status: number,
  message: string,
  headers: Record<string, string> = {},
  code: number = codes.refused,
): Answer {
  return { status, headers, body: { jsonrpc: '2.0', error: { code, message }, id: null } }
}

export const refusals = {
  wrongHost: refusal(403, 'This server is not reached under that name (Host or Origin).'),
  notFound: refusal(404, 'There is nothing here; MCP is at /mcp.'),
  notAllowed: (allow: string) => refusal(405, 'Method not allowed.', { allow }),
  noToken: refusal(401, 'A bearer token is needed.', { 'www-authenticate': 'Bearer' }),
  badToken: refusal(401, 'The bearer token is not known.', {
    'www-authenticate': 'Bearer error="invalid_token"',
  }),
  tooLarge: refusal(413, 'The request is too large. Give long recordings as a path or an address.'),
  tooMany: refusal(429, 'Too many requests at once. Wait until some of them are answered.', {
    'retry-after': '1',
  }),
  tooManySessions: refusal(503, 'Too many sessions are open. Close some of them, or try again later.', {
    'retry-after': '60',
  }),
  stopping: refusal(503, 'The server is stopping.', { 'retry-after': '5' }),
  notJson: refusal(400, 'Parse error: the body is not JSON.', {}, codes.notJson),
  // The same for one that never was, one that is over and one that belongs to somebody else.
  noSession: refusal(404, 'Session not found', {}, codes.noSession),
  lostEvent: refusal(400, 'There is nothing left to resume after that event.'),
}

export function health(stopping: boolean): Answer {
  const status = stopping ? 503 : 200
  return { status, headers: { 'cache-control': 'no-store' }, body: { status: stopping ? 'stopping' : 'ok' } }
}

export function asResponse({ status, headers, body }: Answer): Response {
  return Response.json(body, { status, headers })
}

/**
 * The same response; `ended` is called once, when all of it has been read or the client has gone. Then its source is
 * told too, at once and not with its next event.
 */
export function untilEnd(response: Response, signal: AbortSignal, ended: () => void): Response {
  const { body, status, headers } = response
  if (body === null) {
    ended()
    return response
  }
  const reader = body.getReader()
  let over = false
  const end = () => {
    if (!over) ended()
    over = true
  }
  const leave = () => {
    end()
    reader.cancel().catch(() => {})
  }
  if (signal.aborted) leave()
  signal.addEventListener('abort', leave, { once: true })
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      // The head of a response goes out with its first bytes, which may be long in coming.
      if (headers.get('content-type') === 'text/event-stream') controller.enqueue(Buffer.from(':\n\n'))
    },
    async pull(controller) {
      const { done, value } = await reader.read()
      if (!done) return controller.enqueue(value)
      signal.removeEventListener('abort', leave)
      end()
      controller.close()
    },
    cancel: leave,
  })
  return new Response(stream, { status, headers })
}
