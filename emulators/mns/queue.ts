// One queue: at-least-once delivery with a visibility timeout.
import { createHash, randomUUID } from 'node:crypto'
import { refusal } from './errors.ts'

export interface Message {
  id: string
  body: string
  priority: number
  enqueued: number
  /** When it becomes visible. */
  visible: number
  dequeued: number
  firstDequeued?: number
  receiptHandle?: string
}

/** Numbers are seconds, or bytes. */
export interface Attributes {
  VisibilityTimeout: number
  MessageRetentionPeriod: number
  PollingWaitSeconds: number
  DelaySeconds: number
  MaximumMessageSize: number
}

export interface Sent {
  body: string
  priority?: number | undefined
  delay?: number | undefined
}

export interface Queue {
  attributes: Attributes
  messages(): Message[]
  send(sent: Sent): Message
  /** Delivers up to `count` visible messages; empty if there are none. */
  receive(count: number): Message[]
  peek(count: number): Message[]
  /** Throws `MessageNotExist` for an expired receipt handle. */
  hide(handle: string, seconds: number): Message
  remove(handle: string): void
  /** Resolves when a message is sent or becomes visible, or at the time `until`. */
  changed(until: number, signal: AbortSignal): Promise<void>
  /** Wakes the waiting receivers. */
  notify(): void
}

export const defaultAttributes: Attributes = {
  VisibilityTimeout: 30,
  MessageRetentionPeriod: 345_600,
  PollingWaitSeconds: 0,
  DelaySeconds: 0,
  MaximumMessageSize: 65_536,
}

export function createQueue(attributes: Attributes, now: () => number): Queue {
  let messages: Message[] = []
  const waiting = new Set<() => void>()

  /** Removes messages after their retention period. */
  function retained(): Message[] {
    const oldest = now() - 1000 * attributes.MessageRetentionPeriod
    messages = messages.filter(({ enqueued }) => enqueued > oldest)
    return messages
  }

  function visible(count: number): Message[] {
    return retained()
      .filter(message => message.visible <= now())
      .sort((a, b) => a.priority - b.priority || a.visible - b.visible || a.enqueued - b.enqueued)
      .slice(0, count)
  }

  /** A receipt handle is valid until its message becomes visible again. */
  function findByHandle(handle: string): Message {
    if (!/^[\w-]+$/.test(handle)) throw refusal('ReceiptHandleError')
    const found = retained().find(message => message.receiptHandle === handle)
    if (!found || found.visible <= now()) throw refusal('MessageNotExist')
    return found
  }

  function withNewHandle(message: Message): Message {
    message.receiptHandle = `${message.priority}-${randomUUID()}`
    return { ...message }
  }

  const notify = () => {
    for (const wake of waiting) wake()
  }

  return {
    attributes,
    messages: retained,
    send({ body, priority = 8, delay = attributes.DelaySeconds }) {
      if (Buffer.byteLength(body) > attributes.MaximumMessageSize) throw refusal('MessageBodyTooLarge')
      if (!(priority >= 1 && priority <= 16) || !(delay >= 0 && delay <= 604_800))
        throw refusal('InvalidArgument')
      const at = now()
      const message = { id: idOf(), body, priority, enqueued: at, visible: at + 1000 * delay, dequeued: 0 }
      messages.push(message)
      notify()
      return message
    },
    receive: count =>
      visible(count).map(message => {
        message.visible = now() + 1000 * attributes.VisibilityTimeout
        message.dequeued++
        message.firstDequeued ??= now()
        return withNewHandle(message)
      }),
    peek: count => visible(count).map(message => ({ ...message })),
    hide(handle, seconds) {
      if (!(seconds >= 1 && seconds <= 43_200)) throw refusal('InvalidArgument')
      const message = findByHandle(handle)
      message.visible = now() + 1000 * seconds
      const changed = withNewHandle(message)
      notify()
      return changed
    },
    remove(handle) {
      const removed = findByHandle(handle)
      messages = messages.filter(message => message !== removed)
    },
    changed: (until, signal) =>
      new Promise(resolve => {
        // A message may have become visible since the receiver looked, so times in the past count, too.
        const next = Math.min(until, ...retained().map(message => message.visible))
        const done = () => {
          clearTimeout(timer)
          waiting.delete(done)
          signal.removeEventListener('abort', done)
          resolve()
        }
        const timer = setTimeout(done, Math.max(1, next - now()))
        waiting.add(done)
        signal.addEventListener('abort', done)
        if (signal.aborted) done()
      }),
    notify,
  }
}

function idOf(): string {
  return randomUUID().replaceAll('-', '').toUpperCase()
}

export function digestOf(body: string): string {
  return createHash('md5').update(body).digest('hex').toUpperCase()
}
