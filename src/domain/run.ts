// Run: everything that each step of a running job has access to.
import type { Budget } from './costs/budget.ts'
import type { Progress } from './job.ts'
import type { Checkpoints } from './ports.ts'

export interface Run {
  /** Id of the job. */
  job: string
  owner: string
  signal: AbortSignal
  /**
   * True where the signal ends this run but not the job: another process continues it and needs its uploads and tasks
   * in the cloud.
   */
  continuesElsewhere(): boolean
  /** Folder of this job alone; created on first use, deleted at the end. */
  scratch(): Promise<string>
  progress(update: Progress): void
  /** Says that the job got on: no later attempt begins where those before this one have ended. */
  gotOn(): void
  /** Says that the provider has taken a request of the job. */
  answered(): void
  /** Adds a sentence to the transcript's warnings. */
  warn(sentence: string): void
  /** Results of earlier work, by this job and by other jobs of its owner. */
  checkpoints: Checkpoints
  /** Limits of the job's costs. */
  budget: Budget
}
