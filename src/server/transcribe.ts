// Runs a transcription for a tool: waits as long as the call does, and reports the call's cost.
import type { JobTool, TranscriptionRequest } from '../domain/job.ts'
import type { Transcript } from '../domain/transcript.ts'
import { withCachedFormatting, withCachedTranscription } from './results/cost.ts'
import type { FormatSettings } from './results/formatting.ts'
import type { ToolCall } from './tool.ts'

/** Arguments of the tools that take a recording. */
interface RecordingArguments extends Omit<TranscriptionRequest, 'format'> {
  format?: boolean
  wait_seconds?: number
  allow_unsaved?: boolean
}

export interface TranscriptionAnswer {
  tool: JobTool
  transcript: Transcript
  /** Set where the time was up while the text was being formatted: the settings to continue with. */
  formatting?: FormatSettings
}

/** Throws the error of a failed job. */
export async function transcribeForTool(
  tool: JobTool,
  { format, wait_seconds: _, allow_unsaved: allowUnsaved, ...given }: RecordingArguments,
  { jobs, owner, signal, disconnectReason, progress, wait }: ToolCall,
): Promise<TranscriptionAnswer> {
  const request: TranscriptionRequest = { ...given, ...(format && { format: 'faithful' }) }
  const watch = { ...wait, disconnectReason, onProgress: progress }
  const caller = { tool, owner, signal, allowUnsaved }
  const { cached, formatting, ...result } = await jobs.transcribe(request, caller, watch)
  const withCost = cached ? withCachedTranscription(result.transcript) : result.transcript
  const transcript = formatting === 'cached' ? withCachedFormatting(withCost) : withCost
  const style = transcript.formatted?.style ?? request.format
  return { tool, transcript, formatting: formatting === 'running' && style ? { style } : undefined }
}
