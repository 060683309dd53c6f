// Waits for a job on behalf of a call: until it is over, the time is up, or the caller goes.
import { isOver, type Job, type Progress } from '../domain/job.ts'
import type { Queue } from '../domain/queue.ts'
import type { PipelinePorts } from '../pipeline/transcribe.ts'
import type { Changes } from './records/changes.ts'
import { isAtHand, isForUs } from './records/job-message.ts'
import { type Ledger, notFound } from './records/job-repository.ts'
import type { Leases } from './records/lease.ts'
import type { Holders } from './records/waiters.ts'
import type { Dispatch } from './submit/dispatch.ts'
import type { Forwarding } from './submit/upload-recording.ts'
import type { Worker } from './worker/worker.ts'

/** How a caller went who did not wait for the end: `gone` leaves the work going, the others stop it if nobody else needs it. */
export type DisconnectReason = 'gone' | 'closed' | 'cancelled'

export interface WatchOptions {
  owner: string
  /** How long to wait for the end; recordings of up to a minute are always waited for. Default: without limit. */
  seconds?: number
  /** Aborted when the caller goes. */
  signal: AbortSignal
  /** Asked when the signal is aborted. Default: `cancelled`. */
  disconnectReason?: () => DisconnectReason
  onProgress?: (progress: Progress) => void
}

export interface Watching {
  leases: Leases
  dispatch: Dispatch
  forwarding: Forwarding
  ledger: Ledger
  queue: Queue
  pipeline: PipelinePorts
  changes: Changes
  holders: Holders
  worker: Worker
  /** Aborted when the process stops: whoever waits is answered with what is there. */
  closing: AbortSignal
  /** Stops work that nobody needs. */
  abandon(owner: string, id: string): Promise<void>
}

/** Recordings up to this length (seconds) are answered within the call. */
const brief = 60
/** Nobody waits longer than this for a short one, or before its length is known. In seconds. */
const longestWait = 240
const longestGuess = 2
/** Where the provider queues tasks even a short one may take minutes, and many clients give up after one. */
const longestTask = 50
/** How often a job that runs in another process is looked at, and one of this process for safety. In milliseconds. */
const elsewhere = 300
/** A job on another machine is looked at less and less often while nothing happens to it, down to this. */
const rarest = 2_000
const rarer = 1.2
const here = 5_000
/** A caller whose connection broke may be back within this time, before the work that only he needs is stopped. */
const grace = 2_000

export async function watch(id: string, wish: WatchOptions, house: Watching): Promise<Job> {
  const { owner, signal } = wish
  const key = `${owner}/${id}`
  const leave = house.holders.enter(key)
  try {
    const job = await waitFor(id, wish, house)
    // From here on the caller knows the id and may come back for it.
    if (isOver(job.state)) house.holders.forget(key)
    else house.holders.handOut(key)
    leave()
    return job
  } catch (error) {
    const alone = leave()
    if (signal.aborted) await goAway(id, wish, alone, house)
    throw error
  }
}

async function waitFor(id: string, wish: WatchOptions, house: Watching): Promise<Job> {
  const { owner, seconds = Number.POSITIVE_INFINITY, signal, onProgress } = wish
  const { queue, changes, worker, closing } = house
  const started = performance.now()
  let revision: number | undefined
  let pause = elsewhere
  for (;;) {
    // Listening begins before looking, so that nothing happens unseen in between.
    const looked = new AbortController()
    const stop = [signal, closing, looked.signal]
    const live = worker.live(owner, id)
    const waited = (performance.now() - started) / 1000
    const left = 1000 * (seconds - waited)
    const rhythm = live ? here : pause
    const news = changes.next(owner, id, Math.max(10, Math.min(rhythm, left > 0 ? left : rhythm)), stop)
    try {
      signal.throwIfAborted()
      const job = await seen(owner, id, house)
      signal.throwIfAborted()
      if (!job) throw notFound()
      if (isOver(job.state) || closing.aborted || mayEnd(job, waited, seconds)) return job
      if (!live) await nudge(job, house)
      pause = queue.shared && job.revision === revision ? Math.min(pause * rarer, rarest) : elsewhere
      revision = job.revision
      onProgress?.(progressOf(job, queue))
      await news
    } finally {
      looked.abort()
    }
  }
}

/** Of what waits for a worker of any machine, only what nobody has sent there yet needs us. */
async function nudge(job: Job, { queue, pipeline, leases, dispatch }: Watching): Promise<void> {
  if (queue.shared ? isOver(job.state) || isAtHand(job) || job.state === 'running' : !isForUs(job, pipeline))
    return
  if (leases.isWaiting(job)) await dispatch(job)
}

/** What unwinds here says that it is over while it may have been ordered again. */
async function seen(owner: string, id: string, house: Watching): Promise<Job | undefined> {
  const { worker, forwarding, ledger } = house
  const job = worker.live(owner, id)?.job()
  if (job && !isOver(job.state)) return job
  const found = await ledger.job(owner, id)
  const progress = forwarding.job(owner, id)?.progress
  return found?.state === 'queued' && progress ? { ...found, progress } : found
}

function mayEnd(job: Job, waited: number, seconds: number): boolean {
  if (waited < seconds) return false
  const total = job.progress?.total
  const patience = job.tool === 'diarize_audio' ? longestTask : longestWait
  return waited >= Math.max(seconds, total === undefined ? longestGuess : isBrief(job) ? patience : 0)
}

function isBrief({ progress }: Job): boolean {
  return progress?.total !== undefined && progress.total <= brief
}

function progressOf({ id, state, progress }: Job, queue: Queue): Progress {
  const ahead = state === 'queued' ? queue.ahead(id) : undefined
  if (ahead !== undefined) return { done: 0, message: `Waiting for its turn, ${ahead} before it` }
  if (progress) return progress
  return { done: 0, message: state === 'queued' && queue.shared ? 'Waiting for a worker' : 'Starting' }
}

async function goAway(id: string, wish: WatchOptions, alone: boolean, house: Watching): Promise<void> {
  const { owner } = wish
  const { holders, worker, queue } = house
  const key = `${owner}/${id}`
  await depart(wish, { key, alone, holders }, async () => {
    // What runs elsewhere may have others waiting for it there.
    const isHere = worker.live(owner, id) || queue.ahead(id) !== undefined
    const isOurs = isHere || (queue.shared && holders.hasBegun(key))
    if (isOurs && holders.isAlone(key)) await house.abandon(owner, id).catch(() => {})
  })
}

/** Somebody goes: work that nobody else needs is stopped where the caller meant it so. `stop` looks again who is there. */
export async function depart(
  { disconnectReason = () => 'cancelled' }: WatchOptions,
  { key, alone, holders }: { key: string; alone: boolean; holders: Holders },
  stop: () => Promise<void>,
): Promise<void> {
  const how = disconnectReason()
  if (how === 'gone') holders.handOut(key)
  else if (how === 'cancelled' && alone) await stop()
  else if (how === 'closed' && alone) setTimeout(() => void stop(), grace).unref()
}
