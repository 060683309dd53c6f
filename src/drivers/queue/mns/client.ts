// MNS client: loads the library on first use and retries requests that may succeed later.
import type { Agent } from 'node:http'
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'
import { deadlines } from '../../../domain/network/deadlines.ts'
import type { Proxies } from '../../../domain/network/proxies.ts'
import { retry } from '../../http/retry.ts'
import { agentFor } from '../../http/tunnel.ts'
import { isGone, noResponse, queueError } from './errors.ts'

export interface MnsOptions {
  endpoint: string
  /** Name of the queue for long recordings; the one for voice notes has the suffix `-brief`. */
  queue: string
  proxies?: Proxies | undefined
  key: { accessKeyId: string; accessKeySecret: string; securityToken?: string | undefined }
  /** How many messages are worked on at once. From two on, each lane has one slot of its own. */
  concurrency: number
  /** A message carries only an id: resolves with the owners that have a job with it. */
  ownersOf(id: string): Promise<string[]>
  /** Visibility timeout: without `extend`, a message is redelivered after it. */
  visibilitySeconds?: number | undefined
  /** Long-polling time of a receive request. */
  pollSeconds?: number | undefined
  /** Pause before the second attempt. */
  firstDelaySeconds?: number | undefined
}

export interface ReceivedMessage {
  id: string
  handle: string
  body: string
  /** Number of deliveries, this one included. */
  deliveries: number
}

export interface MnsClient {
  send(queue: string, body: string): Promise<void>
  /** Waits this long for a message; undefined if none arrives. A single attempt, which `abort` ends. */
  receive(queue: string, pollSeconds: number): Promise<ReceivedMessage | undefined>
  /** Sets the visibility timeout of a message; resolves with its new handle, or undefined if the handle is no longer valid. */
  changeVisibility(queue: string, handle: string, seconds: number): Promise<string | undefined>
  /** Also resolves if the handle is no longer valid. */
  delete(queue: string, handle: string): Promise<void>
  exists(queue: string): Promise<boolean>
  create(queue: string, attributes: Record<string, number>): Promise<void>
  /** Ends the requests that wait for a message. */
  abort(): void
}

interface Response {
  code: number
  body?: Record<string, string>
}

/** The methods that we use of the library, which has no types. */
interface LibraryClient {
  sendMessage(queue: string, message: { MessageBody: string }): Promise<Response>
  get(resource: string, type: string, options: { agent: Agent }): Promise<Response>
  changeMessageVisibility(queue: string, handle: string, seconds: number): Promise<Response>
  deleteMessage(queue: string, handle: string): Promise<Response>
  getQueueAttributes(queue: string): Promise<Response>
  createQueue(queue: string, attributes: Record<string, number>): Promise<Response>
  /** Each of the others calls it; all but `get` without options. */
  request(...all: [...RequestArguments, options?: { agent?: Agent }]): Promise<Response>
}

type RequestArguments = [method: string, path: string, type: string, body: unknown, attentions?: unknown[]]

type Library = new (accountId: string, options: object) => LibraryClient

const requestTimeoutMs = deadlines.queue.idleSeconds * 1000
/** The service allows long polling of up to 30 s. */
const pollTimeoutMs = deadlines.queuePoll.totalSeconds * 1000
const maxTotalSeconds = deadlines.queue.totalSeconds
const maxDelaySeconds = 2

export function createMnsClient({ endpoint, key, proxies, firstDelaySeconds = 0.2 }: MnsOptions): MnsClient {
  const clients = new Map<number, Promise<LibraryClient>>()
  const [agent, pollAgent] = [0, 1].map(() => agentFor(endpoint, proxies, { keepAlive: true })) as [
    Agent,
    Agent,
  ]
  let isAborted = false

  /** The library takes its time limit per client. */
  function clientWith(timeoutMs: number): Promise<LibraryClient> {
    const existing = clients.get(timeoutMs)
    if (existing) return existing
    const opened = load().then(Library => {
      const { accessKeyId, accessKeySecret, securityToken } = key
      const account = new URL(endpoint).hostname.split('.')[0]!
      const client = new Library(account, {
        endpoint: endpoint.replace(/\/+$/, ''),
        accessKeyId,
        accessKeySecret,
        ...(securityToken && { securityToken }),
        connectTimeout: timeoutMs,
        readTimeout: timeoutMs,
      })
      const { request } = client
      client.request = (method, path, type, body, attentions = [], options = {}) =>
        request.call(client, method, path, type, body, attentions, { agent, ...options })
      return client
    })
    opened.catch(() => clients.delete(timeoutMs))
    clients.set(timeoutMs, opened)
    return opened
  }

  /** Undefined where the message is gone. `permission` is what a RAM policy has to grant. */
  function request(permission: string, send: (client: LibraryClient) => Promise<Response>) {
    const attempt = async () => {
      try {
        return checked(await send(await clientWith(requestTimeoutMs)))
      } catch (error) {
        if (isGone(error)) return undefined
        throw queueError(error, permission)
      }
    }
    return retry(attempt, { firstDelaySeconds, maxDelaySeconds, maxTotalSeconds, unref: true })
  }

  return {
    async send(queue, body) {
      await request('mns:SendMessage', client => client.sendMessage(queue, { MessageBody: body }))
    },
    async receive(queue, pollSeconds) {
      try {
        const resource = `/queues/${queue}/messages?waitseconds=${pollSeconds}`
        const client = await clientWith(pollTimeoutMs)
        if (isAborted) return undefined
        const { body = {} } = checked(await client.get(resource, 'Message', { agent: pollAgent }))
        const { MessageId: id = '', ReceiptHandle: handle = '', MessageBody = '', DequeueCount } = body
        return { id, handle, body: MessageBody, deliveries: Number(DequeueCount) }
      } catch (error) {
        if (isGone(error)) return undefined
        throw queueError(error, 'mns:ReceiveMessage')
      }
    },
    async changeVisibility(queue, handle, seconds) {
      const response = await request('mns:ChangeMessageVisibility', client =>
        client.changeMessageVisibility(queue, handle, seconds),
      )
      return response?.body?.ReceiptHandle
    },
    async delete(queue, handle) {
      await request('mns:DeleteMessage', client => client.deleteMessage(queue, handle))
    },
    async exists(queue) {
      try {
        await request('mns:GetQueueAttributes', client => client.getQueueAttributes(queue))
        return true
      } catch (error) {
        if (isSpeechError(error) && error.code === 'QUEUE_NOT_SET_UP') return false
        throw error
      }
    },
    async create(queue, attributes) {
      await request('mns:CreateQueue', client => client.createQueue(queue, attributes))
    },
    abort() {
      isAborted = true
      pollAgent.destroy()
      // A request about to be sent has its connection by then.
      setImmediate(() => pollAgent.destroy())
    },
  }
}

/** The library resolves with any response that is not XML, for example a proxy's. */
function checked(response: Response): Response {
  if (response.code >= 200 && response.code < 300) return response
  throw noResponse()
}

async function load(): Promise<Library> {
  try {
    // @ts-expect-error The library has no types.
    return ((await import('@alicloud/mns')) as { default: Library }).default
  } catch (cause) {
    throw new SpeechError('QUEUE_FAILED', 'The client library of MNS is not installed.', {
      hint: 'Reinstall speech-mcp, or unset MNS_ENDPOINT to run jobs in this process.',
      cause,
    })
  }
}
