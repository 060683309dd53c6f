// Who works on a job, until when, and when somebody else may.
import type { Job } from '../domain/job.ts'
import { isDead } from './worker-name.ts'

/** A worker's lease is renewed every few seconds, and void when it was not for this long. In milliseconds. */
export const leaseTime = 15_000
export const leaseRenewal = 3_000
/** A queued job waits for the process it was given to, which says from time to time that it has not forgotten it. */
export const queueTime = 60_000

export function lease(worker: string, time: number): NonNullable<Job['lease']> {
  return { worker, until: Date.now() + time }
}

/** True when nobody works on the job, or whoever did is dead. */
export function isFree({ lease }: Job, self: string): boolean {
  return lease === undefined || lease.until < Date.now() || isDead(lease.worker, self)
}

/** True when somebody else has it who may be alive. */
export function isElsewhere(job: Job, self: string): boolean {
  return job.lease?.worker !== self && !isFree(job, self)
}

/** True when a ticket for the job makes sense here: nobody has it, or it is queued here. */
export function isWaiting(job: Job, self: string): boolean {
  return isFree(job, self) || (job.state === 'queued' && job.lease?.worker === self)
}
