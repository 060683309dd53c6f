// Emulator of MNS: queues in memory, over the service's protocol on loopback.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { closeAtOnce, listenOnLoopback } from '../loopback.ts'
import { xml } from '../xml.ts'
import { MnsError, refusal } from './errors.ts'
import { createFaults, type MnsCall, type MnsFault } from './faults.ts'
import { type Answer, type OperationRequest, operationOf, operations } from './operations.ts'
import type { Queue } from './queue.ts'
import { authenticate } from './signature.ts'

export type { MnsCall, MnsFault } from './faults.ts'

export interface MnsOptions {
  /** Default 0: any free port. */
  port?: number
  accountId?: string
  accessKeyId?: string
  accessKeySecret?: string
  /** If set, requests must carry it. */
  securityToken?: string
  /** Server clock, in milliseconds since 1970; default: `Date.now`. */
  now?: () => number
  /** Operations (such as `CreateQueue`) that the key may not use. */
  forbidden?: string[]
  seed?: number
}

export interface QueuedMessage {
  id: string
  queue: string
  /** As sent, still in base64. */
  body: string
  priority: number
  /** Number of deliveries. */
  dequeued: number
  /** True while it is delivered or delayed. */
  hidden: boolean
}

export interface MnsEmulator {
  endpoint: string
  accountId: string
  accessKeyId: string
  accessKeySecret: string
  /** In order of arrival. */
  calls: MnsCall[]
  /** Injects a fault; the returned function removes it. */
  fault(fault: MnsFault): () => void
  /** Waiting receivers check their queues again. */
  set(changes: Pick<MnsOptions, 'now' | 'forbidden' | 'securityToken'>): void
  /** Queue names. */
  queues(): string[]
  messages(): QueuedMessage[]
  /** Closes all connections immediately. */
  close(): Promise<void>
}

const defaultKey = {
  accessKeyId: 'LTAI5tEmulatorQueueKey00',
  accessKeySecret: 'emulator-queue-secret-00000000',
}

export async function startMns(options: MnsOptions = {}): Promise<MnsEmulator> {
  const { accountId = '1234567890123456', seed = 1 } = options
  const { accessKeyId = defaultKey.accessKeyId, accessKeySecret = defaultKey.accessKeySecret } = options
  const settings: Pick<MnsOptions, 'now' | 'forbidden' | 'securityToken'> = { ...options }
  const now = () => (settings.now ?? Date.now)()
  const queues = new Map<string, Queue>()
  const faults = createFaults(seed)
  const calls: MnsCall[] = []
  const closing = new AbortController()

  const server = createServer((request, response) => void serve(request, response))
  // Long polling may take longer than the default timeout.
  server.requestTimeout = 0
  const port = await listenOnLoopback(server, options.port)
  const endpoint = `http://127.0.0.1:${port}`

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const record: MnsCall = { operation: 'unknown', at: now() }
    calls.push(record)
    const disconnected = new AbortController()
    response.once('close', () => disconnected.abort())
    try {
      const url = new URL(request.url ?? '/', endpoint)
      const method = request.method ?? ''
      Object.assign(record, operationOf(method, url))
      const body = await bodyOf(request)
      const fault = faults.hit(record)
      if (fault?.kind === 'drop') return void request.socket.destroy()
      if (fault?.kind === 'hang') return
      if (fault?.kind === 'html') return proxyError(response, record)
      if (fault?.kind === 'refuse') throw new MnsError(fault.status, fault.code, 'Injected fault.')
      const { headers } = request
      authenticate({ method, resource: request.url ?? '', headers, body }, { ...credentials(), now: now() })
      if (settings.forbidden?.includes(record.operation)) throw refusal('AccessDenied')
      if (fault?.kind === 'delay')
        await sleep(1000 * fault.seconds, undefined, { signal: closing.signal, ref: false })
      const call: OperationRequest = {
        operation: record.operation,
        query: url.searchParams,
        body: body.toString(),
        ...(record.queue !== undefined && { queue: record.queue }),
        header: name => headers[name] as string | undefined,
      }
      const signal = AbortSignal.any([disconnected.signal, closing.signal])
      const context = { queues: fault?.kind === 'swallow' ? droppingQueue(call) : queues, now, signal }
      const answer = await operations[record.operation]!(call, context)
      if (fault?.kind === 'lose') return void request.socket.destroy()
      send(response, record, answer)
    } catch (error) {
      if (!(error instanceof MnsError)) return void request.socket.destroy()
      const { status, code, message } = error
      record.code = code
      const facts = { Code: code, Message: message, RequestId: randomUUID(), HostId: endpoint }
      send(response, record, { status, content: ['Error', facts] })
    }
  }

  function credentials() {
    const { securityToken } = settings
    return { accessKeyId, accessKeySecret, securityToken }
  }

  /** A queue that drops every message, for the `swallow` fault. */
  function droppingQueue({ queue = '' }: OperationRequest): Map<string, Queue> {
    const found = queues.get(queue)
    const dropping = { ...found, send: (sent: { body: string }) => ({ id: randomUUID(), body: sent.body }) }
    return found ? new Map([[queue, dropping as unknown as Queue]]) : new Map()
  }

  return {
    endpoint,
    accountId,
    accessKeyId,
    accessKeySecret,
    calls,
    fault: faults.add,
    set(changes) {
      Object.assign(settings, changes)
      for (const queue of queues.values()) queue.notify()
    },
    queues: () => [...queues.keys()],
    messages: () =>
      [...queues].flatMap(([name, queue]) =>
        queue.messages().map(({ id, body, priority, dequeued, visible }) => ({
          id,
          queue: name,
          body,
          priority,
          dequeued,
          hidden: visible > now(),
        })),
      ),
    async close() {
      closing.abort()
      await closeAtOnce(server)
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

function send(response: ServerResponse, record: MnsCall, { status, content, headers }: Answer): void {
  record.status = status
  const body = content ? xml(content[0], content[1]) : ''
  response.writeHead(status, {
    'x-mns-request-id': randomUUID(),
    'x-mns-version': '2015-06-06',
    ...headers,
    ...(body && { 'content-type': 'text/xml;charset=utf-8' }),
  })
  response.end(body)
}

function proxyError(response: ServerResponse, record: MnsCall): void {
  record.status = 502
  response.writeHead(502, { 'content-type': 'text/html' })
  response.end('<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>')
}
