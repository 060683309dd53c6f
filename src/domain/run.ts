// What every step of one running order has in hand.
import type { Progress } from './job.ts'
import type { Checkpoints } from './ports.ts'

export interface Run {
  /** Id of the job, and whose it is. */
  job: string
  owner: string
  signal: AbortSignal
  /**
   * True where the signal ends the run but not the job: another process goes on with it (given back, or taken over),
   * and needs what lies in the cloud for it.
   */
  continuesElsewhere(): boolean
  /** A folder for this order alone; made on first use, removed at the end. */
  scratch(): Promise<string>
  progress(update: Progress): void
  /** Adds a sentence to the transcript's warnings. */
  warn(sentence: string): void
  /** What earlier work has found, of this order and of others of its owner. */
  checkpoints: Checkpoints
}
