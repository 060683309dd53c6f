// Runs a transcription for a tool: waits as long as the call does, and reports the call's cost.
import type { JobTool, TranscriptionRequest } from '../domain/job.ts'
import type { Transcript } from '../domain/transcript.ts'
import { withCachedFormatting, withCachedTranscription } from './results/cost.ts'
import type { FormatSettings } from './results/formatting.ts'
import type { ToolCall } from './tool.ts'

export interface TranscriptionAnswer {
  transcript: Transcript
  /** Set where the time was up while the text was being formatted: the settings to continue with. */
  formatting?: FormatSettings
}

/** Throws the error of a failed job. */
export async function transcribeForTool(
  request: TranscriptionRequest,
  tool: JobTool,
  { jobs, owner, signal, disconnectReason, progress, waitSeconds }: ToolCall,
  seconds = waitSeconds,
): Promise<TranscriptionAnswer> {
  const { cached, formatting, ...result } = await jobs.transcribe(
    request,
    { tool, owner, signal },
    { seconds, disconnectReason, onProgress: progress },
  )
  const withCost = cached ? withCachedTranscription(result.transcript) : result.transcript
  const transcript = formatting === 'cached' ? withCachedFormatting(withCost) : withCost
  const style = transcript.formatted?.style ?? request.format
  return { transcript, formatting: formatting === 'running' && style ? { style } : undefined }
}
