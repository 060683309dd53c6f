// Runs a batch: submits its recordings a few at a time, as jobs like any other, and writes down what becomes of each.
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type PlannedRecording, type RecordingEnd, shareOf } from '../../domain/batch/batch.ts'
import { runOneFirst } from '../../domain/batch/one-first.ts'
import { cancelled, codeOf, isCommon, isSpeechError, SpeechError } from '../../domain/errors.ts'
import { isOver, type Job, type JobState, type Progress } from '../../domain/job.ts'
import { costOf, type Transcript } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import { identify } from '../../pipeline/source/source.ts'
import type { JobContext } from '../context.ts'
import { renewalMs } from '../records/allowances.ts'
import { createCheckpoints } from '../records/checkpoints.ts'
import { leaseMs, leaseRenewalMs, newLease } from '../records/lease.ts'
import { endJob, toJobError } from '../records/transitions.ts'
import { submit } from '../submit/submit.ts'
import { watch } from '../watch.ts'
import { type BatchEnds, batchRecords, type StoredBatch } from './stored-batch.ts'

/** Jobs of a batch that are queued or run at once: as many as the lanes of a process take. */
const concurrency = 8
const busyPauseMs = 1_000
const maxStoreTries = 5
/** Interval of writing progress and ends: a second, and longer for many, whose list is written as a whole. */
const writeMs = 1_000
const writeMsPerRecording = 2

export type BatchStop = 'cancelled' | 'released'

export interface RunningBatch {
  ends: BatchEnds
  stop(reason: BatchStop): void
  /** Resolves when nothing of the run is left. */
  ended: Promise<void>
}

