// Who works on a job, and whether that worker is still alive.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Job } from '../domain/job.ts'

/** A worker's lease is renewed every few seconds, and void when it was not for this long. In milliseconds. */
export const leaseTime = 15_000
export const leaseRenewal = 3_000
/** A queued job waits for the process it was given to, which may have much to do before. */
export const queueTime = 600_000

/** Host and process are in the name, so that others on the same machine can see whether it lives. */
export function workerName(): string {
  return `${hostname()}/${process.pid}/${randomBytes(6).toString('hex')}`
}

export function lease(worker: string, time: number): NonNullable<Job['lease']> {
  return { worker, until: Date.now() + time }
}

/** True when nobody works on the job, or whoever did is dead. */
export function isFree({ lease }: Job, self: string): boolean {
  return lease === undefined || lease.until < Date.now() || isDead(lease.worker, self)
}

/** True when a ticket for the job makes sense here: nobody has it, or it is queued here. */
export function isWaiting(job: Job, self: string): boolean {
  return isFree(job, self) || (job.state === 'queued' && job.lease?.worker === self)
}

/** Only what runs on this machine can be known to be dead; of anyone else the lease must run out. */
function isDead(worker: string, self: string): boolean {
  const [host, pid] = worker.split('/')
  const [ownHost, ownPid] = self.split('/')
  if (host !== ownHost || worker === self) return false
  // Another name with our own process id: that process had it before us.
  return pid === ownPid || !isAlive(Number(pid))
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
