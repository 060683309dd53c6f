// What each request does to the queues, and what is answered.
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
  /** Name of the root element, and what is in it; absent: no body. */
  content?: [root: string, elements: Elements]
  headers?: Record<string, string>
}

export interface OperationContext {
  queues: Map<string, Queue>
  now(): number
  /** Aborted when the client hangs up, or the server closes. */
  gone: AbortSignal
}

type Operation = (call: OperationRequest, desk: OperationContext) => Answer | Promise<Answer>

/** Messages of one batch (limit of the service), and bytes of all their bodies. */
const mostInBatch = 16
const mostBytes = 65_536

/** Says which operation a request is. Throws `InvalidRequestURL`. */
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
    const wished = { ...defaultAttributes, ...attributesIn(body) }
    const found = queues.get(queue)
    if (found && JSON.stringify(found.attributes) !== JSON.stringify(wished))
      throw refusal('QueueAlreadyExist')
    if (found) return { status: 204 }
    queues.set(queue, createQueue(wished, now))
    return { status: 201, headers: { location: `/queues/${queue}` } }
  },
  SetQueueAttributes(call, desk) {
    Object.assign(theQueue(call, desk).attributes, attributesIn(call.body))
    return { status: 204 }
  },
  GetQueueAttributes(call, desk) {
    const queue = theQueue(call, desk)
    const all = queue.messages()
    const hidden = all.filter(({ visible }) => visible > desk.now())
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
  SendMessage(call, desk) {
    const queue = theQueue(call, desk)
    const isBatch = /<Messages[\s>]/.test(call.body)
    const wished = (isBatch ? elementsOf(call.body, 'Message') : [call.body]).map(sentIn)
    const bytes = wished.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0)
    if (wished.length === 0 || wished.length > mostInBatch) throw refusal('InvalidArgument')
    if (isBatch && bytes > mostBytes) throw refusal('MessageBodyTooLarge')
    const sent = wished.map(one => {
      const { id, body } = queue.send(one)
      return { MessageId: id, MessageBodyMD5: digestOf(body) }
    })
    return {
      status: 201,
      content: isBatch ? ['Messages', { Message: sent }] : ['Message', sent[0]!],
    }
  },
  ReceiveMessage: (call, desk) => receive(call, desk, found => ['Message', found[0]!]),
  BatchReceiveMessage: (call, desk) => receive(call, desk, found => ['Messages', { Message: found }]),
  PeekMessage(call, desk) {
    const [found] = theQueue(call, desk).peek(1)
    if (!found) throw refusal('MessageNotExist')
    return { status: 200, content: ['Message', told(found)] }
  },
  BatchPeekMessage(call, desk) {
    const found = theQueue(call, desk).peek(countIn(call))
    if (found.length === 0) throw refusal('MessageNotExist')
    return { status: 200, content: ['Messages', { Message: found.map(told) }] }
  },
  ChangeMessageVisibility(call, desk) {
    const { query } = call
    const seconds = Number(query.get('visibilityTimeout'))
    const { receiptHandle = '', visible } = theQueue(call, desk).hide(
      query.get('receiptHandle') ?? '',
      seconds,
    )
    return {
      status: 200,
      content: ['ChangeVisibility', { ReceiptHandle: receiptHandle, NextVisibleTime: visible }],
    }
  },
  DeleteMessage(call, desk) {
    theQueue(call, desk).remove(call.query.get('ReceiptHandle') ?? '')
    return { status: 204 }
  },
  BatchDeleteMessage(call, desk) {
    const queue = theQueue(call, desk)
    const handles = elementsOf(call.body, 'ReceiptHandle')
    if (handles.length === 0 || handles.length > mostInBatch) throw refusal('InvalidArgument')
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
  desk: OperationContext,
  tell: (found: Elements[]) => [string, Elements],
): Promise<Answer> {
  const queue = theQueue(call, desk)
  const wait = Number(call.query.get('waitseconds') ?? queue.attributes.PollingWaitSeconds)
  if (!(wait >= 0 && wait <= 30)) throw refusal('InvalidArgument')
  const most = countIn(call)
  const until = desk.now() + 1000 * wait
  for (;;) {
    theQueue(call, desk)
    // What is handed to nobody would be hidden for nothing.
    const found = desk.gone.aborted ? [] : queue.receive(most)
    if (found.length > 0) return { status: 200, content: tell(found.map(message => toldWhole(message))) }
    if (desk.now() >= until || desk.gone.aborted) throw refusal('MessageNotExist')
    await queue.changed(until, desk.gone)
  }
}

function theQueue({ queue = '' }: OperationRequest, { queues }: OperationContext): Queue {
  const found = queues.get(queue)
  if (!found) throw refusal('QueueNotExist')
  return found
}

function countIn({ query }: OperationRequest): number {
  const count = Number(query.get('numOfMessages') ?? 1)
  if (!(count >= 1 && count <= mostInBatch)) throw refusal('InvalidArgument')
  return count
}

function attributesIn(body: string): Partial<Attributes> {
  const ranges: Record<keyof Attributes, [number, number]> = {
    VisibilityTimeout: [1, 43_200],
    MessageRetentionPeriod: [60, 604_800],
    PollingWaitSeconds: [0, 30],
    DelaySeconds: [0, 604_800],
    MaximumMessageSize: [1_024, 65_536],
  }
  return Object.fromEntries(
    Object.entries(ranges).flatMap(([name, [least, most]]) => {
      const given = textOf(body, name)
      if (given === undefined) return []
      const value = Number(given)
      if (!(value >= least && value <= most)) throw refusal('InvalidArgument')
      return [[name, value]]
    }),
  )
}

function sentIn(xml: string) {
  const body = textOf(xml, 'MessageBody')
  if (body === undefined || body === '') throw refusal('MalformedXML')
  const number = (name: string) => {
    const given = textOf(xml, name)
    return given === undefined ? undefined : Number(given)
  }
  return { body, priority: number('Priority'), delay: number('DelaySeconds') }
}

function told({ id, body, priority, enqueued, dequeued, firstDequeued = 0 }: Message): Elements {
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

function toldWhole(message: Message): Elements {
  return { ...told(message), ReceiptHandle: message.receiptHandle, NextVisibleTime: message.visible }
}
