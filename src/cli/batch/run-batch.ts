// Runs a planned batch: some recordings at once, each written as soon as it ends, until an error that all would meet.
import type { App } from '../../app.ts'
import type { BatchPlan, PlannedRecording } from '../../domain/batch/batch.ts'
import { runOneFirst } from '../../domain/batch/one-first.ts'
import { isCommon, isSpeechError, SpeechError } from '../../domain/errors.ts'
import { type JobTool, localOwner, type TranscriptionRequest } from '../../domain/job.ts'
import type { Transcript } from '../../domain/transcript.ts'
import { allWarnings } from '../../formats/shown-segments.ts'
import { isUnformatted } from '../io/messages.ts'
import { shownPath } from './output-names.ts'
import type { RecordingResult, Report } from './report.ts'

type Jobs = App['jobs']
type HeldAllowance = Awaited<ReturnType<Jobs['limitCost']>>
type TranscriptionResult = Awaited<ReturnType<Jobs['transcribe']>>

/** The queue runs eight short ones at once, fewer long ones; the next ones are ready. */
const concurrency = 10

export interface BatchWork {
  tool: JobTool
  options: Omit<TranscriptionRequest, 'audio' | 'title'>
  /** Writes the outputs of a recording or a copy; resolves with their paths and with notes. */
  write(
    transcript: Transcript,
    recording: { audio: string; name: string },
  ): Promise<{ files: string[]; notes: string[]; isWithinRules: boolean }>
  report: Report
  /** Limits what they cost together. Absent: each costs up to the limit of the settings. */
  allowance?: HeldAllowance | undefined
  /** True where it limits those of known length alone: the others were agreed to on top. */
  hasOthersOnTop?: boolean
  /** Called as the work goes on: a share from 0 to 1. */
  onProgress(progress: { done: number; total: number; message: string }): void
  /** Aborted by Ctrl-C. Work under way is not cancelled: requests that are paid for end first. */
  signal: AbortSignal
}

interface Finished {
  transcript: Transcript
  /** True where the plan has it as done. */
  isFree: boolean
  costUsd: number | undefined
  outcome: 'done' | 'done before' | 'copy'
}

export interface BatchEnd {
  exitCode: number
  /** The error that has stopped the batch. */
  stop?: SpeechError | undefined
}

