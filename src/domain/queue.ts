// Contract of the queue: how workers learn which job to run.

/**
 * Where a message waits: `short` for a job of a moment, which must not wait behind hours of audio (`long`); `remote` for
 * a job that waits for the provider itself.
 */
export type Lane = 'short' | 'long' | 'remote'

/** A message carries only the id of a job; the store is the source of truth. */
export interface JobMessage {
  id: string
  owner: string
  lane: Lane
}

/** One delivery of a message to a worker. */
export interface Delivery {
  /** Keeps the message from other workers for a while more; called with each renewal of the job's lease. Never rejects. */
  extend(): Promise<void>
}

/**
 * How a worker ends a delivery: `ack` deletes the message, `delay` redelivers it after a while because another worker may
 * hold the job, and `release` makes it available at once.
 */
export type Disposition = 'ack' | 'delay' | 'release'

/** A message may be delivered twice; a worker then finds in the store that the job is held or over. */
export interface Queue {
  /** True where processes on other machines receive its messages; the number of waiting messages is then unknown. */
  readonly shared: boolean
  /** Throws `QUEUE_*` where it is shared; a message that was sent nonetheless does no harm. */
  send(message: JobMessage): Promise<void>
  /** Calls `work` for each message, a few at once. `work` never rejects. */
  serve(work: (message: JobMessage, delivery: Delivery) => Promise<Disposition>): void
  /** Number of messages of its lane that wait before this one; undefined when it does not wait here. */
  ahead(id: string): number | undefined
  /** Number of messages of an owner that wait here. */
  waiting(owner: string): number
  /** Delivers no more messages; resolves when the running deliveries have ended. */
  close(): Promise<void>
}
