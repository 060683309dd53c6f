// Raw HTTP for tests: a server in this process with fake jobs, and requests without a client library.

import { request as httpRequest } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { type HttpOptions, type RunningHttpServer, serveHttp } from '../../../src/server/http/http.ts'
import { closedAfterEach } from '../closed-after-each.ts'
import { type FakeJobs, fakeJobs } from '../jobs/fake-jobs.ts'

export interface TestServer extends RunningHttpServer {
  jobs: FakeJobs
}

export async function startTestServer(httpOptions: Partial<HttpOptions> = {}): Promise<TestServer> {
  const jobs = fakeJobs()
  const options = { jobs, version: '0', waitSeconds: 45 }
  const serving = await serveHttp(options, { host: '127.0.0.1', port: 0, tokens: [], ...httpOptions })
  return { ...serving, jobs }
}

/** Starts servers in tests of a file, and closes each after its test, with the calls that still wait. */
export const serversOfEachTest = () =>
  closedAfterEach(async (options?: Partial<HttpOptions>): Promise<TestServer> => {
    const server = await startTestServer(options)
    return { ...server, close: (drain = async () => server.jobs.release()) => server.close(drain) }
  })

export type Message = { id?: number; method?: string; params?: unknown; result?: unknown; error?: unknown }

const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } }

export function post(url: string, body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal) {
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify({ jsonrpc: '2.0', ...(body as object) }),
    ...(signal && { signal }),
  })
}

export interface ServerEvent {
  id?: string
  message?: Message
}

/** The events of a stream as they come, until it ends. */
export async function* eventsOf(response: Response): AsyncGenerator<ServerEvent, void> {
  let text = ''
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + piece).split('\n\n')
    text = blocks.pop()!
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(block)?.[1]
      const [id, data] = [field('id'), field('data')]
      if (id ?? data) yield { ...(id && { id }), ...(data && { message: JSON.parse(data) as Message }) }
    }
  }
}

/** The JSON-RPC response among the events. */
export async function answerOf(response: Response): Promise<Message> {
  if (!response.headers.get('content-type')?.includes('event-stream'))
    return (await response.json()) as Message
  for await (const { message } of eventsOf(response))
    if (message && 'id' in message && !message.method) return message
  throw new Error('The stream ended without an answer.')
}

export interface RawSession {
  headers: Record<string, string>
  post(message: Message, signal?: AbortSignal): Promise<Response>
  ask(message: Message): Promise<Message>
  listen(lastEventId?: string, signal?: AbortSignal): Promise<Response>
  end(): Promise<Response>
}

export async function openSession(url: string, extra: Record<string, string> = {}): Promise<RawSession> {
  const opened = await post(url, { id: 0, method: 'initialize', params: hello }, extra)
  if (!opened.ok) throw new Error(`${opened.status} ${await opened.text()}`)
  await answerOf(opened)
  const id = opened.headers.get('mcp-session-id')!
  const headers = { ...extra, 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' }
  const session: RawSession = {
    headers,
    post: (message, signal) => post(url, message, headers, signal),
    ask: async message => answerOf(await session.post(message)),
    listen: (lastEventId, signal) =>
      fetch(url, {
        headers: {
          ...headers,
          accept: 'text/event-stream',
          ...(lastEventId && { 'last-event-id': lastEventId }),
        },
        ...(signal && { signal }),
      }),
    end: () => fetch(url, { method: 'DELETE', headers }),
  }
  await session.post({ method: 'notifications/initialized' })
  return session
}

export function initialize(url: string, headers: Record<string, string> = {}): Promise<Response> {
  return post(url, { id: 0, method: 'initialize', params: hello }, headers)
}

/** Sends headers that `fetch` does not allow. */
export function rawRequest(
  url: string,
  {
    method = 'GET',
    headers = {},
    path,
  }: { method?: string; headers?: Record<string, string>; path?: string },
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(new URL(path ?? '', url), { method, headers }, response => {
      let text = ''
      response.on('data', piece => {
        text += piece
      })
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
    })
    asked.once('error', reject)
    asked.end()
  })
}

const jsonHeaders = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

/** A POST as bytes, with headers that `fetch` does not allow. */
export function rawPost(url: string, body: string, headers: Record<string, string | number> = {}): string {
  const all = {
    host: new URL(url).host,
    ...jsonHeaders,
    'content-length': Buffer.byteLength(body),
    ...headers,
  }
  const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST /mcp HTTP/1.1\r\n${fields.join('')}\r\n${body}`
}

/** A connection that has sent these bytes. */
export function sendBytes(url: string, bytes: string) {
  let received = ''
  const socket = connectTcp(Number(new URL(url).port), '127.0.0.1')
  socket.on('data', piece => {
    received += piece
  })
  socket.on('error', () => {})
  socket.write(bytes)
  return {
    socket,
    received: () => received,
    /** Resolves with all that was received when the server closes the connection. */
    closed: () => new Promise<string>(resolve => socket.once('close', () => resolve(received))),
  }
}

/** Sends the headers and only the start of the body; resolves with the server’s response. */
export function sendIncompleteRequest(url: string, bytes: number): Promise<string> {
  return sendBytes(url, rawPost(url, '{"', { 'content-length': bytes })).closed()
}