/** `claimed` is leased by this worker, and `running`. */
export function startBatch(
  claimed: Job,
  stored: StoredBatch,
  ends: BatchEnds,
  context: JobContext,
): RunningBatch {
  const { workerId, store, repository, changes, allowances, pipeline } = context
  const { owner, id, tool, request, terms } = claimed
  const { title: _, audio: __, ...options } = request
  const abort = new AbortController()
  const { signal } = abort
  // Each recording that is waited for adds a listener: many at once are no leak.
  setMaxListeners(0, signal)
  const records = batchRecords(store)
  const allowance = terms?.usd === undefined ? undefined : { owner, id, terms }
  const runningSeconds = new Map<string, number>()
  const submitted = new Set<string>()
  let reason: BatchStop | undefined
  let failure: Job['error']
  let isChanged = true
  let renewAt = 0

  function stop(why: BatchStop): void {
    reason ??= why
    abort.abort(cancelled())
  }

  async function perform(): Promise<void> {
    const pause = writeMs + writeMsPerRecording * stored.recordings.length
    const timer = setInterval(() => void tick(), Math.min(pause, leaseRenewalMs)).unref()
    const allowanceTimer = setInterval(() => void renewAllowance(), renewalMs).unref()
    try {
      await renewAllowance()
      const pending = stored.recordings.filter(one => !ends.has(one.id))
      await runOneFirst(pending, concurrency, run)
    } finally {
      clearInterval(timer)
      clearInterval(allowanceTimer)
      await records.saveEnds(claimed, ends).catch(logFailure)
      await finish().catch(logFailure)
      changes.publish({ owner, id, listChanged: false })
    }
  }

  async function run(recording: PlannedRecording, onAnswered: () => void): Promise<void> {
    if (signal.aborted || failure) return
    try {
      const job = await waitedFor(recording, onAnswered)
      if (!isOver(job.state)) return
      const transcript = await repository.getTranscript(owner, recording.id)
      if (transcript && transcript.usage.audioSeconds > 0) onAnswered()
      end(recording, await endOf(recording, job, transcript))
    } catch (error) {
      if (signal.aborted) return
      if (!isSpeechError(error)) logFailure(error)
      end(recording, { state: 'failed', error: toJobError(error) })
    } finally {
      runningSeconds.delete(recording.id)
    }
  }

  async function waitedFor(recording: PlannedRecording, onAnswered: () => void): Promise<Job> {
    const { id: jobId, audio, content, seconds = 0 } = recording
    const identity = await identify(audio, pipeline, {
      owner,
      signal,
      checkpoints: createCheckpoints(store, owner, ''),
    })
    if (identity.content !== content) throw changedSincePlan()
    const batch = terms && { id, day: terms.day, usd: limitOf(recording) }
    const caller = { tool, owner, signal, allowUnsaved: false, batch, plannedId: jobId }
    const { job, cached, started } = await untilAccepted(() => submit({ ...options, audio }, caller, context))
    const isOwn = started || job.batch?.id === id
    if (isOwn) submitted.add(jobId)
    if (cached) return job
    const onProgress = (progress: Progress) => {
      if (progress.isAnswered) onAnswered()
      runningSeconds.set(jobId, Math.min(progress.done, seconds))
      isChanged = true
    }
    // Stops what no other call waits for.
    const disconnectReason = () => (isOwn && reason === 'cancelled' ? 'cancelled' : 'detached')
    return watch(jobId, { owner, signal, disconnectReason, onProgress }, context)
  }

  function limitOf(recording: PlannedRecording): number | undefined {
    return terms?.usd === undefined ? undefined : shareOf(recording, stored.recordings, terms.usd)
  }

  /** Waits while others of the owner wait, and while the store fails. */
  async function untilAccepted<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++) {
      try {
        return await work()
      } catch (error) {
        const isStore = codeOf(error).startsWith('STORE_') && (error as SpeechError).retryable
        if (codeOf(error) !== 'BUSY' && !(isStore && tries < maxStoreTries)) throw error
        await sleep(busyPauseMs, undefined, { signal })
      }
    }
  }

  function end(recording: PlannedRecording, how: RecordingEnd): void {
    const { error } = how
    isChanged = true
    // The batch reports it once; this one waits for the next order.
    if (error && error.code === failure?.code) return
    ends.set(recording.id, how)
    if (error && isCommon(error.code)) failure ??= error
    changes.progressed(owner, id)
  }

  async function endOf(
    recording: PlannedRecording,
    job: Job,
    transcript: Transcript | undefined,
  ): Promise<RecordingEnd> {
    const { id: jobId, state, seconds, paidUsd = 0 } = recording
    const error = job.error && { error: job.error }
    const how = job.state as RecordingEnd['state']
    if (!transcript) return { state: how, ...(seconds !== undefined && { seconds }), ...error }
    const { duration, speakers, coverage } = transcript
    const stored = options.format && (await repository.getFormat(owner, jobId))
    const costUsd = costOf({ ...transcript, formatted: stored?.formatted })
    // A recording that another order had begun was paid by that.
    const isFree = state === 'done' || job.batch?.id !== id
    return {
      state: how,
      seconds: duration,
      ...(speakers && { speakers: speakers.map(({ id, name }) => name ?? id) }),
      gaps: coverage.gaps.length,
      costUsd: isFree ? 0 : costUsd && Math.max(0, costUsd - paidUsd),
      ...error,
    }
  }

  /** Renews the lease and writes progress; ends the run where another process has cancelled it or taken it over. */
  async function tick(): Promise<void> {
    if (signal.aborted || (!isChanged && performance.now() < renewAt)) return
    const saves = isChanged
    isChanged = false
    renewAt = performance.now() + leaseRenewalMs
    try {
      const progress = progressNow()
      const now = await repository.update(owner, id, job =>
        isHeld(job) ? { lease: newLease(workerId, leaseMs), progress } : undefined,
      )
      if (!isHeld(now)) return stop(now.state === 'cancelled' ? 'cancelled' : 'released')
      if (saves) await records.saveEnds(claimed, ends)
      changes.progressed(owner, id)
    } catch (error) {
      if (codeOf(error) === 'TRANSCRIPT_NOT_FOUND') stop('cancelled')
      else logFailure(error)
    }
  }

  const isHeld = ({ state, lease }: Job) => state === 'running' && lease?.worker === workerId

  function progressNow(): NonNullable<Job['progress']> {
    const { recordings } = stored
    const total = recordings.reduce((sum, { seconds = 0 }) => sum + seconds, 0)
    const ended = recordings.filter(one => ends.has(one.id))
    const done = [...ended.map(({ seconds = 0 }) => seconds), ...runningSeconds.values()]
    const failed = ended.filter(one => ends.get(one.id)?.state === 'failed').length
    const message = `${ended.length} of ${recordings.length} recordings done${failed > 0 ? `, ${failed} of them failed` : ''}`
    return { done: done.reduce((sum, seconds) => sum + seconds, 0), total, message }
  }

  async function renewAllowance(): Promise<void> {
    if (!allowance) return
    await allowances.renew(allowance).catch(logFailure)
  }

  async function finish(): Promise<void> {
    if (reason === 'cancelled') await stopOwn()
    if (reason === 'released') {
      const progress = progressNow()
      const freed = (job: Job) =>
        isHeld(job) ? { state: 'queued' as const, lease: undefined, progress } : undefined
      await repository.update(owner, id, freed)
      return
    }
    const state = stateOf(stored, ends, failure)
    const ended = (job: Job) => (isHeld(job) ? { ...endJob(state)(job), error: failure } : undefined)
    await repository.update(owner, id, ended)
    if (allowance) await allowances.close(allowance)
  }

  /** Stops what this batch has started and no other call waits for; its job is over already. */
  async function stopOwn(): Promise<void> {
    for (const jobId of submitted) if (!ends.has(jobId)) await context.abandon(owner, jobId).catch(logFailure)
  }

  function logFailure(error: unknown): void {
    log.warn('batch-step-failed', { id, code: codeOf(error) })
  }

  return { ends, stop, ended: perform().catch(logFailure) }
}

function stateOf({ recordings, unreadable }: StoredBatch, ends: BatchEnds, failure: Job['error']): JobState {
  const states = recordings.map(({ id }) => ends.get(id)?.state)
  if (states.every(state => state === 'completed') && unreadable.length === 0) return 'completed'
  const hasText = states.some(state => state === 'completed' || state === 'partial')
  return failure && !hasText ? 'failed' : hasText ? 'partial' : 'failed'
}

function changedSincePlan(): SpeechError {
  return new SpeechError('RECORDING_CHANGED', 'The file has changed since the batch was planned.', {
    hint: 'Order it again: the plan has its new length and price.',
  })
}
