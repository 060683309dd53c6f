// The operations on queues and messages.
import { type Elements, elementsOf, textOf } from '../xml.ts'
import { refusal } from './errors.ts'
import {
  type Attributes,
  createQueue,
  defaultAttributes,
  digestOf,
  type Message,
  type Queue,
} from './queue.ts'

export interface OperationRequest {
  operation: string
  queue?: string
  query: URLSearchParams
  body: string
  /** Headers that begin with `x-mns-`. */
  header(name: string): string | undefined
}

export interface Answer {
  status: number
  /** Root element and its content; absent: no body. */
  content?: [root: string, elements: Elements]
  headers?: Record<string, string>
}

export interface OperationContext {
  queues: Map<string, Queue>
  now(): number
  /** Aborts when the client disconnects or the server closes. */
  signal: AbortSignal
}

type Operation = (call: OperationRequest, context: OperationContext) => Answer | Promise<Answer>

/** Service limits: messages of one batch, and bytes of all their bodies. */
const maxBatchMessages = 16
const maxBatchBytes = 65_536

/** The operation that a request asks for. Throws `InvalidRequestURL`. */
export function operationOf(method: string, url: URL): { operation: string; queue?: string } {
  const [, kind, queue, messages] = /^\/(queues)(?:\/([^/]+))?(?:\/(messages))?$/.exec(url.pathname) ?? []
  if (!kind) throw refusal('InvalidRequestURL')
  const isBatch = url.searchParams.has('numOfMessages')
  const peeks = url.searchParams.get('peekonly') === 'true'
  const names: Record<string, string> = messages
    ? {
        POST: 'SendMessage',
        GET: `${isBatch ? 'Batch' : ''}${peeks ? 'Peek' : 'Receive'}Message`,
        PUT: 'ChangeMessageVisibility',
        DELETE: url.searchParams.has('ReceiptHandle') ? 'DeleteMessage' : 'BatchDeleteMessage',
      }
    : queue
      ? {
          PUT: url.searchParams.get('metaoverride') === 'true' ? 'SetQueueAttributes' : 'CreateQueue',
          GET: 'GetQueueAttributes',
          DELETE: 'DeleteQueue',
        }
      : { GET: 'ListQueue' }
  const operation = names[method]
  if (!operation) throw refusal('InvalidRequestURL')
  return { operation, ...(queue && { queue: decodeURIComponent(queue) }) }
}

export const operations: Record<string, Operation> = {
  CreateQueue({ queue = '', body }, { queues, now }) {
    if (!/^[a-z0-9][\w-]{0,119}$/i.test(queue)) throw refusal('InvalidQueueName')
    const requested = { ...defaultAttributes, ...readAttributes(body) }
    const found = queues.get(queue)
    if (found && JSON.stringify(found.attributes) !== JSON.stringify(requested))
      throw refusal('QueueAlreadyExist')
    if (found) return { status: 204 }
    queues.set(queue, createQueue(requested, now))
    return { status: 201, headers: { location: `/queues/${queue}` } }
  },
  SetQueueAttributes(call, context) {
    Object.assign(queueOf(call, context).attributes, readAttributes(call.body))
    return { status: 204 }
  },
  GetQueueAttributes(call, context) {
    const queue = queueOf(call, context)
    const all = queue.messages()
    const hidden = all.filter(({ visible }) => visible > context.now())
    const delayed = hidden.filter(({ dequeued }) => dequeued === 0).length
    return {
      status: 200,
      content: [
        'Queue',
        {
          QueueName: call.queue,
          ...queue.attributes,
          ActiveMessages: all.length - hidden.length,
          InactiveMessages: hidden.length - delayed,
          DelayMessages: delayed,
        },
      ],
    }
  },
  ListQueue({ header }, { queues }) {
    const prefix = header('x-mns-prefix') ?? ''
    const names = [...queues.keys()].filter(name => name.startsWith(prefix)).sort()
    return {
      status: 200,
      content: ['Queues', { Queue: names.map(name => ({ QueueURL: `/queues/${name}` })) }],
    }
  },
  DeleteQueue({ queue = '' }, { queues }) {
    queues.get(queue)?.notify()
    queues.delete(queue)
    return { status: 204 }
  },
  SendMessage(call, context) {
    const queue = queueOf(call, context)
    const isBatch = /<Messages[\s>]/.test(call.body)
    const requested = (isBatch ? elementsOf(call.body, 'Message') : [call.body]).map(readMessage)
    const bytes = requested.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0)
    if (requested.length === 0 || requested.length > maxBatchMessages) throw refusal('InvalidArgument')
    if (isBatch && bytes > maxBatchBytes) throw refusal('MessageBodyTooLarge')
    const sent = requested.map(one => {
      const { id, body } = queue.send(one)
      return { MessageId: id, MessageBodyMD5: digestOf(body) }
    })
    return { status: 201, content: isBatch ? ['Messages', { Message: sent }] : ['Message', sent[0]!] }
  },
  ReceiveMessage: (call, context) => receive(call, context, found => ['Message', found[0]!]),
  BatchReceiveMessage: (call, context) => receive(call, context, found => ['Messages', { Message: found }]),
  PeekMessage(call, context) {
    const [found] = queueOf(call, context).peek(1)
    if (!found) throw refusal('MessageNotExist')
    return { status: 200, content: ['Message', messageContent(found)] }
  },
  BatchPeekMessage(call, context) {
    const found = queueOf(call, context).peek(readBatchSize(call))
    if (found.length === 0) throw refusal('MessageNotExist')
    return { status: 200, content: ['Messages', { Message: found.map(messageContent) }] }
  },
  ChangeMessageVisibility(call, context) {
    const { query } = call
    const seconds = Number(query.get('visibilityTimeout'))
    const { receiptHandle = '', visible } = queueOf(call, context).hide(
      query.get('receiptHandle') ?? '',
      seconds,
    )
    return {
      status: 200,
      content: ['ChangeVisibility', { ReceiptHandle: receiptHandle, NextVisibleTime: visible }],
    }
  },
  DeleteMessage(call, context) {
    queueOf(call, context).remove(call.query.get('ReceiptHandle') ?? '')
    return { status: 204 }
  },
  BatchDeleteMessage(call, context) {
    const queue = queueOf(call, context)
    const handles = elementsOf(call.body, 'ReceiptHandle')
    if (handles.length === 0 || handles.length > maxBatchMessages) throw refusal('InvalidArgument')
    const failed = handles.flatMap(handle => {
      try {
        queue.remove(handle)
        return []
      } catch (error) {
        const { code, message } = error as { code: string; message: string }
        return [{ ErrorCode: code, ErrorMessage: message, ReceiptHandle: handle }]
      }
    })
    return failed.length === 0 ? { status: 204 } : { status: 404, content: ['Errors', { Error: failed }] }
  },
}

