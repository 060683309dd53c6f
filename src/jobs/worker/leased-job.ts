// LeasedJob: a job held under a lease. The lease is renewed here, and every write is conditional on holding it.
import { codeOf } from '../../domain/errors.ts'
import type { Job } from '../../domain/job.ts'
import { log } from '../../log.ts'
import type { JobBasis, StopReason } from '../context.ts'
import type { JobChange } from '../records/job-repository.ts'
import { leaseMs, leaseRenewalMs, newLease } from '../records/lease.ts'

export type LeasedJob = ReturnType<typeof createLeasedJob>

export interface LeaseOptions {
  /** Written with each renewal, beside the lease. */
  facts(): JobChange
  /** Why this worker stops, if it does. */
  stopReason(): StopReason | undefined
  stop(reason: StopReason): void
  /** Keeps the message from other workers while the job is held. */
  extend(): Promise<void>
}

export function createLeasedJob(
  claimed: Job,
  { workerId, repository, store }: JobBasis,
  { facts, stopReason, stop, extend }: LeaseOptions,
) {
  const { owner, id } = claimed
  let job = claimed
  /** End of the lease written last: a lease of ours with another end belongs to another attempt. */
  let until = claimed.lease?.until
  let losses = store.losses()

  /** A job that was cancelled and submitted again elsewhere, before this worker noticed, simply continues. */
  function isHeldIn({ state, lease }: Job): boolean {
    return lease?.worker === workerId && (state === 'running' || (state === 'queued' && !stopReason()))
  }

  /**
   * Writes the job if it is still held. Resolves with false if the store fails, or if the lease was lost; then the stop
   * reason says why.
   */
  async function write(change: (now: Job) => JobChange): Promise<boolean> {
    let held = false
    let isRequeued = false
    try {
      job = await repository.update(owner, id, now => {
        held = isHeldIn(now)
        isRequeued = held && now.state === 'queued'
        if (isRequeued) return { state: 'running' }
        return held ? change(now) : undefined
      })
      if (isRequeued) return write(change)
      if (held) until = job.lease?.until ?? until
      else stop(job.state === 'cancelled' ? 'cancelled' : 'taken over')
      return held
    } catch (error) {
      const isMissing = codeOf(error) === 'TRANSCRIPT_NOT_FOUND'
      // A store that replaced its damaged file misses the job although it was not removed.
      if (isMissing && store.losses() !== losses) {
        losses = store.losses()
        await repository.add(job, true)
        return write(change)
      }
      if (isMissing) stop('removed')
      // A store that fails for a while does not stop paid work.
      else log.warn('job-not-written', { id, code: codeOf(error) })
      return false
    }
  }

  /** Reads the job again, if the store can be read. */
  async function refresh(): Promise<Job> {
    job = (await repository.get(owner, id).catch(() => undefined)) ?? job
    return job
  }

  async function renew(): Promise<void> {
    void extend()
    await write(() => ({ ...facts(), lease: newLease(workerId, leaseMs) }))
  }
  const renewal = setInterval(() => void renew(), leaseRenewalMs)

  return {
    /** The job as last read or written. */
    job: () => job,
    refresh,
    /** Accepts a job that was written elsewhere in this process. */
    accept(given: Job): void {
      job = given
    },
    write,
    /** False where the result must not be kept: while this process slept, another one may have finished the job. */
    async isHeld(): Promise<boolean> {
      const now = await repository.get(owner, id).catch(() => job)
      if (!now) return store.losses() !== losses
      const isCancelledHere = now.state === 'cancelled' && now.lease?.worker === workerId
      return isHeldIn(now) || (isCancelledHere && stopReason() === 'cancelled')
    },
    /** Ends the renewals, and resolves with the job as it is now. */
    async stopRenewing(): Promise<Job> {
      clearInterval(renewal)
      return refresh()
    },
    /** Frees a job that was cancelled elsewhere while it ran here. */
    async release(): Promise<void> {
      clearInterval(renewal)
      const isLeft = ({ state, lease }: Job) =>
        lease?.worker === workerId && lease.until === until && (state === 'cancelled' || state === 'queued')
      const free = (now: Job) => (isLeft(now) ? { lease: undefined } : undefined)
      await repository.update(owner, id, free).catch(() => {})
    },
  }
}