/** After an error that the others would meet as well, those under way end, and no other begins. */
export async function runBatch({ jobs }: App, plan: BatchPlan, work: BatchWork): Promise<BatchEnd> {
  const { tool, options, signal, report, allowance, hasOthersOnTop = false } = work
  const copies = new Map<string, BatchPlan['copies']>()
  for (const copy of plan.copies) copies.set(copy.id, [...(copies.get(copy.id) ?? []), copy])
  const progress = createProgress(plan, work)
  const codes = new Set<number>()
  let stop: SpeechError | undefined
  const stoppedBy = () => stop?.code

  for (const { given, error } of plan.unreadable) {
    codes.add(1)
    const { code, message, hint } = error
    report.result({
      ...noResult({ audio: given, name: shownPath(given) }, 'failed'),
      error: new SpeechError(code, message, { hint }),
    })
  }

  async function run(recording: PlannedRecording, onAnswered: () => void): Promise<void> {
    const all = [recording, ...(copies.get(recording.id) ?? [])]
    if (stoppedBy() || signal.aborted) return wait(all)
    try {
      const result = await jobs.transcribe(requestOf(recording), callerOf(recording), {
        disconnectReason: () => 'detached',
        onProgress(update) {
          if (update.isAnswered) onAnswered()
          progress.running(recording, update.done)
        },
      })
      // The process is about to end.
      if (result.transcript.status === 'running') return wait(all)
      if (result.transcript.usage.audioSeconds > 0) onAnswered()
      const facts = { transcript: result.transcript, isFree: recording.state === 'done' }
      const costUsd = paidFor(result)
      await finish(recording, { ...facts, costUsd, outcome: result.cached ? 'done before' : 'done' })
      for (const copy of all.slice(1)) await finish(copy, { ...facts, costUsd: 0, outcome: 'copy' })
    } catch (error) {
      if (signal.aborted) return wait(all)
      const failure = speechError(error)
      if (stoppedBy() === failure.code) return wait(all)
      if (isCommon(failure.code)) stop = failure
      codes.add(1)
      for (const one of all) report.result({ ...noResult(one, 'failed'), error: failure })
    } finally {
      progress.ended(recording)
    }
  }

  /** The plan calls those that are done free: their text is not formatted now. */
  function requestOf({ audio, state }: PlannedRecording): TranscriptionRequest {
    const { format, ...rest } = options
    return { audio, ...rest, ...(format && state !== 'done' && { format }) }
  }

  function callerOf(recording: PlannedRecording) {
    const batch = isLimited(recording) ? allowance?.batchOf(recording) : undefined
    return { owner: localOwner, tool, signal, plannedId: recording.id, ...(batch && { batch }) }
  }

  function isLimited({ seconds }: PlannedRecording): boolean {
    return !hasOthersOnTop || seconds !== undefined
  }

  function wait(all: { audio: string; name: string }[]): void {
    codes.add(1)
    for (const one of all) report.result(noResult(one, 'waiting'))
  }

  async function finish(
    one: { audio: string; name: string },
    { transcript, isFree, costUsd, outcome }: Finished,
  ): Promise<void> {
    const { files, notes, isWithinRules } = await work.write(transcript, one)
    const isUnready = lacksFormat(transcript, options)
    const isPartial = transcript.status !== 'completed' || (isUnready && !isFree)
    const advice =
      isUnready && isFree && outcome !== 'copy'
        ? [`The text is as it was: \`speech-mcp format ${transcript.id}\` formats it, which costs money.`]
        : []
    if (isPartial || !isWithinRules) codes.add(3)
    const gaps = transcript.coverage.gaps.map(
      ({ start, end, reason }) => `No text from ${start} s to ${end} s: ${reason}`,
    )
    report.result({
      ...noResult(one, isPartial ? 'partial' : outcome),
      transcriptId: transcript.id,
      files,
      seconds: transcript.duration,
      speakers: transcript.speakers?.map(({ id, name }) => name ?? id),
      costUsd,
      warnings: [...(outcome === 'done' ? allWarnings(transcript) : []), ...gaps, ...advice, ...notes],
    })
  }

  await runOneFirst(plan.recordings, concurrency, run)
  if (stoppedBy()) report.note('The batch was stopped, as the others would fail in the same way.')
  return { exitCode: signal.aborted ? 130 : codes.has(1) ? 1 : codes.has(3) ? 3 : 0, stop }
}

function lacksFormat(transcript: Transcript, { format }: BatchWork['options']): boolean {
  return format !== undefined && isUnformatted(transcript, transcript.formatted?.style ?? format)
}

/** US dollars; absent where the price is unknown. */
function paidFor({ transcript, cached, formatting }: TranscriptionResult): number | undefined {
  const { usage, formatted } = transcript
  const text = formatting === 'cached' ? 0 : (formatted?.usage.costUsd ?? 0)
  if (cached) return text
  return usage.costUsd === undefined ? undefined : usage.costUsd + text
}

export function noResult(
  { audio, name }: { audio: string; name: string },
  outcome: RecordingResult['outcome'],
): RecordingResult {
  return { audio, name, outcome, files: [], warnings: [] }
}

function speechError(error: unknown): SpeechError {
  if (isSpeechError(error)) return error
  return new SpeechError('INTERNAL', 'The program failed unexpectedly.', {
    hint: 'Run the command again, and report the error if it happens again.',
    cause: error,
  })
}

/** Seconds of all recordings to do, where all lengths are known; else their number. */
function createProgress({ recordings, unknownLengths }: BatchPlan, { onProgress }: BatchWork) {
  const toDo = recordings.filter(({ state }) => state !== 'done')
  const weight = ({ seconds = 1 }: PlannedRecording) => (unknownLengths > 0 ? 1 : Math.max(1, seconds))
  const total = toDo.reduce((sum, recording) => sum + weight(recording), 0)
  const shares = new Map<PlannedRecording, number>()
  let ended = 0
  let last = 0
  const show = (isLast: boolean) => {
    if (!isLast && performance.now() - last < 100) return
    last = performance.now()
    const done = [...shares.values()].reduce((sum, share) => sum + share, 0)
    onProgress({ done, total, message: `${ended} of ${recordings.length}` })
  }
  return {
    running(recording: PlannedRecording, seconds: number) {
      if (recording.state === 'done') return
      const share = Math.min(1, seconds / (recording.seconds ?? Number.POSITIVE_INFINITY))
      shares.set(recording, share * weight(recording))
      show(false)
    },
    ended(recording: PlannedRecording) {
      ended++
      if (recording.state !== 'done') shares.set(recording, weight(recording))
      show(true)
    },
  }
}