async function receive(
  call: OperationRequest,
  context: OperationContext,
  toContent: (found: Elements[]) => [string, Elements],
): Promise<Answer> {
  const queue = queueOf(call, context)
  const wait = Number(call.query.get('waitseconds') ?? queue.attributes.PollingWaitSeconds)
  if (!(wait >= 0 && wait <= 30)) throw refusal('InvalidArgument')
  const count = readBatchSize(call)
  const until = context.now() + 1000 * wait
  for (;;) {
    queueOf(call, context)
    // A delivery to a disconnected client would only hide the message.
    const found = context.signal.aborted ? [] : queue.receive(count)
    if (found.length > 0)
      return { status: 200, content: toContent(found.map(message => deliveredContent(message))) }
    if (context.now() >= until || context.signal.aborted) throw refusal('MessageNotExist')
    await queue.changed(until, context.signal)
  }
}

function queueOf({ queue = '' }: OperationRequest, { queues }: OperationContext): Queue {
  const found = queues.get(queue)
  if (!found) throw refusal('QueueNotExist')
  return found
}

function readBatchSize({ query }: OperationRequest): number {
  const count = Number(query.get('numOfMessages') ?? 1)
  if (!(count >= 1 && count <= maxBatchMessages)) throw refusal('InvalidArgument')
  return count
}

function readAttributes(body: string): Partial<Attributes> {
  const ranges: Record<keyof Attributes, [number, number]> = {
    VisibilityTimeout: [1, 43_200],
    MessageRetentionPeriod: [60, 604_800],
    PollingWaitSeconds: [0, 30],
    DelaySeconds: [0, 604_800],
    MaximumMessageSize: [1_024, 65_536],
  }
  return Object.fromEntries(
    Object.entries(ranges).flatMap(([name, [min, max]]) => {
      const given = textOf(body, name)
      if (given === undefined) return []
      const value = Number(given)
      if (!(value >= min && value <= max)) throw refusal('InvalidArgument')
      return [[name, value]]
    }),
  )
}

function readMessage(xml: string) {
  const body = textOf(xml, 'MessageBody')
  if (body === undefined || body === '') throw refusal('MalformedXML')
  const number = (name: string) => {
    const given = textOf(xml, name)
    return given === undefined ? undefined : Number(given)
  }
  return { body, priority: number('Priority'), delay: number('DelaySeconds') }
}

function messageContent({ id, body, priority, enqueued, dequeued, firstDequeued = 0 }: Message): Elements {
  return {
    MessageId: id,
    MessageBody: body,
    MessageBodyMD5: digestOf(body),
    EnqueueTime: enqueued,
    FirstDequeueTime: firstDequeued,
    DequeueCount: dequeued,
    Priority: priority,
  }
}

function deliveredContent(message: Message): Elements {
  return {
    ...messageContent(message),
    ReceiptHandle: message.receiptHandle,
    NextVisibleTime: message.visible,
  }
}
