// Headers that let a web page of an allowed origin use the server, which a browser asks for.
import type { IncomingMessage, ServerResponse } from 'node:http'

const allowed = {
  'access-control-allow-methods': 'GET, POST, DELETE',
  'access-control-allow-headers':
    'Authorization, Content-Type, Last-Event-ID, Mcp-Method, Mcp-Name, Mcp-Protocol-Version, Mcp-Session-Id',
  'access-control-max-age': '7200',
}
/** Those of the tus protocol, and of a plain PUT. */
const allowedUploads = {
  ...allowed,
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
  'access-control-allow-headers':
    'Content-Type, Repr-Digest, Tus-Resumable, Upload-Length, Upload-Metadata, Upload-Offset, X-Requested-With',
}
const exposedUploads =
  'Location, Repr-Digest, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Address, Upload-Expires, Upload-Length, Upload-Metadata, Upload-Offset'
const exposed = 'Mcp-Session-Id, Mcp-Protocol-Version, Last-Event-Id, WWW-Authenticate, Retry-After'

/** Allows the origin of a request, whose page is known to be allowed. True if the browser only asked: then it has its answer. */
export function answerBrowser(
  { method, headers }: IncomingMessage,
  outgoing: ServerResponse,
  isUpload = false,
): boolean {
  const { origin } = headers
  if (origin === undefined) return false
  outgoing.setHeader('access-control-allow-origin', origin).setHeader('vary', 'Origin')
  outgoing.setHeader('access-control-expose-headers', isUpload ? exposedUploads : exposed)
  if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return false
  outgoing.writeHead(204, isUpload ? allowedUploads : allowed).end()
  return true
}
