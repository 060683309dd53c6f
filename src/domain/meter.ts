// Events that are counted for metrics.
import type { JobState, JobTool } from './job.ts'

/** Never throws. Its data reveals neither speech nor speakers nor owners. */
export interface Meter {
  /** A worker has started a job; `attempt` is above 1 if an earlier worker died. */
  jobStarted(job: { tool: JobTool; attempt: number; waitedSeconds: number }): void
  /** A job has ended, or was released (`queued`). */
  jobEnded(job: { tool: JobTool; state: JobState; audioSeconds: number; usd: number }): void
  /** A request to a provider has finished; `outcome` is `ok` or an error code. */
  requestFinished(request: { model: string; seconds: number; outcome: string }): void
}

export const noMeter: Meter = { jobStarted() {}, jobEnded() {}, requestFinished() {} }
