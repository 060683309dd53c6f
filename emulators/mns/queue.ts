// One queue: messages that are handed out at least once, hidden while somebody has them, and shown again in time.
import { createHash, randomUUID } from 'node:crypto'
import { refusal } from './errors.ts'

export interface Message {
  id: string
  body: string
  priority: number
  enqueued: number
  /** From when on it may be handed out. */
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
  /** Up to so many, at once; none where there are none. */
  receive(most: number): Message[]
  peek(most: number): Message[]
  /** Throws `MessageNotExist` for a handle that is no longer good. */
  hide(handle: string, seconds: number): Message
  remove(handle: string): void
  /** Resolves when there may be something to take: when something comes or shows up, or the time (a moment) is reached. */
  changed(until: number, signal: AbortSignal): Promise<void>
  /** Has those who wait look again. */
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

  /** What is too old is gone. */
  function alive(): Message[] {
    const oldest = now() - 1000 * attributes.MessageRetentionPeriod
    messages = messages.filter(({ enqueued }) => enqueued > oldest)
    return messages
  }

  function visible(most: number): Message[] {
    return alive()
      .filter(message => message.visible <= now())
      .sort((a, b) => a.priority - b.priority || a.visible - b.visible || a.enqueued - b.enqueued)
      .slice(0, most)
  }

  /** A handle is good until its message shows up again. */
  function held(handle: string): Message {
    if (!/^[\w-]+$/.test(handle)) throw refusal('ReceiptHandleError')
    const found = alive().find(message => message.receiptHandle === handle)
    if (!found || found.visible <= now()) throw refusal('MessageNotExist')
    return found
  }

  function hand(message: Message): Message {
    message.receiptHandle = `${message.priority}-${randomUUID()}`
    return { ...message }
  }

  const notify = () => {
    for (const look of waiting) look()
  }

  return {
    attributes,
    messages: alive,
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
    receive: most =>
      visible(most).map(message => {
        message.visible = now() + 1000 * attributes.VisibilityTimeout
        message.dequeued++
        message.firstDequeued ??= now()
        return hand(message)
      }),
    peek: most => visible(most).map(message => ({ ...message })),
    hide(handle, seconds) {
      if (!(seconds >= 1 && seconds <= 43_200)) throw refusal('InvalidArgument')
      const message = held(handle)
      message.visible = now() + 1000 * seconds
      const handed = hand(message)
      notify()
      return handed
    },
    remove(handle) {
      const gone = held(handle)
      messages = messages.filter(message => message !== gone)
    },
    changed: (until, signal) =>
      new Promise(resolve => {
        const moments = alive().map(message => message.visible)
        const next = Math.min(until, ...moments.filter(moment => moment > now()))
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
