// Leases: which worker holds a job, until when, and when another worker may take it over.
import { LRUCache } from 'lru-cache'
import type { Job } from '../../domain/job.ts'
import { isDead, isSameMachine } from './worker-id.ts'

/** A worker renews its lease every few seconds; without a renewal it is void after this time. */
export const leaseMs = 15_000
export const leaseRenewalMs = 3_000
/** Lease of a queued job that waits in one process; that process renews it from time to time. */
export const queueLeaseMs = 60_000

export function newLease(worker: string, time: number): NonNullable<Job['lease']> {
  return { worker, until: Date.now() + time, time }
}

export type Leases = ReturnType<typeof createLeases>

/** No clock is wrong by this much: a lease that ended earlier is void at first sight. */
const maxClockErrorMs = 30 * 60_000
/** Leases of other machines that are remembered: more than there are running jobs. */
const maxLeasesSeen = 10_000

/**
 * How one worker judges the leases of others. Machines that share a store may have clocks that differ by minutes: a lease
 * of another machine is void once it was seen without a change for its whole length, by this machine's steady clock.
 */
export function createLeases(self: string, { shared }: { shared: boolean }) {
  const seen = new LRUCache<string, { until: number; worker: string; at: number }>({ max: maxLeasesSeen })

  function isVoid({ owner, id, lease }: Job): boolean {
    if (!lease) return true
    const { worker, until, time = leaseMs } = lease
    if (!shared || isSameMachine(worker, self)) return until < Date.now()
    if (until < Date.now() - maxClockErrorMs) return true
    const key = `${owner}/${id}`
    const now = performance.now()
    const before = seen.get(key)
    if (before?.until === until && before.worker === worker) return now - before.at > time
    seen.set(key, { until, worker, at: now })
    return false
  }

  /** True when no worker holds the job, or its worker is dead. */
  const isFree = (job: Job) => (job.lease && isDead(job.lease.worker, self)) || isVoid(job)
  return {
    isFree,
    /** True when another worker that may be alive holds the job. */
    isHeldElsewhere: (job: Job) => job.lease?.worker !== self && !isFree(job),
    /** True when this process may send the job to a worker: no worker holds it, or it is queued here. */
    canStartHere: (job: Job) => isFree(job) || (job.state === 'queued' && job.lease?.worker === self),
  }
}
