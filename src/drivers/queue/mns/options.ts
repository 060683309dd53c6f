// What the queue in MNS has to be told.

export interface MnsOptions {
  endpoint: string
  /** Name of the queue of long recordings; that of voice notes ends in `-brief`. */
  queue: string
  key: { accessKeyId: string; accessKeySecret: string; securityToken?: string }
  /** How many tickets are worked on at once. Of two or more, the last is kept for the other lane. */
  concurrency: number
  /** A message carries an id alone: who has a job of it. */
  ownersOf(id: string): Promise<string[]>
  /** Seconds that a message stays with whoever was handed it, without `extend`. */
  visibilitySeconds?: number
  /** Seconds that a request waits for a message. */
  pollSeconds?: number
  /** Seconds before a second attempt. */
  firstDelaySeconds?: number
}
