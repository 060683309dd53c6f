// What is counted while it happens: whoever runs many workers sees from it how they fare.
import type { JobState, JobTool } from './job.ts'

/** Never throws. Nothing in it tells what was spoken, by whom, or who ordered. */
export interface Meter {
  /** A worker has begun a job; `attempt` is 1 where nobody has died over it. */
  jobStarted(job: { tool: JobTool; attempt: number; waitedSeconds: number }): void
  /** A job has come to its end, or was given back (`queued`). */
  jobEnded(job: { tool: JobTool; state: JobState; audioSeconds: number; usd: number }): void
  /** A request to a provider was answered; `outcome` is `ok` or the code of its error. */
  requestFinished(request: { model: string; seconds: number; outcome: string }): void
}

export const noMeter: Meter = { jobStarted() {}, jobEnded() {}, requestFinished() {} }
