// Carries one job out: runs the pipeline, keeps the lease, and writes down what there is while it runs and at its end.

import { basename, extname } from 'node:path'
import { cancelled, describeError, isSpeechError } from '../domain/errors.ts'
import type { Job, JobState, Order, Progress } from '../domain/job.ts'
import type { Store } from '../domain/ports.ts'
import type { Run } from '../domain/run.ts'
import { oneLine } from '../domain/text.ts'
import type { Transcript, TranscriptStatus } from '../domain/transcript.ts'
import { log } from '../log.ts'
import { type Findings, type PipelinePorts, transcribe } from '../pipeline/transcribe.ts'
import type { Changes } from './changes.ts'
import { createCheckpoints } from './checkpoints.ts'
import { lease, leaseRenewal, leaseTime } from './lease.ts'
import type { JobChange, Ledger } from './ledger.ts'
import { createScratch } from './scratch.ts'

export interface WorkerOptions {
  name: string
  ledger: Ledger
  store: Store
  changes: Changes
  pipeline: PipelinePorts
  /** Folder under which each order gets a scratch folder. */
  scratchDir: string
}

/** Why a job that is under way ends before its end. */
export type Ending = 'cancelled' | 'given back' | 'taken over' | 'removed'

/** A job under way in this process. */
export interface Live {
  /** As it was last written, with the progress of this moment. */
  job(): Job
  /** What there is so far. */
  transcript(): Promise<Transcript>
  stop(ending: Ending): void
  /** Resolves when nothing of it is left. */
  ended: Promise<void>
}

/** Milliseconds from the start to the first write of what there is, and between two of them. */
const savingInterval = 1_000
/** Of hours of text not every chunk is worth writing all of it anew: so much must have come, or so much time be over. */
const savingGrowth = 1.1
const longestUnsaved = 10_000

export function carryOut(claimed: Job, options: WorkerOptions): Live {
  const { name, ledger, store, changes, pipeline, scratchDir } = options
  const { owner, id } = claimed
  const abort = new AbortController()
  const scratch = createScratch(scratchDir, id)
  const warnings = new Set<string>()
  const before = ledger.transcript(owner, id).catch(() => undefined)
  let job = claimed
  let progress: Progress = { done: 0, message: 'Starting' }
  let ending: Ending | undefined
  let found: (() => Findings) | undefined
  let listed = false
  let saved = { done: 0, at: performance.now() }
  let done = false
  let saving: Promise<unknown> = Promise.resolve()
  let notice = store.notice()

  const run: Run = {
    signal: abort.signal,
    scratch: scratch.folder,
    checkpoints: createCheckpoints(store, owner, id),
    warn: sentence => void warnings.add(sentence),
    progress(update) {
      progress = update
      changes.moved(owner, id)
    },
  }

  function stop(how: Ending): void {
    ending ??= how
    abort.abort(cancelled())
  }

  /** Writes the job if it is still ours; where it is not, somebody has cancelled, taken or removed it. */
  async function write(change: (now: Job) => JobChange): Promise<void> {
    let ours = false
    try {
      job = await ledger.update(owner, id, now => {
        ours = now.state === 'running' && now.lease?.worker === name
        return ours ? change(now) : undefined
      })
      if (!ours) stop(job.state === 'cancelled' ? 'cancelled' : 'taken over')
    } catch (error) {
      const isGone = isSpeechError(error) && error.code === 'TRANSCRIPT_NOT_FOUND'
      // In a file that was begun anew, because the old one was damaged, the job is missing though nobody removed it.
      if (isGone && store.notice() !== notice) {
        notice = store.notice()
        await ledger.add(job)
        await write(change)
      } else if (isGone) stop('removed')
      // A store that fails for a while is no reason to stop paid work.
      else log.warn('job-not-written', { id, code: isSpeechError(error) ? error.code : 'INTERNAL' })
    }
  }

  const renewal = setInterval(() => {
    void write(() => ({ lease: lease(name, leaseTime), progress }))
  }, leaseRenewal)
  const saver = setInterval(() => {
    saving = saving.then(() => (found && !done ? saveSoFar(found) : undefined)).catch(complain)
  }, savingInterval)

  async function saveSoFar(found: () => Findings): Promise<void> {
    const isDue = progress.done >= saved.done * savingGrowth || performance.now() - saved.at >= longestUnsaved
    if (!isDue) return
    saved = { done: progress.done, at: performance.now() }
    await save('running', found())
  }

  async function save(status: TranscriptStatus, findings: Findings, ...more: string[]): Promise<void> {
    const earlier = await before
    // An order that starts again must not take away what an earlier attempt has found.
    const isMore = findings.coverage.transcribedSeconds > (earlier?.coverage.transcribedSeconds ?? -1)
    if (!isMore && status !== 'completed' && status !== 'partial') return
    if (!(await isOurs())) return
    await ledger.keep(owner, assemble(job, { ...findings, status }, [...warnings, ...more]))
    changes.tell({ owner, id, listed: !listed })
    listed = true
  }

  /** A process that was asleep may find its job finished by another: what it has is less then, and must not be kept. */
  async function isOurs(): Promise<boolean> {
    const now = await ledger.job(owner, id).catch(() => job)
    if (!now) return store.notice() !== notice
    return now.state === 'running'
      ? now.lease?.worker === name
      : now.state === 'cancelled' && ending === 'cancelled'
  }

  async function perform(): Promise<void> {
    const started = performance.now()
    try {
      const order = { ...job.order, ...(job.content !== undefined && { hash: job.content }) }
      const findings = await transcribe(order, pipeline, run, soFar => {
        found = soFar
        changes.tell({ owner, id, listed: false })
      })
      await finish(findings.status as 'completed' | 'partial', findings)
      const took = Math.round(performance.now() - started)
      log.info('transcribed', { id, seconds: findings.duration, took })
    } catch (error) {
      if (ending === 'given back') await giveBack()
      else if (ending !== 'taken over' && ending !== 'removed')
        await fail(ending === 'cancelled' ? cancelled(error) : error)
    }
    // Whoever removes it elsewhere could not know what was being written here.
    if (ending === 'removed' && !(await ledger.job(owner, id))) await ledger.remove(owner, id)
  }

  function complain(error: unknown): void {
    log.error('job-failed', { id, error: (error as Error)?.name ?? typeof error })
  }

  async function finish(status: 'completed' | 'partial', findings: Findings): Promise<void> {
    await quiet()
    await save(status, findings)
    await write(over(status))
  }

  async function giveBack(): Promise<void> {
    await quiet()
    if (found) await save('running', found())
    await write(() => ({ state: 'queued', lease: undefined, progress }))
  }

  async function fail(error: unknown): Promise<void> {
    await quiet()
    if (!isSpeechError(error)) complain(error)
    const state = ending === 'cancelled' ? 'cancelled' : 'failed'
    const findings = found?.()
    if (findings && findings.coverage.transcribedSeconds > 0)
      await save(state, findings, describeError(error))
    else await dropFragment(state)
    await write(now => ({ ...over(state)(now), error: describe(error) }))
  }

  /** What an attempt that died has left is all there is; what this one has written in vain goes. */
  async function dropFragment(status: 'failed' | 'cancelled'): Promise<void> {
    const earlier = await before
    if (earlier?.status === 'running') await ledger.keep(owner, { ...earlier, status })
    else if (listed && !earlier) await ledger.drop(owner, id)
  }

  /** From here on nothing is written but the end, with the title that was given last. */
  async function quiet(): Promise<void> {
    done = true
    clearInterval(saver)
    clearInterval(renewal)
    await saving
    job = (await ledger.job(owner, id).catch(() => undefined)) ?? job
  }

  const ended = perform()
    .catch(complain)
    .then(async () => {
      clearInterval(renewal)
      clearInterval(saver)
      await scratch.remove()
      changes.tell({ owner, id, listed: true })
    })

  return {
    job: () => ({ ...job, progress }),
    async transcript() {
      if (found) return assemble(job, found(), [...warnings])
      const earlier = await before
      return earlier ? { ...earlier, status: 'running' } : emptyTranscript(job)
    },
    stop,
    ended,
  }
}

