// HTTP of the emulator: reads bodies and sends responses with the headers of DashScope's gateway.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { type CloudError, errorBody } from './errors.ts'

/** Reads the whole body. Rejects if the client disconnects before its end. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

/** Sends JSON as the gateway does: with timing headers, and gzip if the client accepts it. */
export function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: object,
  started: number,
  type = 'application/json',
): void {
  const cost = String(Math.round(Date.now() - started))
  const headers: Record<string, string> = {
    vary: 'Origin,Access-Control-Request-Method,Access-Control-Request-Headers, Accept-Encoding',
    'content-type': type,
    'x-dashscope-call-gateway': 'true',
    'req-cost-time': cost,
    'req-arrive-time': String(started),
    'resp-start-time': String(Date.now()),
    'x-envoy-upstream-service-time': cost,
    server: 'istio-envoy',
  }
  sendBody(request, response, status, body, headers)
}

/** Sends JSON with these headers, and gzip if the client accepts it. */
export function sendBody(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string>,
): void {
  const json = Buffer.from(JSON.stringify(body))
  if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) {
    response.writeHead(status, headers).end(json)
    return
  }
  response.writeHead(status, { ...headers, 'content-encoding': 'gzip' }).end(gzipSync(json))
}

export function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  error: CloudError,
  started: number,
): void {
  const { status } = error
  const body = errorBody(error)
  // The captured response to a wrong key has no content type and none of the gateway's headers.
  if (status === 401) response.writeHead(401, { 'x-request-id': randomUUID() }).end(JSON.stringify(body))
  else sendJson(request, response, status, body, started)
}

/** Sends the error page of a proxy between client and cloud. */
export function sendProxyPage(response: ServerResponse, status: number): void {
  const title = `${status} ${status === 502 ? 'Bad Gateway' : 'Error'}`
  const page = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`
  response.writeHead(status, { 'content-type': 'text/html', server: 'nginx' }).end(page)
}
