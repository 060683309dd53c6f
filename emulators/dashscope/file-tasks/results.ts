// Server of the result files: signed URLs that expire, no API key.
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { closeAtOnce, listenOnLoopback } from '../../loopback.ts'

export interface ResultServer {
  /** Stores a file and returns its path. */
  add(task: string, content: object): string
  /** Returns a URL that is valid for `seconds`. */
  sign(path: string, seconds: number): string
  close(): Promise<void>
}

/** The fault that applies to the result download of a task, if any. */
export type ResultFault = (task: string) => 403 | 404 | 500 | 'garbage' | 'hang' | 'drop' | undefined

const ACCESS_KEY = 'LTAIemulatorresults'

export async function startResultServer(faultFor: ResultFault): Promise<ResultServer> {
  const files = new Map<string, { task: string; body: string }>()
  const secret = randomBytes(16)
  const signatureOf = (path: string, expires: string) =>
    createHmac('sha1', secret).update(`GET\n${expires}\n${path}`).digest('base64')

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://results')
    const refusal = refusalOf(request, url, signatureOf)
    if (refusal) return sendXml(response, ...refusal)
    const file = files.get(url.pathname)
    const fault = file && faultFor(file.task)
    if (fault === 'hang') return
    if (fault === 'drop') return void request.socket.destroy()
    if (fault === 403) return sendXml(response, 403, 'AccessDenied', 'Request has expired.')
    if (fault === 500) return sendXml(response, 500, 'InternalError', 'We encountered an internal error.')
    if (!file || fault === 404) {
      return sendXml(response, 404, 'NoSuchKey', 'The specified key does not exist.')
    }
    const body = fault === 'garbage' ? file.body.slice(0, file.body.length / 2) : file.body
    response
      .writeHead(200, {
        'content-type': 'application/json',
        server: 'AliyunOSS',
        'x-oss-request-id': requestId(),
      })
      .end(body)
  })
  const port = await listenOnLoopback(server)
  const origin = `http://127.0.0.1:${port}`

  return {
    add(task, content) {
      const path = `/prod/asr/${task}/${randomUUID()}-1.json`
      files.set(path, { task, body: JSON.stringify(content) })
      return path
    },
    sign(path, seconds) {
      const expires = String(Math.floor(Date.now() / 1000 + seconds))
      const query = { Expires: expires, OSSAccessKeyId: ACCESS_KEY, Signature: signatureOf(path, expires) }
      return `${origin}${path}?${new URLSearchParams(query)}`
    },
    async close() {
      await closeAtOnce(server)
    },
  }
}

function refusalOf(
  { headers, method }: IncomingMessage,
  { pathname, searchParams }: URL,
  signatureOf: (path: string, expires: string) => string,
): [status: number, code: string, message: string] | undefined {
  const [expires, signature] = [searchParams.get('Expires'), searchParams.get('Signature')]
  // A request with two kinds of authentication is refused, even if both are valid.
  if (headers.authorization !== undefined) {
    return [400, 'InvalidArgument', 'Only one auth mechanism should be specified.']
  }
  if (method !== 'GET') return [405, 'MethodNotAllowed', 'The specified method is not allowed.']
  if (!expires || !signature) {
    return [403, 'AccessDenied', 'You have no right to access this object because of bucket acl.']
  }
  if (signature !== signatureOf(pathname, expires)) {
    return [403, 'SignatureDoesNotMatch', 'The request signature we calculated does not match yours.']
  }
  if (Number(expires) * 1000 <= Date.now()) return [403, 'AccessDenied', 'Request has expired.']
  return undefined
}

function sendXml(response: ServerResponse, status: number, code: string, message: string): void {
  const id = requestId()
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n  <Code>${code}</Code>\n  <Message>${message}</Message>\n  <RequestId>${id}</RequestId>\n</Error>\n`
  response
    .writeHead(status, { 'content-type': 'application/xml', server: 'AliyunOSS', 'x-oss-request-id': id })
    .end(body)
}

function requestId(): string {
  return randomUUID().replaceAll('-', '').slice(0, 24).toUpperCase()
}
