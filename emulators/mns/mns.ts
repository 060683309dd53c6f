// The stand-in for MNS: queues in memory, over the service's own protocol on loopback.
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
  /** Default 0: any free one. */
  port?: number
  accountId?: string
  accessKeyId?: string
  accessKeySecret?: string
  /** With it, requests must carry it. */
  securityToken?: string
  /** The service's clock, in milliseconds since 1970. */
  now?: () => number
  /** Operations (such as `CreateQueue`) that the key has no right to. */
  forbidden?: string[]
  seed?: number
}

export interface QueuedMessage {
  id: string
  queue: string
  /** As it was sent, still in base64. */
  body: string
  priority: number
  /** How often it was handed out. */
  dequeued: number
  /** True while somebody has it in hand, or it is delayed. */
  hidden: boolean
}

export interface MnsEmulator {
  endpoint: string
  accountId: string
  accessKeyId: string
  accessKeySecret: string
  /** In the order in which they came. */
  calls: MnsCall[]
  /** Switches a fault on; the answer switches it off. */
  fault(fault: MnsFault): () => void
  /** Whoever waits for messages looks again after it. */
  set(changes: Pick<MnsOptions, 'now' | 'forbidden' | 'securityToken'>): void
  /** Names of its queues. */
  queues(): string[]
  messages(): QueuedMessage[]
  /** Ends all connections at once. */
  close(): Promise<void>
}

const usualKey = {
  accessKeyId: 'LTAI5tStandinQueueKey000',
  accessKeySecret: 'standin-queue-secret-000000000',
}

export async function startMns(options: MnsOptions = {}): Promise<MnsEmulator> {
  const { accountId = '1234567890123456', seed = 1 } = options
  const { accessKeyId = usualKey.accessKeyId, accessKeySecret = usualKey.accessKeySecret } = options
  const settings: Pick<MnsOptions, 'now' | 'forbidden' | 'securityToken'> = { ...options }
  const now = () => (settings.now ?? Date.now)()
  const queues = new Map<string, Queue>()
  const faults = createFaults(seed)
  const calls: MnsCall[] = []
  const closing = new AbortController()

  const server = createServer((request, response) => void serve(request, response))
  // A client may wait for a message for as long as it likes.
  server.requestTimeout = 0
  const port = await listenOnLoopback(server, options.port)
  const endpoint = `http://127.0.0.1:${port}`

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const record: MnsCall = { operation: 'unknown', at: now() }
    calls.push(record)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    try {
      const url = new URL(request.url ?? '/', endpoint)
      const method = request.method ?? ''
      Object.assign(record, operationOf(method, url))
      const body = await bodyOf(request)
      const fault = faults.hit(record)
      if (fault?.kind === 'drop') return void request.socket.destroy()
      if (fault?.kind === 'hang') return
      if (fault?.kind === 'html') return proxyError(response, record)
      if (fault?.kind === 'refuse') throw new MnsError(fault.status, fault.code, 'As the test has it.')
      const { headers } = request
      authenticate({ method, resource: request.url ?? '', headers, body }, { ...realm(), now: now() })
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
      const signal = AbortSignal.any([gone.signal, closing.signal])
      const desk = { queues: fault?.kind === 'swallow' ? elsewhere(call) : queues, now, gone: signal }
      const answer = await operations[record.operation]!(call, desk)
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

  function realm() {
    const { securityToken } = settings
    return { accessKeyId, accessKeySecret, securityToken }
  }

  /** Queues that nobody will ever look into. */
  function elsewhere({ queue = '' }: OperationRequest): Map<string, Queue> {
    const found = queues.get(queue)
    const lost = { ...found, send: (sent: { body: string }) => ({ id: randomUUID(), body: sent.body }) }
    return found ? new Map([[queue, lost as unknown as Queue]]) : new Map()
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
