// Carries one job out: tells its story, and writes down how it ends.
import { setTimeout as sleep } from 'node:timers/promises'
import { cancelled, describeError, isSpeechError, type SpeechError } from '../../domain/errors.ts'
import { isOver, type Job } from '../../domain/job.ts'
import type { Meter } from '../../domain/meter.ts'
import type { Store } from '../../domain/ports.ts'
import type { Delivery, Disposition } from '../../domain/queue.ts'
import type { Run } from '../../domain/run.ts'
import type { Transcript } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import { selectPipeline } from '../../pipeline/select-pipeline.ts'
import type { Findings, PipelinePorts } from '../../pipeline/transcribe.ts'
import type { Changes } from '../records/changes.ts'
import { createCheckpoints } from '../records/checkpoints.ts'
import type { Tidying } from '../records/cleanup.ts'
import type { JobChange, Ledger } from '../records/job-repository.ts'
import { ensureUnchanged } from '../submit/submit.ts'
import { failureOf } from '../view/transcript-view.ts'
import { createDraft } from './draft.ts'
import { formatFindings } from './format-result.ts'
import { createFence, type Ending, over } from './leased-job.ts'
import { createScratch } from './scratch.ts'

export interface WorkerOptions {
  name: string
  ledger: Ledger
  store: Store
  changes: Changes
  pipeline: PipelinePorts
  tidying: Tidying
  meter: Meter
  /** Folder under which each order gets a scratch folder. */
  scratchDir: string
}

/** Milliseconds for which a transcript that is not taken is offered again, and between two times. */
const storingTime = 600_000
const storingPause = 1_000

/** A job that is this worker's from now on. */
export interface Claim {
  job: Job
  /** As it was when it waited. */
  before: Job
  /** True where it was ordered long ago, or in another process. */
  resumed: boolean
}

/** A job under way in this process. */
export interface Live {
  /** As it was last written, with the progress of this moment. */
  job(): Job
  /** What there is so far. */
  transcript(): Promise<Transcript>
  /** Takes over what was written of the job meanwhile: a title, names. */
  heed(job: Job): void
  stop(ending: Ending): void
  /** Resolves when nothing of it is left, with what becomes of its ticket. */
  ended: Promise<Disposition>
}

