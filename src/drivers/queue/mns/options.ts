// Options of the MNS queue.

export interface MnsOptions {
  endpoint: string
  /** Name of the queue for long recordings; the one for voice notes has the suffix `-brief`. */
  queue: string
  key: { accessKeyId: string; accessKeySecret: string; securityToken?: string | undefined }
  /** How many messages are worked on at once. From two on, each lane has one slot of its own. */
  concurrency: number
  /** A message carries only an id: resolves with the owners that have a job with it. */
  ownersOf(id: string): Promise<string[]>
  /** Visibility timeout: without `extend`, a message is redelivered after it. */
  visibilitySeconds?: number | undefined
  /** Long-polling time of a receive request. */
  pollSeconds?: number | undefined
  /** Pause before the second attempt. */
  firstDelaySeconds?: number | undefined
}
