// Runs one job: calls its pipeline, and writes how it ends.
import { setTimeout as sleep } from 'node:timers/promises'
import { cancelled, codeOf, describeError, isSpeechError, type SpeechError } from '../../domain/errors.ts'
import { isOver, type Job } from '../../domain/job.ts'
import type { Delivery, Disposition } from '../../domain/queue.ts'
import type { Run } from '../../domain/run.ts'
import { log } from '../../log.ts'
import type { Findings } from '../../pipeline/pipeline.ts'
import { selectPipeline } from '../../pipeline/select-pipeline.ts'
import type { RunningJob, StopReason, WorkerContext } from '../context.ts'
import { createCheckpoints } from '../records/checkpoints.ts'
import type { JobChange } from '../records/job-repository.ts'
import { endJob, failJob } from '../records/transitions.ts'
import { createDraft } from './draft.ts'
import { ensureUnchanged } from './ensure-unchanged.ts'
import { formatResult } from './format-result.ts'
import { createLeasedJob } from './leased-job.ts'
import { createScratch } from './scratch.ts'

/** A shared store that does not take a transcript is tried again for this long, with this pause. */
const maxSaveMs = 600_000
const savePauseMs = 1_000

/** A job that this worker has just leased. */
export interface Claim {
  job: Job
  /** The job as it was queued. */
  before: Job
  /** True where it was submitted long ago, or in another process. */
  resumed: boolean
}

