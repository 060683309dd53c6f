// Who works on a job, until when, and when somebody else may.
import type { Job } from '../../domain/job.ts'
import { isDead, isNear } from './worker-id.ts'

/** A worker's lease is renewed every few seconds, and void when it was not for this long. In milliseconds. */
export const leaseTime = 15_000
export const leaseRenewal = 3_000
/** A queued job waits for the process it was given to, which says from time to time that it has not forgotten it. */
export const queueTime = 60_000

export function lease(worker: string, time: number): NonNullable<Job['lease']> {
  return { worker, until: Date.now() + time, time }
}

export interface Leases {
  /** True when nobody works on the job, or whoever did is dead. */
  isFree(job: Job): boolean
  /** True when somebody else has it who may be alive. */
  isElsewhere(job: Job): boolean
  /** True when a ticket for the job makes sense here: nobody has it, or it is queued here. */
  isWaiting(job: Job): boolean
}

/** Milliseconds. No clock is wrong by so much: a lease that ended so long ago is void at first sight. */
const longAgo = 30 * 60_000
/** Leases of others that are remembered: more than anybody has jobs under way. */
const mostSeen = 10_000

/**
 * How one worker judges the leases of others. Where machines share the store, their clocks may differ by minutes: a
 * lease of another machine is void when it was seen for its whole length without a change, by our own steady clock.
 */
export function createLeases(self: string, { shared }: { shared: boolean }): Leases {
  const seen = new Map<string, { until: number; worker: string; at: number }>()

  function isVoid({ owner, id, lease }: Job): boolean {
    if (!lease) return true
    const { worker, until, time = leaseTime } = lease
    if (!shared || isNear(worker, self)) return until < Date.now()
    if (until < Date.now() - longAgo) return true
    const key = `${owner}/${id}`
    const now = performance.now()
    const before = seen.get(key)
    if (before?.until === until && before.worker === worker) return now - before.at > time
    seen.delete(key)
    seen.set(key, { until, worker, at: now })
    const [oldest] = seen.keys()
    if (seen.size > mostSeen && oldest !== undefined) seen.delete(oldest)
    return false
  }

  const isFree = (job: Job) => (job.lease && isDead(job.lease.worker, self)) || isVoid(job)
  return {
    isFree,
    isElsewhere: job => job.lease?.worker !== self && !isFree(job),
    isWaiting: job => isFree(job) || (job.state === 'queued' && job.lease?.worker === self),
  }
}
