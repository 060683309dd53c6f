// Submits a transcription, waits for it, and reads the result, for the tools that take a recording.
import { SpeechError } from '../domain/errors.ts'
import type { Job, JobTool, TranscriptionRequest } from '../domain/job.ts'
import type { Transcript } from '../domain/transcript.ts'
import { readOrdered } from '../jobs/get-result.ts'
import { withCachedFormatting, withCachedTranscription } from './results/cost.ts'
import type { FormatSettings } from './results/formatting.ts'
import type { ToolCall } from './tool.ts'

export interface CarriedOut {
  transcript: Transcript
  /** Where the time was up while its text was being formatted: with what that is gone on with. */
  formatting?: FormatSettings
}

/** Waits as long as the call does; throws what the job failed with. */
export async function carryOut(
  order: TranscriptionRequest,
  tool: JobTool,
  call: ToolCall,
  wait = call.waitSeconds,
): Promise<CarriedOut> {
  const { jobs, owner, signal, disconnectReason, progress } = call
  const { job: placed, answered } = await jobs.submit(order, { tool, owner, signal })
  const began = performance.now()
  const watch = { owner, signal, disconnectReason, onProgress: progress }
  const job = await jobs.watch(placed.id, { ...watch, seconds: wait })
  ensureGood(job)
  const left = Math.max(0, wait - (performance.now() - began) / 1000)
  const ordered = await readOrdered(jobs, order, { job, answered }, { ...watch, seconds: left })

  const { isFormatting, wasFormatted } = ordered
  const heard = answered ? withCachedTranscription(ordered.transcript) : ordered.transcript
  const transcript = wasFormatted ? withCachedFormatting(heard) : heard
  const style = transcript.formatted?.style ?? order.format
  return { transcript, ...(isFormatting && style && { formatting: { style } }) }
}

function ensureGood({ state, error, tool }: Job): void {
  if (state === 'cancelled')
    throw new SpeechError('CANCELLED', 'The transcription was cancelled while it was running.', {
      hint: `Repeat the ${tool} call to resume it; finished parts are not billed again.`,
    })
  if (state === 'failed' && error) throw new SpeechError(error.code, error.message, { hint: error.hint })
}
