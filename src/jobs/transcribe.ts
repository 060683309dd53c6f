// Transcribes a recording on behalf of a call: submits the request, waits for its job, and reads the result.
import { describeError, isSpeechError, SpeechError } from '../domain/errors.ts'
import { isOver, type Job, type TranscriptionRequest } from '../domain/job.ts'
import type { Style, Transcript } from '../domain/transcript.ts'
import { tooShort } from '../pipeline/formatting/summary.ts'
import type { FormatRequest, FormatResult } from './formatting/formatting.ts'
import type { Preparation } from './submit/prepare.ts'
import type { Caller } from './submit/submit.ts'
import { timeLeft } from './time-left.ts'
import { unformattedWarnings, withFormatWarnings } from './view/format-warnings.ts'
import { isTooShort } from './view/formatted.ts'
import { emptyTranscript } from './view/transcript-view.ts'
import type { WatchOptions } from './watch.ts'

export interface TranscriptionResult {
  /** With `formatted` where the request asks for a format and it is available; otherwise the warnings say why not. */
  transcript: Transcript
  /** True where the transcript was complete before: it costs this call nothing. */
  cached: boolean
  /** `cached`: the text was formatted before, at no cost for this call. `running`: the time was up before it was. */
  formatting?: 'cached' | 'running'
}

/** The part of `Jobs` that this needs. */
interface TranscribingJobs {
  prepare(
    request: TranscriptionRequest,
    caller: Caller,
    watch: Omit<WatchOptions, 'owner' | 'signal'>,
  ): Promise<Preparation>
  watch(id: string, watch: WatchOptions): Promise<Job>
  read(owner: string, id: string): Promise<Transcript>
  format(request: FormatRequest, watch: WatchOptions): Promise<FormatResult>
}

/** Throws what the job failed with, `CANCELLED`, what `submit` throws, or the signal's reason. */
export async function transcribe(
  jobs: TranscribingJobs,
  request: TranscriptionRequest,
  caller: Caller,
  watch: Omit<WatchOptions, 'owner' | 'signal'>,
  isFirst = true,
): Promise<TranscriptionResult> {
  const started = performance.now()
  const options = { ...watch, owner: caller.owner, signal: caller.signal }
  const { job: submitted, cached, started: isNew, isProvisional } = await jobs.prepare(request, caller, watch)
  if (isProvisional) {
    ensureNotFailed(submitted)
    return { transcript: emptyTranscript(submitted), cached }
  }
  const job = await jobs.watch(submitted.id, timeLeft(options, started))
  // A job that was taken over from a dead process looks for its recording where that process found it.
  if (isFirst && isNew === false && job.error?.code === 'FILE_NOT_FOUND')
    return transcribe(jobs, request, caller, timeLeft(watch, started), false)
  ensureNotFailed(job)
  return {
    cached,
    ...(await readResult(jobs, request.format, { job, cached }, timeLeft(options, started))),
  }
}

function ensureNotFailed({ state, error, tool }: Job): void {
  if (state === 'cancelled')
    throw new SpeechError('CANCELLED', 'The transcription was cancelled while it was under way.', {
      hint: `Call ${tool} again to continue; finished parts are not billed again.`,
    })
  if (state === 'failed' && error) throw new SpeechError(error.code, error.message, { hint: error.hint })
}

/** Reads the transcript, and formats it unless the job's worker has: the job may have been complete before this request. */
async function readResult(
  jobs: TranscribingJobs,
  requested: Style | undefined,
  { job, cached }: { job: Job; cached: boolean },
  options: WatchOptions,
): Promise<Pick<TranscriptionResult, 'transcript' | 'formatting'>> {
  const { owner, signal } = options
  const transcript = await jobs.read(owner, job.id)
  const formatting = cached ? 'cached' : undefined
  if (requested === undefined || !isOver(job.state) || transcript.status === 'running')
    return { transcript, formatting }
  if (isTooShort(transcript)) {
    const warnings = transcript.segments.length > 0 ? [tooShort] : []
    return { transcript: withFormatWarnings(transcript, warnings), formatting }
  }
  // A text that was formatted before keeps its style.
  const style = transcript.formatted?.style ?? requested
  if (!cached && wasTried(transcript, style)) return { transcript }

  try {
    const result = await jobs.format({ transcriptId: job.id, style }, options)
    const formatted = withFormatWarnings(await jobs.read(owner, job.id), result.warnings)
    if (result.status === 'running') return { transcript: formatted, formatting: 'running' }
    return { transcript: formatted, formatting: result.cached ? 'cached' : undefined }
  } catch (error) {
    // The words are available all the same.
    if (signal.aborted || !isSpeechError(error)) throw error
    return { transcript: withFormatWarnings(transcript, [describeError(error)]), formatting: 'cached' }
  }
}

/** Formatting that the job's worker has just tried is not repeated. */
function wasTried(transcript: Transcript, style: Style): boolean {
  return transcript.formatted?.style === style || unformattedWarnings(transcript).length > 0
}
