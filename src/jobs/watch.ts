// Waits for a job on behalf of a call: until it is over, the time is up, or the caller disconnects.
import { isBatchId } from '../domain/batch/batch.ts'
import { isOver, type Job, type Progress } from '../domain/job.ts'
import type { JobContext } from './context.ts'
import { isReachable, usesOurModels } from './records/job-message.ts'
import { notFound } from './records/job-repository.ts'
import type { Waiters } from './records/waiters.ts'
import { pauseMessage } from './worker/suspects.ts'

/**
 * How a caller leaves before the end: `detached` leaves the work going; `disconnected` and `cancelled` stop it unless
 * another caller needs it.
 */
export type DisconnectReason = 'detached' | 'disconnected' | 'cancelled'

export interface WatchOptions {
  owner: string
  /** How long to wait for the end. Default: without limit. */
  seconds?: number
  /** How long to wait for a recording of up to a minute or a short text. Default: `seconds`. */
  shortSeconds?: number
  /** Aborted when the caller leaves. */
  signal: AbortSignal
  /** Asked when the signal is aborted. Default: `cancelled`. */
  disconnectReason?: () => DisconnectReason
  onProgress?: (progress: Progress) => void
}

/** Recordings up to this length are short. */
const shortRecordingSeconds = 60
/** Longest wait before the length of the recording is known. */
const maxWaitForLengthSeconds = 2
/** Interval of looking at a job of another process. */
const pollIntervalMs = 300
/** A job on another machine is polled less often while nothing changes, down to this interval. */
const maxPollIntervalMs = 2_000
const pollBackoff = 1.2
/** A job that no worker starts is sent again after this time, which doubles: a store may refuse writes for a while. */
const firstResendMs = 300
const maxResendMs = 10_000
/** Interval of looking at a job of this process; its changes are published, so this is a safety net. */
const localPollIntervalMs = 5_000
/** A caller whose connection broke may be back within this time, before its work is stopped. */
const reconnectTimeoutMs = 2_000

export async function watch(id: string, options: WatchOptions, context: JobContext): Promise<Job> {
  const { owner, signal } = options
  const { waiters } = context
  const key = `${owner}/${id}`
  const leave = waiters.join(key)
  try {
    const job = await waitFor(id, options, context)
    // From here on the caller knows the id and may come back for it.
    if (isOver(job.state)) waiters.clear(key)
    else waiters.detach(key)
    leave()
    return job
  } catch (error) {
    const wasLast = leave()
    if (signal.aborted)
      await handleDisconnect(options, { key, wasLast, waiters }, () =>
        stopUnlessWaitedFor(owner, id, context),
      )
    throw error
  }
}

async function waitFor(id: string, options: WatchOptions, context: JobContext): Promise<Job> {
  const { owner, signal, onProgress } = options
  const { queue, changes, worker, closing, dispatch } = context
  const started = performance.now()
  let last: Job | undefined
  let pause = pollIntervalMs
  let resend = { at: started, pauseMs: firstResendMs }
  for (;;) {
    // Listening starts before the read, so that no change in between is missed.
    const looked = new AbortController()
    const signals = [signal, closing, looked.signal]
    const isRunningHere = worker.running(owner, id) !== undefined
    const waited = (performance.now() - started) / 1000
    const leftMs = 1000 * (secondsFor(last, options) - waited)
    const interval = isRunningHere ? localPollIntervalMs : pause
    const timeoutMs = Math.max(10, Math.min(interval, leftMs > 0 ? leftMs : interval))
    const change = changes.next(owner, id, timeoutMs, signals)
    try {
      signal.throwIfAborted()
      const job = await currentJob(owner, id, context)
      signal.throwIfAborted()
      if (!job) throw notFound()
      if (isOver(job.state) || closing.aborted || waited >= secondsFor(job, options)) return job
      const isUnchanged = job.revision === last?.revision
      if (!isUnchanged) resend = { at: started, pauseMs: firstResendMs }
      if (!isRunningHere && isIdle(job, context) && performance.now() >= resend.at) {
        const { pauseMs } = resend
        resend = { at: performance.now() + pauseMs, pauseMs: Math.min(2 * pauseMs, maxResendMs) }
        await dispatch(job)
      }
      pause = queue.shared && isUnchanged ? Math.min(pause * pollBackoff, maxPollIntervalMs) : pollIntervalMs
      last = job
      onProgress?.(progressOf(job, context))
      await change
    } finally {
      looked.abort()
    }
  }
}

/** With a shared queue, only a recording that is not uploaded yet needs this process. */
function isIdle(job: Job, { queue, pipeline, leases }: JobContext): boolean {
  if (isBatchId(job.id)) return false
  const needsUs = queue.shared ? job.state === 'queued' && !isReachable(job) : usesOurModels(job, pipeline)
  return needsUs && leases.canStartHere(job)
}

/** A run that is being stopped here says that the job is over, although it may have been submitted again. */
export async function currentJob(owner: string, id: string, context: JobContext): Promise<Job | undefined> {
  const { worker, uploads, repository } = context
  const running = worker.running(owner, id)?.job()
  if (running && !isOver(running.state)) return running
  const found = await repository.get(owner, id)
  const progress = uploads.uploading(owner, id)?.progress
  return found?.state === 'queued' && progress ? { ...found, progress } : found
}

/** How long the caller waits for this job. */
function secondsFor(
  job: Job | undefined,
  { seconds = Number.POSITIVE_INFINITY, shortSeconds = seconds }: WatchOptions,
) {
  const total = job?.progress?.total
  if (total !== undefined) return total > shortRecordingSeconds ? seconds : shortSeconds
  return Math.min(shortSeconds, Math.max(seconds, maxWaitForLengthSeconds))
}

export function progressOf(job: Job, { queue, leases }: JobContext): Progress {
  const { id, state, progress } = job
  const pause = state === 'running' && leases.isFree(job) ? pauseMessage(job) : undefined
  if (pause) return { done: 0, ...progress, message: pause }
  const ahead = state === 'queued' ? queue.ahead(id) : undefined
  if (ahead !== undefined) return { done: 0, message: `Waiting for its turn, ${ahead} before it` }
  if (progress) return progress
  return { done: 0, message: state === 'queued' && queue.shared ? 'Waiting for a worker' : 'Starting' }
}

/** Stops a job that no call waits for. A job that runs elsewhere may have waiters there. */
async function stopUnlessWaitedFor(owner: string, id: string, context: JobContext): Promise<void> {
  const { waiters, worker, queue, abandon } = context
  const key = `${owner}/${id}`
  const isHere = worker.running(owner, id) || queue.ahead(id) !== undefined || isBatchId(id)
  const mayStop = isHere || (queue.shared && waiters.wasStartedHere(key))
  if (mayStop && waiters.hasNone(key)) await abandon(owner, id).catch(() => {})
}

/** Stops the work of a caller that leaves, unless it only detaches. `stop` has to check for waiters again. */
export async function handleDisconnect(
  { disconnectReason = () => 'cancelled' }: WatchOptions,
  { key, wasLast, waiters }: { key: string; wasLast: boolean; waiters: Waiters },
  stop: () => Promise<void>,
): Promise<void> {
  const reason = disconnectReason()
  if (reason === 'detached') waiters.detach(key)
  else if (reason === 'cancelled' && wasLast) await stop()
  else if (reason === 'disconnected' && wasLast) setTimeout(() => void stop(), reconnectTimeoutMs).unref()
}
