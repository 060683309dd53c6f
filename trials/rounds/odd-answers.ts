// Thirty answers that no provider should give: status, body, headers, pace, length and connection.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { recognition, sendJson, spokenText } from '../core/provider.ts'

export interface OddAnswer {
  name: string
  give(response: ServerResponse, request: IncomingMessage): void
  /** True if `spokenText` can be read from it. */
  isReadable?: boolean
}

const json = { 'content-type': 'application/json' }
const good = () => JSON.stringify(recognition(spokenText))
const html = '<!doctype html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>'

const odd = (name: string, give: OddAnswer['give'], isReadable = false): OddAnswer => ({
  name,
  give,
  isReadable,
})
const body = (
  name: string,
  text: string | Buffer,
  headers: Record<string, string> = json,
  isReadable = false,
) => odd(name, response => response.writeHead(200, headers).end(text), isReadable)
const status = (code: number, error: string, headers: Record<string, string> = {}) =>
  odd(`status ${code} ${error} ${JSON.stringify(headers)}`, response =>
    response.writeHead(code, { ...json, ...headers }).end(JSON.stringify({ code: error, message: 'odd' })),
  )

/** Writes the head and then a piece at each interval, until the connection closes. */
function drip(response: ServerResponse, text: string, pieceChars: number, everyMs: number): void {
  response.writeHead(200, json)
  let at = 0
  const timer = setInterval(() => {
    if (at < text.length) response.write(text.slice(at, at + pieceChars))
    else response.end()
    at += pieceChars
  }, everyMs)
  response.on('close', () => clearInterval(timer))
}

/** Answers without an end, as fast as they are read. */
function flood(response: ServerResponse, piece: Buffer): void {
  const more = () => {
    while (!response.destroyed && response.write(piece));
  }
  response.on('drain', more)
  more()
}

export const oddAnswers: OddAnswer[] = [
  odd('silence', () => {}),
  odd('cut before the head', (_, request) => request.socket.destroy()),
  odd('cut after the head', response => {
    response.writeHead(200, { ...json, 'content-length': '500' }).flushHeaders()
    setTimeout(() => response.destroy(), 50)
  }),
  odd('cut in the body', response => {
    response.writeHead(200, json).write(good().slice(0, 60))
    setTimeout(() => response.destroy(), 50)
  }),
  odd('one byte a second', response => drip(response, good().padEnd(5000), 1, 1000)),
  odd('slow but whole', response => drip(response, good(), 40, 20), true),
  odd('head and then silence', response => void response.writeHead(200, json).flushHeaders()),
  odd('blanks without an end', response => {
    response.writeHead(200, json)
    flood(response, Buffer.alloc(65_536, ' '))
  }),
  odd('JSON without an end', response => {
    response.writeHead(200, json).write('{"output":{"choices":[')
    flood(response, Buffer.from('{"a":1},'.repeat(8000)))
  }),
  odd('a length that is too large', response => {
    response.writeHead(200, { ...json, 'content-length': '99999999' }).write(good())
  }),
  odd('raw bytes instead of HTTP', (_, request) => void request.socket.end('SSH-2.0-OpenSSH_9.6\r\n')),
  odd('a redirect to itself', response => void response.writeHead(302, { location: '/api/v1/loop' }).end()),
  odd(
    'a redirect to a file',
    response => void response.writeHead(307, { location: 'file:///etc/passwd' }).end(),
  ),
  body('HTML with status 200', html, { 'content-type': 'text/html' }),
  odd('HTML with status 502', response => response.writeHead(502, { 'content-type': 'text/html' }).end(html)),
  body('an empty body', ''),
  body('null', 'null'),
  body('a list', '[]'),
  body('an empty object', '{}'),
  body('choices that are a text', '{"output":{"choices":"x"}}'),
  body('content that is a number', JSON.stringify(recognition(5 as never))),
  body('text of 20 MB', JSON.stringify(recognition('word '.repeat(4_000_000)))),
  body('text of control characters', JSON.stringify(recognition('\0\u001b[31m\u202e\ud800'))),
  body('deep JSON', `${'{"output":'.repeat(50_000)}1${'}'.repeat(50_000)}`),
  body('bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])),
  body('broken gzip', 'not gzip', { ...json, 'content-encoding': 'gzip' }),
  body('another type, good JSON', good(), { 'content-type': 'text/plain' }, true),
  odd('headers of 100 kB', response =>
    response.writeHead(200, { ...json, 'x-odd': 'x'.repeat(100_000) }).end(good()),
  ),
  status(401, 'InvalidApiKey'),
  status(403, 'AccessDenied'),
  status(404, 'ModelNotFound'),
  status(413, 'RequestTooLarge'),
  status(429, 'Throttling.RateQuota', { 'retry-after': '86400' }),
  status(429, 'Throttling', { 'retry-after': '-1' }),
  status(500, 'InternalError'),
  status(503, 'ServiceUnavailable', { 'retry-after': 'soon' }),
  odd('status 999', response => sendJson(response, 999, {})),
]
