// Queue shared by several machines: Alibaba Cloud MNS (now called Simple Message Queue).
import { isSpeechError } from '../../../domain/errors.ts'
import type { Delivery, Disposition, Lane, Queue } from '../../../domain/queue.ts'
import { log } from '../../../log.ts'
import { createMnsClient, type MnsClient, type MnsOptions, type ReceivedMessage } from './client.ts'
import { receiveDelivery } from './delivery.ts'
import { createReceiver, type Receiver } from './receiver.ts'

export interface MnsQueue extends Queue {
  /** Creates missing queues; resolves with a sentence for each queue. Throws `QUEUE_*` with the missing permissions. */
  setUp(signal: AbortSignal): Promise<string[]>
  /** Start of the current outage (milliseconds since 1970); undefined while the service responds. */
  unreachableSince(): number | undefined
}

/** Short jobs have a queue of their own, so that voice notes do not wait behind hours of audio. */
export function queueName(lane: Lane, queue: string): string {
  return lane === 'short' ? `${queue}-brief` : queue
}

/** A message that is not extended is redelivered after this time, so a crashed worker is noticed about then. */
const defaultVisibilitySeconds = 30
const defaultPollSeconds = 20
/** Maximum of the service. Nothing waits for older jobs. */
const retentionSeconds = 7 * 24 * 3600
const version = 1
/** A message about an unknown job is deleted after this many deliveries. */
const maxUnknownDeliveries = 5

/** Cheap: loads the client library on first use. */
export function mnsQueue(options: MnsOptions): MnsQueue {
  const { queue, concurrency, ownersOf } = options
  const { visibilitySeconds = defaultVisibilitySeconds, pollSeconds = defaultPollSeconds } = options
  const client = createMnsClient(options)
  const names = [queueName('long', queue), queueName('short', queue)]
  let receiver: Receiver | undefined
  let closed = false

  /** Runs the job of every owner, usually one. Leaves unknown messages to other versions for a while. */
  async function process(message: ReceivedMessage, lane: Lane, work: Work, delivery: Delivery) {
    const ifUnknown = message.deliveries >= maxUnknownDeliveries ? 'ack' : 'delay'
    const id = jobIdIn(message.body)
    if (id === undefined) {
      log.warn('message-not-understood', { message: message.id })
      return ifUnknown
    }
    const owners = await ownersOf(id)
    if (owners.length === 0) return ifUnknown
    let disposition: Disposition = 'ack'
    for (const owner of owners) disposition = earlier(disposition, await work({ id, owner, lane }, delivery))
    return disposition
  }

  async function handle(name: string, message: ReceivedMessage, work: Work): Promise<void> {
    const lane: Lane = name === names[1] ? 'short' : 'long'
    const delivery = receiveDelivery(client, name, message, visibilitySeconds)
    const disposition = await process(message, lane, work, delivery).catch((error): Disposition => {
      log.warn('message-not-handled', { code: isSpeechError(error) ? error.code : 'INTERNAL' })
      return 'delay'
    })
    await delivery.end(disposition)
  }

  return {
    shared: true,
    async send({ id, lane }) {
      const body = Buffer.from(JSON.stringify({ v: version, job: id })).toString('base64')
      await client.send(queueName(lane, queue), body)
    },
    serve(work) {
      if (closed) return
      receiver = createReceiver({
        client,
        queues: names,
        concurrency,
        pollSeconds,
        handle: (name, message) => handle(name, message, work),
      })
    },
    ahead: () => undefined,
    waiting: () => 0,
    unreachableSince: () => receiver?.unreachableSince(),
    setUp(signal) {
      const attributes = { VisibilityTimeout: visibilitySeconds, MessageRetentionPeriod: retentionSeconds }
      return setUp(client, names, attributes, signal)
    },
    async close() {
      closed = true
      await receiver?.close()
    },
  }
}

type Work = Parameters<Queue['serve']>[0]

/** Tests for existence first, so that a key without permission to create queues accepts existing ones. */
async function setUp(
  client: MnsClient,
  names: string[],
  attributes: Record<string, number>,
  signal: AbortSignal,
): Promise<string[]> {
  const report: string[] = []
  for (const name of names) {
    signal.throwIfAborted()
    const exists = await client.exists(name)
    if (!exists) await client.create(name, attributes)
    report.push(`Queue ${name} ${exists ? 'exists' : 'was created'}.`)
  }
  return report
}

/** Undefined for a message of another version or another sender. */
function jobIdIn(body: string): string | undefined {
  try {
    const { v, job } = JSON.parse(Buffer.from(body, 'base64').toString()) as { v?: unknown; job?: unknown }
    return v === version && typeof job === 'string' ? job : undefined
  } catch {
    return undefined
  }
}

/** The disposition with the earlier redelivery. */
function earlier(one: Disposition, other: Disposition): Disposition {
  if (one === 'release' || other === 'release') return 'release'
  return one === 'delay' ? one : other
}
