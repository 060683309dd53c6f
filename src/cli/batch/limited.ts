// --max-cost for one recording: its price comes first, and the limit holds also where its length is unknown.
import { type Job, type JobTool, localOwner, type TranscriptionRequest } from '../../domain/job.ts'
import type { Session } from '../io/interactive.ts'
import { agree } from './agree.ts'

export interface LimitedRecording {
  tool: JobTool
  request: TranscriptionRequest
  maxCostUsd: number
}

/** Calls `work` with the terms of the recording. Throws `COST_TOO_HIGH`, `PRICE_UNKNOWN`, `DAY_LIMIT_REACHED`. */
export async function withinLimit<Result>(
  { tool, request, maxCostUsd }: LimitedRecording,
  { app, signal, bar }: Session,
  work: (batch: Job['batch']) => Promise<Result>,
): Promise<Result> {
  const { audio, title: _, ...options } = request
  const caller = { tool, owner: localOwner, signal, onProgress: bar.show }
  const plan = await app.jobs.plan({ sources: [audio], options }, caller)
  const [recording] = plan.recordings
  // A recording that cannot be read is reported by the work itself.
  if (!recording) return work(undefined)
  await agree(plan, { yes: true, maxCostUsd, canAsk: false }, signal)
  const allowance = await app.jobs.limitCost(localOwner, plan, maxCostUsd)
  try {
    return await work(allowance.batchOf(recording))
  } finally {
    await allowance.close({ isOver: !signal.aborted })
  }
}
