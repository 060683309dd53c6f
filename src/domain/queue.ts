// How workers are told which job to look at.

/**
 * Where a ticket waits: `short` for what is done in a moment and must not wait behind hours of audio (`long`), `remote`
 * for what waits for the provider itself.
 */
export type Lane = 'short' | 'long' | 'remote'

/** What a queue carries: "look at this job". */
export interface JobMessage {
  id: string
  owner: string
  lane: Lane
}

/** What a worker has of a ticket that it was handed. */
export interface Delivery {
  /** Keeps others from being handed it for a while more; called with each renewal of the job's lease. Never rejects. */
  extend(): Promise<void>
}

/**
 * How a worker ends a delivery: `ack` deletes the message, `delay` redelivers it after a while because another worker may
 * hold the job, and `release` makes it available at once.
 */
export type Disposition = 'ack' | 'delay' | 'release'

/** Tells workers which job to look at; the store is the truth. A ticket may come twice, and a worker finds out then. */
export interface Queue {
  /** True where processes on other machines work on its tickets; nobody knows then how many wait. */
  readonly shared: boolean
  /** Throws `QUEUE_*` where it is shared; a ticket that was sent nonetheless does no harm. */
  send(ticket: JobMessage): Promise<void>
  /** Calls `work` for each ticket, a few at once. `work` never rejects. */
  serve(work: (ticket: JobMessage, hand: Delivery) => Promise<Disposition>): void
  /** How many tickets of its lane wait before this one; undefined when it does not wait here. */
  ahead(id: string): number | undefined
  /** How many tickets of an owner wait here. */
  waiting(owner: string): number
  /** Hands out no more tickets; what is in hand stays there until `work` is done with it. */
  close(): Promise<void>
}
