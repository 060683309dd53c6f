// What every step of one running order has in hand.
import type { Progress } from './job.ts'
import type { Checkpoints } from './ports.ts'

export interface Run {
  /** Id of the job, and whose it is. */
  job: string
  owner: string
  signal: AbortSignal
  /** A folder for this order alone; made on first use, removed at the end. */
  scratch(): Promise<string>
  progress(update: Progress): void
  /** Adds a sentence to the transcript's warnings. */
  warn(sentence: string): void
  /** What earlier work has found, of this order and of others of its owner. */
  checkpoints: Checkpoints
}
