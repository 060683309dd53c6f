// How an order that wishes for formatted text is answered, once its job has been watched.
import { describeError, isSpeechError } from '../domain/errors.ts'
import { isOver, type TranscriptionRequest } from '../domain/job.ts'
import type { Transcript } from '../domain/transcript.ts'
import { tooShort } from '../pipeline/formatting/summary.ts'
import type { Jobs, Submission } from './jobs.ts'
import { isShort, toldUnformatted, withFormatWarnings } from './view/formatted.ts'
import type { WatchOptions } from './watch.ts'

export interface Ordered {
  /** With `formatted` where the order wished for it and it could be had; its warnings say why not. */
  transcript: Transcript
  /** True where the time was up while the text was being formatted: it is there for whoever reads later. */
  isFormatting: boolean
  /** True where what is formatted was so before: it has cost this call nothing. */
  wasFormatted: boolean
}

/**
 * Reads the transcript of an order, and has it formatted where its worker has not: it was done before, or ended in the
 * moment in which it was ordered again. `submission` says whether it was answered, and has the job as it was last
 * watched; `watch.seconds` is what is left of the caller's time. Throws `TRANSCRIPT_NOT_FOUND`, or the signal's reason.
 */
export async function readOrdered(
  jobs: Pick<Jobs, 'read' | 'format'>,
  { format: wished }: Pick<TranscriptionRequest, 'format'>,
  { job, answered }: Submission,
  watch: WatchOptions,
): Promise<Ordered> {
  const { owner, signal } = watch
  const transcript = await jobs.read(owner, job.id)
  if (wished === undefined || !isOver(job.state) || transcript.status === 'running')
    return { transcript, isFormatting: false, wasFormatted: answered }
  if (isShort(transcript)) {
    const reasons = transcript.segments.length > 0 ? [tooShort] : []
    return {
      transcript: withFormatWarnings(transcript, reasons),
      isFormatting: false,
      wasFormatted: answered,
    }
  }
  // Whoever wishes to read it does not mean to undo how it was made readable before.
  const style = transcript.formatted?.style ?? wished
  if (!answered && isTried(transcript, style)) return { transcript, isFormatting: false, wasFormatted: false }

  try {
    const { status, answered, warnings } = await jobs.format({ transcriptId: job.id, style }, watch)
    const now = withFormatWarnings(await jobs.read(owner, job.id), warnings)
    return { transcript: now, isFormatting: status === 'running', wasFormatted: answered }
  } catch (error) {
    // The words are there all the same.
    if (signal.aborted || !isSpeechError(error)) throw error
    const told = withFormatWarnings(transcript, [describeError(error)])
    return { transcript: told, isFormatting: false, wasFormatted: true }
  }
}

/** What the job's worker has tried a moment ago is not tried once more. */
function isTried(transcript: Transcript, style: TranscriptionRequest['format']): boolean {
  return transcript.formatted?.style === style || toldUnformatted(transcript).length > 0
}
