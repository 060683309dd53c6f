// Waits for messages of both lanes and has them worked on, a few at once.
import { setTimeout as sleep } from 'node:timers/promises'
import { isSpeechError } from '../../../domain/errors.ts'
import { log } from '../../../log.ts'
import type { Line, Received } from './client.ts'

export interface Receiver {
  /** Since when (milliseconds since 1970) the service has not answered; undefined while it does. */
  silentSince(): number | undefined
  /** Resolves when all that was received is worked on. */
  close(): Promise<void>
}

export interface ReceiverOptions {
  line: Line
  /** Names of the queues. */
  queues: string[]
  /** How many messages are worked on at once. */
  places: number
  /** Seconds that a request waits for a message. */
  wait: number
  work(queue: string, message: Received): Promise<void>
}

/** Seconds. With one place the queues are asked in turn, and while one is waited for the other must not wait long. */
const briefWait = 2
const firstPause = 0.5
const longestPause = 15

/**
 * Each request for a message has a place reserved for it. No queue has all places, so that a voice note is not kept
 * waiting by hours of audio, nor these by many voice notes.
 */
export function receive({ line, queues, places, wait, work }: ReceiverOptions): Receiver {
  const closing = new AbortController()
  const { signal } = closing
  const taken = new Map(queues.map(queue => [queue, 0]))
  const waiting: (() => void)[] = []
  const underWay = new Set<Promise<void>>()
  const most = Math.max(1, places - 1)
  let silent: number | undefined

  const total = () => [...taken.values()].reduce((sum, count) => sum + count, 0)
  const hasRoom = (queue: string) => total() < places && taken.get(queue)! < most

  async function reserve(queue: string): Promise<void> {
    while (!hasRoom(queue) && !signal.aborted) await new Promise<void>(resolve => waiting.push(resolve))
    taken.set(queue, taken.get(queue)! + 1)
  }

  function release(queue: string): void {
    taken.set(queue, taken.get(queue)! - 1)
    for (const look of waiting.splice(0)) look()
  }

  type Outcome = 'message' | 'nothing' | 'failed'

  /** One request, when there is a place for what it brings. */
  async function poll(queue: string, seconds: number): Promise<Outcome> {
    await reserve(queue)
    if (signal.aborted) return 'nothing'
    try {
      const message = await line.receive(queue, seconds)
      if (silent !== undefined) log.info('queue-answers')
      silent = undefined
      if (!message) release(queue)
      else begin(queue, message)
      return message ? 'message' : 'nothing'
    } catch (error) {
      release(queue)
      if (signal.aborted) return 'nothing'
      if (silent === undefined)
        log.warn('queue-silent', { code: isSpeechError(error) ? error.code : 'INTERNAL' })
      silent ??= Date.now()
      return 'failed'
    }
  }

  function begin(queue: string, message: Received): void {
    const working: Promise<void> = work(queue, message).finally(() => {
      underWay.delete(working)
      release(queue)
    })
    underWay.add(working)
  }

  /** Asks again and again, and less often while that fails. */
  async function serve(ask: () => Promise<Outcome>): Promise<void> {
    for (let pause = firstPause; !signal.aborted; ) {
      if ((await ask()) !== 'failed') pause = firstPause
      else {
        await sleep(1000 * pause * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {})
        pause = Math.min(2 * pause, longestPause)
      }
    }
  }

  let turn = 0
  /** One queue is waited for only where there is nothing in any. */
  async function askInTurn(): Promise<Outcome> {
    for (const queue of queues) {
      const outcome = await poll(queue, 0)
      if (outcome !== 'nothing') return outcome
    }
    return poll(queues[turn++ % queues.length]!, Math.min(wait, briefWait))
  }

  const loops = places > 1 ? queues.map(queue => serve(() => poll(queue, wait))) : [serve(askInTurn)]

  return {
    silentSince: () => silent,
    async close() {
      closing.abort()
      for (const look of waiting.splice(0)) look()
      // What is handed out at this moment comes to others when its time is over.
      line.cut()
      await Promise.all(loops)
      while (underWay.size > 0) await Promise.allSettled(underWay)
    },
  }
}
