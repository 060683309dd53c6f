// The queue that machines share: MNS, of Alibaba Cloud, which calls it Simple Message Queue now.
import { isSpeechError } from '../../../domain/errors.ts'
import type { Delivery, Disposition, Lane, Queue } from '../../../domain/queue.ts'
import { log } from '../../../log.ts'
import { createLine, type Line, type Received } from './client.ts'
import { takeInHand } from './delivery.ts'
import type { MnsOptions } from './options.ts'
import { type Receiver, receive } from './receiver.ts'

export interface MnsQueue extends Queue {
  /** Makes the queues that are missing; resolves with a sentence for each. Throws `QUEUE_*`, whose hint names the rights that are missing. */
  setUp(signal: AbortSignal): Promise<string[]>
  /** Since when (milliseconds since 1970) the service has not answered; undefined while it does. */
  unreachableSince(): number | undefined
}

/** What a lane is called in the service: `brief` apart, so that voice notes need not wait behind hours of audio. */
export function queueName(lane: Lane, queue: string): string {
  return lane === 'brief' ? `${queue}-brief` : queue
}

/** Seconds. A message that nobody extends is handed out again after it, so a dead worker is noticed about then. */
const usualVisibility = 30
const usualWait = 20
/** The longest life of a message (limit of the service); jobs that are older nobody waits for. */
const retention = 7 * 24 * 3600
const version = 1
/** A message about a job that the store does not know is given up after so many times. */
const mostStrange = 5

/** Cheap: the client library is loaded on first use. */
export function mnsQueue(options: MnsOptions): MnsQueue {
  const {
    queue,
    concurrency,
    ownersOf,
    visibilitySeconds = usualVisibility,
    pollSeconds = usualWait,
  } = options
  const line = createLine(options)
  const names = [queueName('long', queue), queueName('brief', queue)]
  let receiver: Receiver | undefined
  let closed = false

  /** Whoever has a job of this id: as a rule one. What is not understood is left to whoever does. */
  async function look(message: Received, lane: Lane, work: Work, hand: Delivery): Promise<Disposition> {
    const id = idIn(message.body)
    if (id === undefined) {
      log.warn('message-not-understood', { message: message.id })
      return message.count >= mostStrange ? 'done' : 'later'
    }
    const owners = await ownersOf(id)
    if (owners.length === 0) return message.count >= mostStrange ? 'done' : 'later'
    let verdict: Disposition = 'done'
    for (const owner of owners) verdict = sooner(verdict, await work({ id, owner, lane }, hand))
    return verdict
  }

  async function handle(name: string, message: Received, work: Work): Promise<void> {
    const lane: Lane = name === names[1] ? 'brief' : 'long'
    const hand = takeInHand(line, name, message, visibilitySeconds)
    const verdict = await look(message, lane, work, hand).catch((error): Disposition => {
      log.warn('message-not-looked-at', { code: isSpeechError(error) ? error.code : 'INTERNAL' })
      return 'later'
    })
    await hand.end(verdict)
  }

  return {
    shared: true,
    async send({ id, lane }) {
      const body = Buffer.from(JSON.stringify({ v: version, job: id })).toString('base64')
      await line.send(queueName(lane, queue), body)
    },
    serve(work) {
      if (closed) return
      receiver = receive({
        line,
        queues: names,
        places: concurrency,
        wait: pollSeconds,
        work: (name, message) => handle(name, message, work),
      })
    },
    ahead: () => undefined,
    waiting: () => 0,
    unreachableSince: () => receiver?.silentSince(),
    setUp: signal =>
      setUp(line, names, { VisibilityTimeout: visibilitySeconds, MessageRetentionPeriod: retention }, signal),
    async close() {
      closed = true
      await receiver?.close()
    },
  }
}

type Work = Parameters<Queue['serve']>[0]

/** Looks before it makes anything: whoever may only send and receive finds what an administrator has made. */
async function setUp(
  line: Line,
  names: string[],
  attributes: Record<string, number>,
  signal: AbortSignal,
): Promise<string[]> {
  const told: string[] = []
  for (const name of names) {
    signal.throwIfAborted()
    const isThere = await line.exists(name)
    if (!isThere) await line.create(name, attributes)
    told.push(`Queue ${name} ${isThere ? 'is there' : 'was made'}.`)
  }
  return told
}

/** Undefined for what another version has written, or somebody else. */
function idIn(body: string): string | undefined {
  try {
    const { v, job } = JSON.parse(Buffer.from(body, 'base64').toString()) as { v?: unknown; job?: unknown }
    return v === version && typeof job === 'string' ? job : undefined
  } catch {
    return undefined
  }
}

function sooner(one: Disposition, other: Disposition): Disposition {
  if (one === 'now' || other === 'now') return 'now'
  return one === 'later' ? one : other
}