export function carryOut(
  { job: claimed, before, resumed }: Claim,
  options: WorkerOptions,
  hand: Delivery,
): Live {
  const { name, ledger, store, changes, pipeline, tidying, meter, scratchDir } = options
  const { owner, id, tool, order, content, recording } = claimed
  const abort = new AbortController()
  const scratch = createScratch(scratchDir, id, name)
  let ending: Ending | undefined

  function stop(how: Ending): void {
    ending ??= how
    abort.abort(cancelled())
  }
  const facts = () => ({ progress: draft.progress() })
  const fence = createFence(claimed, { name, ledger, store, facts, ending: () => ending, stop, ...hand })
  const draft = createDraft(fence, { ledger, changes })
  const run: Run = {
    job: id,
    owner,
    signal: abort.signal,
    scratch: scratch.folder,
    continuesElsewhere: () => ending === 'given back' || ending === 'taken over',
    checkpoints: createCheckpoints(store, owner, id),
    warn: draft.warn,
    progress: draft.moved,
  }

  async function perform(): Promise<void> {
    const started = performance.now()
    const waited = before.state === 'queued' ? Date.now() - Date.parse(before.updatedAt) : 0
    const attempt = claimed.tries?.count ?? 1
    meter.jobStarted({ tool, attempt, waitedSeconds: Math.max(0, waited) / 1000 })
    try {
      if (resumed) await ensureUnchanged(claimed, pipeline, run)
      const story = selectPipeline(tool, order, pipeline)
      const wish = {
        ...order,
        ...(content !== undefined && { hash: content }),
        ...(recording !== undefined && { recording }),
      }
      const findings = await story(wish, pipeline, run, draft.found)
      await formatFindings(findings, { fence, draft, ledger, pipeline, run })
      await finish(findings.status as 'completed' | 'partial', findings)
      const took = Math.round(performance.now() - started)
      log.info('transcribed', { id, tool, seconds: findings.duration, took })
    } catch (error) {
      if (ending === 'given back') await giveBack({ tries: undefined })
      // Nobody could read it otherwise; what was heard is kept, and whoever is next begins from there.
      else if (isUnstored(error)) await giveBack({})
      else if (ending !== 'taken over' && ending !== 'removed')
        await fail(ending === 'cancelled' ? cancelled(error) : error)
    }
    // Whoever removes it elsewhere could not know what was being written here.
    if (ending === 'removed' && !(await ledger.job(owner, id))) await ledger.remove(owner, id)
    const isLast = ending === 'removed' || isOver(fence.job().state)
    if (isLast && recording !== undefined) await tidying.takeRecordingAway(claimed, recording)
  }

  async function finish(status: 'completed' | 'partial', findings: Findings): Promise<void> {
    await draft.quiet()
    await fence.look()
    // Meanwhile the lease is renewed where that can be written: what is paid for must not be asked for again elsewhere.
    await storing(() => draft.save(status, findings))
    await fence.quiet()
    if (await fence.write(over(status))) await draft.rename()
    else if (ending === 'cancelled') await draft.save('cancelled', findings, describeError(cancelled()))
  }

  /** Tries again for a while what a store does not take that machines share: it is all there is of it. */
  async function storing(save: () => Promise<void>): Promise<void> {
    for (const end = performance.now() + storingTime; ; ) {
      try {
        return await save()
      } catch (error) {
        const isOver = abort.signal.aborted || performance.now() > end
        if (isOver || !isUnstored(error) || !(error as SpeechError).retryable) throw error
        await sleep(storingPause, undefined, { signal: abort.signal }).catch(() => {})
      }
    }
  }

  async function giveBack(more: JobChange): Promise<void> {
    await quiet()
    const findings = draft.findings()
    if (findings) await draft.save('running', findings).catch(complain)
    await fence.write(() => ({ ...facts(), ...more, state: 'queued', lease: undefined }))
  }

  async function fail(error: unknown): Promise<void> {
    await quiet()
    if (!isSpeechError(error)) complain(error)
    const state = ending === 'cancelled' ? 'cancelled' : 'failed'
    const findings = draft.findings()
    if (findings && findings.coverage.transcribedSeconds > 0)
      await draft.save(state, findings, describeError(error))
    else await draft.dropFragment(state)
    // One that was cancelled is over already.
    if (state === 'failed') await fence.write(now => ({ ...over(state)(now), error: failureOf(error) }))
  }

  /** From here on nothing is written but the end, with the names that were given last. */
  async function quiet(): Promise<void> {
    await draft.quiet()
    await fence.quiet()
  }

  function complain(error: unknown): void {
    log.error('job-failed', { id, error: (error as Error)?.name ?? typeof error })
  }

  const ended = perform()
    .catch(complain)
    .then(async () => {
      await draft.quiet()
      await fence.release()
      await scratch.remove()
      changes.tell({ owner, id, listChanged: true })
      count()
      return verdict()
    })

  function count(): void {
    const { state } = fence.job()
    const { usage, duration = 0 } = (isOver(state) && draft.findings()) || {}
    const costs = { audioSeconds: duration, usd: usage?.costUsd ?? 0 }
    meter.jobEnded({ tool, state: isOver(state) ? state : 'queued', ...costs })
  }

  /** By what was last written or read: a job that the store did not take to its end is begun again. */
  function verdict(): Disposition {
    if (ending === 'removed' || isOver(fence.job().state)) return 'ack'
    return ending === 'given back' ? 'release' : 'delay'
  }

  return {
    job: () => ({ ...fence.job(), progress: draft.progress() }),
    transcript: draft.transcript,
    heed: fence.heed,
    stop,
    ended,
  }
}

/** True for what only a store throws that machines share: one of this machine's own is made up for by what is kept at hand. */
function isUnstored(error: unknown): boolean {
  return isSpeechError(error) && error.code.startsWith('STORE_')
}
