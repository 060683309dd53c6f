// What one worker writes of its job: only as long as it is this worker's, whose lease is renewed here.
import { isSpeechError } from '../../domain/errors.ts'
import type { Job, JobState } from '../../domain/job.ts'
import type { Store } from '../../domain/ports.ts'
import { log } from '../../log.ts'
import type { JobChange, Ledger } from '../records/job-repository.ts'
import { lease, leaseRenewal, leaseTime } from '../records/lease.ts'

/** Why a job that is under way ends before its end. */
export type Ending = 'cancelled' | 'given back' | 'taken over' | 'removed'

export interface Fence {
  /** As it was last read or written. */
  job(): Job
  /** As it is now, where the store can be read. */
  look(): Promise<Job>
  /** Takes over what somebody else in this process has written. */
  heed(job: Job): void
  /** Writes the job if it is still ours; where it is not, resolves with false, and the ending says what was done to it. */
  write(change: (now: Job) => JobChange): Promise<boolean>
  /** False where what we have must not be kept: a process that was asleep may find its job finished by another. */
  isOurs(): Promise<boolean>
  /** No more renewals; resolves with the job as it is now. */
  quiet(): Promise<Job>
  /** Lets others have a job that was cancelled under our hands. */
  release(): Promise<void>
}

export interface Fencing {
  name: string
  ledger: Ledger
  store: Store
  /** What a renewal writes beside the lease. */
  facts(): JobChange
  /** Why this worker stops, if it does. */
  ending(): Ending | undefined
  stop(ending: Ending): void
  /** Keeps the ticket from the others while the job is ours. */
  extend(): Promise<void>
}

export function createFence(
  claimed: Job,
  { name, ledger, store, facts, ending, stop, extend }: Fencing,
): Fence {
  const { owner, id } = claimed
  let job = claimed
  /** The lease that we have written last: one in our name with another end was made for another attempt. */
  let until = claimed.lease?.until
  let notice = store.warning()

  /** One that was cancelled and ordered again elsewhere, before we noticed, simply goes on. */
  function isHeld({ state, lease }: Job): boolean {
    return lease?.worker === name && (state === 'running' || (state === 'queued' && !ending()))
  }

  async function write(change: (now: Job) => JobChange): Promise<boolean> {
    let held = false
    let isSentBack = false
    try {
      job = await ledger.update(owner, id, now => {
        held = isHeld(now)
        isSentBack = held && now.state === 'queued'
        if (isSentBack) return { state: 'running' }
        return held ? change(now) : undefined
      })
      if (isSentBack) return write(change)
      if (held) until = job.lease?.until ?? until
      else stop(job.state === 'cancelled' ? 'cancelled' : 'taken over')
    } catch (error) {
      const isGone = isSpeechError(error) && error.code === 'TRANSCRIPT_NOT_FOUND'
      // In a file that was begun anew, because the old one was damaged, the job is missing though nobody removed it.
      if (isGone && store.warning() !== notice) {
        notice = store.warning()
        await ledger.add(job)
        return write(change)
      }
      if (isGone) stop('removed')
      // A store that fails for a while is no reason to stop paid work.
      else log.warn('job-not-written', { id, code: isSpeechError(error) ? error.code : 'INTERNAL' })
    }
    return held
  }

  async function look(): Promise<Job> {
    job = (await ledger.job(owner, id).catch(() => undefined)) ?? job
    return job
  }

  async function renew(): Promise<void> {
    void extend()
    await ledger.settle()
    await write(() => ({ ...facts(), lease: lease(name, leaseTime) }))
  }
  const renewal = setInterval(() => void renew(), leaseRenewal)

  return {
    job: () => job,
    look,
    heed(given) {
      job = given
    },
    write,
    async isOurs() {
      const now = await ledger.job(owner, id).catch(() => job)
      if (!now) return store.warning() !== notice
      return (
        isHeld(now) || (now.state === 'cancelled' && now.lease?.worker === name && ending() === 'cancelled')
      )
    },
    async quiet() {
      clearInterval(renewal)
      return look()
    },
    async release() {
      clearInterval(renewal)
      const isLeft = ({ state, lease }: Job) =>
        lease?.worker === name && lease.until === until && (state === 'cancelled' || state === 'queued')
      await ledger.update(owner, id, now => (isLeft(now) ? { lease: undefined } : undefined)).catch(() => {})
    },
  }
}

/** The end of a job. A recording that came as text is not kept: who orders again gives it again. */
export function over(state: JobState): (now: Job) => JobChange {
  return ({ order }) => ({
    state,
    lease: undefined,
    progress: undefined,
    tries: undefined,
    order: { ...order, audio: order.audio.startsWith('data:') ? 'data:' : order.audio },
  })
}
