// Receives messages of both queues by long polling and handles a limited number at once.
import { setTimeout as sleep } from 'node:timers/promises'
import { isSpeechError } from '../../../domain/errors.ts'
import { log } from '../../../log.ts'
import type { MnsClient, ReceivedMessage } from './client.ts'

export interface Receiver {
  /** Start of the current outage (milliseconds since 1970); undefined while the service responds. */
  unreachableSince(): number | undefined
  /** Resolves when every received message has been handled. */
  close(): Promise<void>
}

export interface ReceiverOptions {
  client: MnsClient
  queues: string[]
  /** How many messages are handled at once. */
  concurrency: number
  /** Long-polling time of a request. */
  pollSeconds: number
  handle(queue: string, message: ReceivedMessage): Promise<void>
}

/** Long-polling time with a single slot: the queues are polled in turn, and the other must not wait long. */
const maxTurnSeconds = 2
const firstPauseSeconds = 0.5
const maxPauseSeconds = 15

type Outcome = 'message' | 'none' | 'failed'

/**
 * Reserves a slot before each request. No queue may take all slots, so that long recordings never block voice notes, nor
 * the reverse.
 */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { client, queues, concurrency, pollSeconds, handle } = options
  const closing = new AbortController()
  const { signal } = closing
  const used = new Map(queues.map(queue => [queue, 0]))
  const waiting: (() => void)[] = []
  const inProgress = new Set<Promise<void>>()
  const maxPerQueue = Math.max(1, concurrency - 1)
  let outageStart: number | undefined

  const totalUsed = () => [...used.values()].reduce((sum, count) => sum + count, 0)
  const hasSlot = (queue: string) => totalUsed() < concurrency && used.get(queue)! < maxPerQueue

  async function reserve(queue: string): Promise<void> {
    while (!hasSlot(queue) && !signal.aborted) await new Promise<void>(resolve => waiting.push(resolve))
    used.set(queue, used.get(queue)! + 1)
  }

  function release(queue: string): void {
    used.set(queue, used.get(queue)! - 1)
    for (const resume of waiting.splice(0)) resume()
  }

  /** Makes one request as soon as there is a slot for its message. */
  async function poll(queue: string, seconds: number): Promise<Outcome> {
    await reserve(queue)
    if (signal.aborted) return 'none'
    try {
      const message = await client.receive(queue, seconds)
      if (outageStart !== undefined) log.info('queue-answers')
      outageStart = undefined
      if (!message) release(queue)
      else start(queue, message)
      return message ? 'message' : 'none'
    } catch (error) {
      release(queue)
      if (signal.aborted) return 'none'
      if (outageStart === undefined)
        log.warn('queue-silent', { code: isSpeechError(error) ? error.code : 'INTERNAL' })
      outageStart ??= Date.now()
      return 'failed'
    }
  }

  function start(queue: string, message: ReceivedMessage): void {
    const handling: Promise<void> = handle(queue, message).finally(() => {
      inProgress.delete(handling)
      release(queue)
    })
    inProgress.add(handling)
  }

  /** Polls until closed, less often while it fails. */
  async function loop(pollOnce: () => Promise<Outcome>): Promise<void> {
    for (let pause = firstPauseSeconds; !signal.aborted; ) {
      if ((await pollOnce()) !== 'failed') pause = firstPauseSeconds
      else {
        await sleep(1000 * pause * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {})
        pause = Math.min(2 * pause, maxPauseSeconds)
      }
    }
  }

  let turn = 0
  /** Waits at one queue only if both are empty. */
  async function pollInTurn(): Promise<Outcome> {
    for (const queue of queues) {
      const outcome = await poll(queue, 0)
      if (outcome !== 'none') return outcome
    }
    return poll(queues[turn++ % queues.length]!, Math.min(pollSeconds, maxTurnSeconds))
  }

  const loops =
    concurrency > 1 ? queues.map(queue => loop(() => poll(queue, pollSeconds))) : [loop(pollInTurn)]

  return {
    unreachableSince: () => outageStart,
    async close() {
      closing.abort()
      for (const resume of waiting.splice(0)) resume()
      // A message delivered at this moment reappears after its visibility timeout.
      client.abort()
      await Promise.all(loops)
      while (inProgress.size > 0) await Promise.allSettled(inProgress)
    },
  }
}