/** A recording that came as text is not kept: who orders again gives it again. */
export function over(state: JobState): (now: Job) => JobChange {
  return ({ order }) => ({
    state,
    lease: undefined,
    progress: undefined,
    order: { ...order, audio: order.audio.startsWith('data:') ? 'data:' : order.audio },
  })
}

function describe(error: unknown): NonNullable<Job['error']> {
  if (isSpeechError(error)) return { code: error.code, message: error.message, hint: error.hint }
  const [message = '', hint = ''] = describeError(error)
    .replace(/^INTERNAL: /, '')
    .split(/(?<=\.) /)
  return { code: 'INTERNAL', message, hint }
}

function assemble(job: Job, findings: Findings, warnings: string[]): Transcript {
  const { id, createdAt, order } = job
  return { id, createdAt, ...findings, title: order.title ?? findings.title, warnings }
}

/** What there is of a job before its recording was opened. */
export function emptyTranscript({ id, createdAt, order, state, error }: Job): Transcript {
  const status = state === 'queued' ? 'running' : state
  return {
    ...{ id, createdAt, status, title: provisionalTitle(order), duration: 0, model: '', segments: [] },
    coverage: { speechSeconds: 0, transcribedSeconds: 0, gaps: [] },
    usage: { audioSeconds: 0, cachedSeconds: 0 },
    warnings: error ? [describeFailure(error)] : [],
  }
}

export function describeFailure({ code, message, hint }: NonNullable<Job['error']>): string {
  return `${code}: ${message} ${hint}`
}

/** Of a path its file's name; what an address holds is not known before it was fetched. */
function provisionalTitle({ title, audio }: Order): string {
  const isPath = !/^(?:data:|https?:)/i.test(audio)
  return (title ?? (isPath ? oneLine(basename(audio, extname(audio))) : '')) || 'recording'
}