/** `onGotOn` is called once the job has got further than those of its attempts that have ended with their process. */
export function runJob(
  claim: Claim,
  context: WorkerContext,
  delivery: Delivery,
  onGotOn = () => {},
): RunningJob {
  const { job: claimed, before, resumed } = claim
  const { workerId, shared, repository, store, changes, pipeline, cleanup, meter, scratchDir } = context
  const { owner, id, tool, request, content, recording } = claimed
  const abort = new AbortController()
  const scratch = createScratch(scratchDir, id, workerId)
  const budget = context.openBudget(owner, id, claimed.batch)
  let stopReason: StopReason | undefined

  function stop(reason: StopReason): void {
    stopReason ??= reason
    abort.abort(cancelled())
  }
  let hasGotOn = false
  const facts = () => ({ progress: draft.progress(), ...(hasGotOn && { attempts: undefined }) })
  const { extend } = delivery
  const leased = createLeasedJob(claimed, context, { facts, stopReason: () => stopReason, stop, extend })
  const draft = createDraft(leased, context)
  const run: Run = {
    job: id,
    owner,
    signal: abort.signal,
    scratch: scratch.folder,
    continuesElsewhere: () => stopReason === 'released' || stopReason === 'taken over',
    checkpoints: createCheckpoints(store, owner, id, gotOn),
    budget,
    warn: draft.warn,
    progress: draft.report,
    gotOn,
    answered: draft.answered,
  }

  function gotOn(): void {
    if (hasGotOn) return
    hasGotOn = true
    onGotOn()
    // The process may die before the next renewal, as those before it have.
    if ((claimed.attempts?.count ?? 1) > 1) void leased.write(facts)
  }

  async function perform(): Promise<void> {
    const started = performance.now()
    const waited = before.state === 'queued' ? Date.now() - Date.parse(before.updatedAt) : 0
    const attempt = claimed.attempts?.count ?? 1
    meter.jobStarted({ tool, attempt, waitedSeconds: Math.max(0, waited) / 1000 })
    try {
      if (resumed) await ensureUnchanged(claimed, pipeline, run)
      const runPipeline = selectPipeline(tool, request, pipeline)
      const given = { ...request, hash: content, recording }
      const findings = await runPipeline(given, pipeline, run, draft.setFindings)
      await formatResult(findings, { leased, draft, repository, pipeline, run })
      await finish(findings.status as 'completed' | 'partial', findings)
      const took = Math.round(performance.now() - started)
      log.info('transcribed', { id, tool, seconds: findings.duration, took })
    } catch (error) {
      if (stopReason === 'released') await giveBack()
      // No other machine could read the result; the next worker starts from the checkpoints.
      else if (shared && isStoreError(error)) await giveBack()
      else if (stopReason !== 'taken over' && stopReason !== 'removed')
        await fail(stopReason === 'cancelled' ? cancelled(error) : error)
    }
    // A process that removes the job elsewhere cannot know what this one was writing.
    if (stopReason === 'removed' && !(await repository.get(owner, id))) await repository.remove(owner, id)
    const isLast = stopReason === 'removed' || isOver(leased.job().state)
    // A resumed job may end before it reaches the tasks that an earlier process has submitted.
    if (isLast && resumed) await cleanup.deleteUploads(owner, id)
    else if (isLast && recording !== undefined) await cleanup.deleteRecording(claimed, recording)
  }

  async function finish(status: 'completed' | 'partial', findings: Findings): Promise<void> {
    await draft.stopSaving()
    await leased.refresh()
    // The lease is renewed meanwhile: another worker must not repeat paid work.
    const unsaved = await saved(() => draft.save(status, findings)).catch(unlessShared)
    await leased.stopRenewing()
    if (unsaved === undefined && (await leased.write(endJob(status)))) return draft.applyNames()
    if (stopReason === 'cancelled') return draft.save('cancelled', findings, describeError(cancelled()))
    if (stopReason === undefined) keepResult(endJob(status), unsaved)
  }

  /** A shared store is tried again for a while: this process has the only copy of the transcript. */
  async function saved(save: () => Promise<void>): Promise<void> {
    for (const end = performance.now() + maxSaveMs; ; ) {
      try {
        return await save()
      } catch (error) {
        const isTimeUp = !shared || abort.signal.aborted || performance.now() > end
        if (isTimeUp || !isStoreError(error) || !(error as SpeechError).retryable) throw error
        await sleep(savePauseMs, undefined, { signal: abort.signal }).catch(() => {})
      }
    }
  }

  /** Returns the error where only this process needs the result. */
  function unlessShared(error: unknown): unknown {
    if (shared) throw error
    return error
  }

  /** Where only this process uses the store, its calls get the result that the store does not take. */
  function keepResult(change: (now: Job) => JobChange, error?: unknown): void {
    if (shared) return
    const now = leased.job()
    const ended = { ...now, ...change(now) } as Job
    repository.keepResult(ended, error === undefined ? undefined : { transcript: draft.saved(), error })
    leased.accept(ended)
  }

  /** This process lives, so the job is not what ends processes. */
  async function giveBack(): Promise<void> {
    await stopWrites()
    const findings = await draft.findings()
    if (findings) await draft.save('running', findings).catch(logFailure)
    await leased.write(() => ({ ...facts(), attempts: undefined, state: 'queued', lease: undefined }))
  }

  async function fail(error: unknown): Promise<void> {
    await stopWrites()
    if (!isSpeechError(error)) logFailure(error)
    const state = stopReason === 'cancelled' ? 'cancelled' : 'failed'
    const findings = await draft.findings()
    const hasText = findings !== undefined && findings.coverage.transcribedSeconds > 0
    const saving = hasText ? draft.save(state, findings, describeError(error)) : draft.discardFragment(state)
    const unsaved = await saving.catch(unlessShared)
    const end = state === 'failed' ? failJob(error) : endJob(state)
    // A cancelled job is over already, or even submitted again, unless the store failed.
    const isEnded = state === 'failed' ? await leased.write(end) : leased.job().state !== 'running'
    if (!isEnded && (stopReason === undefined || stopReason === 'cancelled')) keepResult(end, unsaved)
  }

  /** From here on only the end is written, with the newest names. */
  async function stopWrites(): Promise<void> {
    await draft.stopSaving()
    await leased.stopRenewing()
  }

  function logFailure(error: unknown): void {
    log.error('job-failed', { id, error: (error as Error)?.name ?? typeof error })
  }

  const ended = perform()
    .catch(logFailure)
    .then(async () => {
      await draft.stopSaving()
      await budget.close()
      await leased.release()
      await scratch.remove()
      changes.publish({ owner, id, listChanged: true })
      await count()
      return disposition()
    })

  async function count(): Promise<void> {
    const { state } = leased.job()
    const { usage, duration = 0 } = (isOver(state) && (await draft.findings())) || {}
    const costs = { audioSeconds: duration, usd: usage?.costUsd ?? 0 }
    meter.jobEnded({ tool, state: isOver(state) ? state : 'queued', ...costs })
  }

  /** A job whose end the store did not take is delivered again. */
  function disposition(): Disposition {
    if (stopReason === 'removed' || isOver(leased.job().state)) return 'ack'
    return stopReason === 'released' ? 'release' : 'delay'
  }

  return {
    job: () => ({ ...leased.job(), progress: draft.progress() }),
    transcript: draft.transcript,
    accept: leased.accept,
    stop,
    ended,
  }
}

function isStoreError(error: unknown): boolean {
  return codeOf(error).startsWith('STORE_')
}
