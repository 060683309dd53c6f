// The way to MNS: the client library, loaded on first use, and requests that are made again while that may help.
import { Agent as PlainAgent } from 'node:http'
import { Agent } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { SpeechError } from '../../../domain/errors.ts'
import { isGone, noAnswer, queueFailure } from './errors.ts'
import type { MnsOptions } from './options.ts'

export interface Received {
  id: string
  handle: string
  body: string
  /** How often it was handed out, this time included. */
  count: number
}

export interface Line {
  send(queue: string, body: string): Promise<void>
  /** Waits so many seconds for a message; undefined where none came. One attempt, which `cut` ends. */
  receive(queue: string, wait: number): Promise<Received | undefined>
  /** Hides a message for so many seconds from now; resolves with its new handle, or undefined where it is not ours any more. */
  hide(queue: string, handle: string, seconds: number): Promise<string | undefined>
  /** Resolves also where it is not ours any more. */
  remove(queue: string, handle: string): Promise<void>
  exists(queue: string): Promise<boolean>
  create(queue: string, attributes: Record<string, number>): Promise<void>
  /** Ends the requests that wait for a message. */
  cut(): void
}

interface Answer {
  code: number
  body?: Record<string, string>
}

/** What we use of the library, which has no types. */
interface Client {
  sendMessage(queue: string, message: { MessageBody: string }): Promise<Answer>
  get(resource: string, type: string, options: { agent: PlainAgent }): Promise<Answer>
  changeMessageVisibility(queue: string, handle: string, seconds: number): Promise<Answer>
  deleteMessage(queue: string, handle: string): Promise<Answer>
  getQueueAttributes(queue: string): Promise<Answer>
  createQueue(queue: string, attributes: Record<string, number>): Promise<Answer>
}

type ClientClass = new (accountId: string, options: object) => Client

/** Milliseconds for one request, and for one that waits up to 30 s for a message. */
const answerTime = 5_000
const waitingTime = 45_000
/** Seconds for all attempts at one thing. */
const patience = 10
const longestDelay = 2

export function createLine({ endpoint, key, firstDelaySeconds = 0.2 }: MnsOptions): Line {
  const clients = new Map<number, Promise<Client>>()
  const secure = endpoint.startsWith('https:')
  let isCut = false
  const agent = new (secure ? Agent : PlainAgent)({ keepAlive: true })

  function client(time: number): Promise<Client> {
    const found = clients.get(time)
    if (found) return found
    const opened = load().then(Library => {
      const { accessKeyId, accessKeySecret, securityToken } = key
      const account = new URL(endpoint).hostname.split('.')[0]!
      const options = { accessKeyId, accessKeySecret, ...(securityToken && { securityToken }) }
      return new Library(account, {
        endpoint: endpoint.replace(/\/+$/, ''),
        ...options,
        connectTimeout: time,
        readTimeout: time,
      })
    })
    opened.catch(() => clients.delete(time))
    clients.set(time, opened)
    return opened
  }

  async function ask(right: string, request: (client: Client) => Promise<Answer>): Promise<Answer> {
    const end = performance.now() + 1000 * patience
    for (let delay = firstDelaySeconds; ; delay = Math.min(2 * delay, longestDelay)) {
      try {
        return whole(await request(await client(answerTime)))
      } catch (error) {
        if (isGone(error)) throw error
        const failure = queueFailure(error, right)
        const pause = 1000 * delay * (0.5 + Math.random() / 2)
        if (!failure.retryable || performance.now() + pause >= end) throw failure
        await sleep(pause, undefined, { ref: false })
      }
    }
  }

  return {
    async send(queue, body) {
      await ask('mns:SendMessage', client => client.sendMessage(queue, { MessageBody: body }))
    },
    async receive(queue, wait) {
      try {
        const resource = `/queues/${queue}/messages?waitseconds=${wait}`
        const waiting = await client(waitingTime)
        if (isCut) return undefined
        const { body = {} } = whole(await waiting.get(resource, 'Message', { agent }))
        const { MessageId: id = '', ReceiptHandle: handle = '', MessageBody = '', DequeueCount } = body
        return { id, handle, body: MessageBody, count: Number(DequeueCount) }
      } catch (error) {
        if (isGone(error)) return undefined
        throw queueFailure(error, 'mns:ReceiveMessage')
      }
    },
    async hide(queue, handle, seconds) {
      try {
        const right = 'mns:ChangeMessageVisibility'
        const { body } = await ask(right, client => client.changeMessageVisibility(queue, handle, seconds))
        return body?.ReceiptHandle
      } catch (error) {
        if (isGone(error)) return undefined
        throw error
      }
    },
    async remove(queue, handle) {
      await ask('mns:DeleteMessage', client => client.deleteMessage(queue, handle)).catch(error => {
        if (!isGone(error)) throw error
      })
    },
    async exists(queue) {
      try {
        await ask('mns:GetQueueAttributes', client => client.getQueueAttributes(queue))
        return true
      } catch (error) {
        if (error instanceof SpeechError && error.code === 'QUEUE_NOT_SET_UP') return false
        throw error
      }
    },
    async create(queue, attributes) {
      await ask('mns:CreateQueue', client => client.createQueue(queue, attributes))
    },
    cut() {
      isCut = true
      agent.destroy()
      // One that was about to be sent has its connection by then.
      setImmediate(() => agent.destroy())
    },
  }
}

/** The library resolves with whatever a proxy answers, as long as it is no XML. */
function whole(answer: Answer): Answer {
  if (answer.code >= 200 && answer.code < 300) return answer
  throw noAnswer()
}

async function load(): Promise<ClientClass> {
  try {
    // @ts-expect-error The library has no types.
    return ((await import('@alicloud/mns')) as { default: ClientClass }).default
  } catch (cause) {
    throw new SpeechError('QUEUE_FAILED', 'The client library of MNS is not installed.', {
      hint: 'Install speech-mcp anew, or unset MNS_ENDPOINT to work on what is ordered here in this process.',
      cause,
    })
  }
}
