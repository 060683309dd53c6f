// Runs a transcription for a tool, or a batch of them: waits as long as the call does, and reports the call's cost.
import { SpeechError } from '../../domain/errors.ts'
import type { JobTool, TranscriptionRequest } from '../../domain/job.ts'
import type { Transcript } from '../../domain/transcript.ts'
import type { PageAddress } from '../http/pages/address.ts'
import type { ChatFile } from '../inputs.ts'
import { withCachedFormatting, withCachedTranscription } from '../results/cost.ts'
import type { FormatSettings } from '../results/formatting.ts'
import { pageFor } from '../results/page.ts'
import type { ToolAnswer, ToolCall } from '../tool.ts'
import { orderBatch } from './order-batch.ts'

/** Arguments of the tools that take a recording. */
interface RecordingArguments extends Omit<TranscriptionRequest, 'format' | 'audio'> {
  audio?: string
  file?: ChatFile
  format?: boolean
  wait_seconds?: number
  allow_unsaved?: boolean
  confirm_usd?: number
}

export interface TranscriptionAnswer {
  tool: JobTool
  transcript: Transcript
  /** Set where the time was up while the text was being formatted: the settings to continue with. */
  formatting?: FormatSettings
  page?: PageAddress | undefined
}

/** Answers with a batch where `audio` names several recordings, else as `answerWith` says. Throws the error of a failed job. */
export async function transcribeForTool(
  tool: JobTool,
  {
    format,
    wait_seconds: _,
    allow_unsaved: allowUnsaved,
    confirm_usd: confirmUsd,
    file,
    ...given
  }: RecordingArguments,
  call: ToolCall,
  answerWith: (answer: TranscriptionAnswer) => ToolAnswer,
): Promise<ToolAnswer> {
  const request: TranscriptionRequest = {
    ...given,
    ...recordingOf(given, file),
    ...(format && { format: 'faithful' }),
  }
  const sources = await call.jobs.sourcesIn(request.audio)
  if (!sources) {
    const answer = await transcribeOne(tool, request, call, allowUnsaved)
    return answerWith({ ...answer, page: await pageFor(answer.transcript, call) })
  }
  const { audio: _audio, title, ...options } = request
  return orderBatch(tool, { sources, options, title }, { ...call, confirmUsd })
}

/** A file of the chat comes from its host: an address like any other, under its own name. */
function recordingOf({ audio = '', title }: RecordingArguments, file: ChatFile) {
  if (!file) return { audio }
  if (!/^https:\/\//i.test(file.download_url))
    throw new SpeechError('BAD_INPUT', 'The download_url of `file` is no https:// URL.', {
      hint: 'Give `audio` instead, or ask the user to upload the recording with request_upload.',
    })
  const name = title ?? file.file_name?.replace(/\.[^.\s]{1,5}$/, '')
  return { audio: file.download_url, ...(name && { title: name }) }
}

async function transcribeOne(
  tool: JobTool,
  request: TranscriptionRequest,
  { jobs, owner, signal, disconnectReason, progress, wait }: ToolCall,
  allowUnsaved: boolean | undefined,
): Promise<TranscriptionAnswer> {
  const watch = { ...wait, disconnectReason, onProgress: progress }
  const caller = { tool, owner, signal, allowUnsaved }
  const { cached, formatting, ...result } = await jobs.transcribe(request, caller, watch)
  const withCost = cached ? withCachedTranscription(result.transcript) : result.transcript
  const transcript = formatting === 'cached' ? withCachedFormatting(withCost) : withCost
  const style = transcript.formatted?.style ?? request.format
  return { tool, transcript, formatting: formatting === 'running' && style ? { style } : undefined }
}
