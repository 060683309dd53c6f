// The queue that machines share: MNS, of Alibaba Cloud, which calls it Simple Message Queue now.
import type { Lane, Queue } from '../../domain/queue.ts'

export interface MnsOptions {
  endpoint: string
  /** Name of the queue of long recordings; that of voice notes ends in `-brief`. */
  queue: string
  key: { accessKeyId: string; accessKeySecret: string; securityToken?: string }
  /** How many tickets are worked on at once. Of two or more, the last is kept for the other lane. */
  places: number
  /** A message carries an id alone: who has a job of it. */
  ownersOf(id: string): Promise<string[]>
  /** Seconds that a message stays with whoever was handed it, without `extend`. */
  visibility?: number
  /** Seconds that a request waits for a message. */
  wait?: number
  /** Seconds before a second attempt. */
  firstDelay?: number
}

export interface MnsQueue extends Queue {
  /** Makes the queues that are missing; resolves with a sentence for each. Throws `QUEUE_*`, whose hint names the rights that are missing. */
  setUp(signal: AbortSignal): Promise<string[]>
  /** Since when (milliseconds since 1970) the service has not answered; undefined while it does. */
  silentSince(): number | undefined
}

/** What a lane is called in the service: `brief` apart, so that voice notes need not wait behind hours of audio. */
export function queueOf(lane: Lane, queue: string): string {
  return lane === 'brief' ? `${queue}-brief` : queue
}

/** Cheap: the client library is loaded on first use. */
export function mnsQueue(_options: MnsOptions): MnsQueue {
  throw new Error('Not built yet.')
}
