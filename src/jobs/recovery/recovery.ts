// Recovery: takes over jobs of dead processes, and follows jobs that run in other processes.
import { stat } from 'node:fs/promises'
import { isBatchId } from '../../domain/batch/batch.ts'
import { codeOf, SpeechError } from '../../domain/errors.ts'
import { isOver, type Job } from '../../domain/job.ts'
import { log } from '../../log.ts'
import type { JobContext } from '../context.ts'
import { isReachable, messageFor, usesOurModels } from '../records/job-message.ts'
import { newLease, queueLeaseMs } from '../records/lease.ts'
import { endJob, toJobError } from '../records/transitions.ts'
import { createRedelivery } from './redeliver.ts'

/** Milliseconds. A client may start a server only to list its tools: such a short-lived process takes over no job. */
const firstLookMs = 700
const lookIntervalMs = 10_000
/** Pause between two looks, as a multiple of the time that a look takes. */
const minPausePerLook = 20
const sweepIntervalMs = 3_600_000
const followIntervalMs = 1_000
/** An older job is cancelled; the same request starts it again. */
const maxJobAgeMs = 7 * 24 * 3600 * 1000

export function createRecovery(context: JobContext, recoverBatch: (job: Job) => Promise<void>) {
  const { workerId, shared, leases, uploads, store, repository } = context
  const { queue, pipeline, worker, changes, cleanup } = context
  const redeliver = createRedelivery(context)
  const timers = new Set<NodeJS.Timeout>()
  let closed = false

  async function look(): Promise<void> {
    const started = performance.now()
    try {
      await repository.flush()
      for (const job of await store.unfinishedJobs()) await recover(job).catch(ignoreUnlessStore)
    } catch {
      // A store that cannot be read reports that to its callers.
    }
    // With many waiting jobs, the looks must not keep the store busy.
    const pause = Math.max(lookIntervalMs, minPausePerLook * (performance.now() - started))
    if (!closed) schedule(setTimeout(look, pause))
  }

  async function recover(job: Job): Promise<void> {
    const { owner, id, lease, state } = job
    if (isBatchId(id)) return isAbandoned(job) && leases.isFree(job) ? expire(job) : recoverBatch(job)
    if (worker.running(owner, id) ?? uploads.uploading(owner, id)) return
    if (!queue.shared && state === 'queued' && lease?.worker === workerId) return renew(job)
    if (!leases.isFree(job)) return
    if (isAbandoned(job)) return expire(job)
    if (queue.shared) return redeliver(job)
    if (!usesOurModels(job, pipeline)) return
    // A file of another machine is left to a process that sees it.
    if (shared && !isReachable(job) && !(await stat(job.request.audio).catch(() => undefined))) return
    log.info('resumed', { id })
    await queue.send(messageFor(job, pipeline))
  }

  /** Keeps the lease of a job that waits in this process. */
  async function renew(job: Job): Promise<void> {
    const isDue = ({ lease }: Job) =>
      lease?.worker === workerId && lease.until - Date.now() < queueLeaseMs / 2
    const facts = () => ({
      lease: newLease(workerId, queueLeaseMs),
      progress: { done: 0, message: 'Waiting for its turn' },
    })
    if (isDue(job))
      await repository.update(job.owner, job.id, now =>
        now.state === 'queued' && isDue(now) ? facts() : undefined,
      )
    await queue.send(messageFor(job, pipeline))
  }

  async function releaseQueued(): Promise<void> {
    const isQueuedHere = ({ state, lease }: Job) => state === 'queued' && lease?.worker === workerId
    for (const { owner, id } of (await store.unfinishedJobs()).filter(isQueuedHere))
      await repository.update(owner, id, now => (isQueuedHere(now) ? { lease: undefined } : undefined))
  }

  async function expire({ owner, id, revision, tool }: Job): Promise<void> {
    const reason = new SpeechError('CANCELLED', 'The job was left unfinished for a week.', {
      hint: `Call ${tool} again to continue; finished parts are not billed again.`,
    })
    const ended = await repository.update(owner, id, now =>
      now.revision === revision ? { ...endJob('cancelled')(now), error: toJobError(reason) } : undefined,
    )
    if (isOver(ended.state)) await cleanup.cleanUpJob(ended)
  }

  const isAbandoned = ({ updatedAt }: Job) => Date.now() - Date.parse(updatedAt) > maxJobAgeMs
  const sweep = () => cleanup.sweep(job => !isOver(job.state) && !isAbandoned(job))

  function schedule(timer: NodeJS.Timeout): NodeJS.Timeout {
    timers.add(timer)
    return timer.unref()
  }

  return {
    start(): void {
      schedule(setTimeout(() => void look().then(sweep), firstLookMs))
      schedule(setInterval(sweep, sweepIntervalMs))
    },
    /** Publishes changes that other processes make to this job. The returned function ends it. */
    follow(owner: string, id: string): () => void {
      let seen: number | undefined
      const since = Date.now()
      const look = async () => {
        const found = await repository.get(owner, id).catch(() => undefined)
        // A missing job counts as a revision: it may appear, or have been removed.
        const revision = found?.revision ?? 0
        // The first look may come after a change that was made once the follower knew of it.
        const isRecent = found !== undefined && Date.parse(found.updatedAt) >= since
        const isNew = seen === undefined ? isRecent : revision !== seen
        seen = revision
        // Changes by this process are published where they happen.
        if (isNew && !worker.running(owner, id))
          changes.publish({ owner, id, listChanged: !found || isOver(found.state) })
      }
      void look()
      const timer = schedule(setInterval(look, followIntervalMs))
      return () => {
        clearInterval(timer)
        timers.delete(timer)
      }
    },
    /** Stops looking, and leaves the jobs that wait here to other processes. */
    async close(): Promise<void> {
      closed = true
      for (const timer of timers) clearInterval(timer)
      if (!queue.shared) await releaseQueued().catch(() => {})
    },
  }
}

/** An error of one job must not stop the look at the others; a failing store does. */
function ignoreUnlessStore(error: unknown): void {
  if (codeOf(error).startsWith('STORE_')) throw error
}
