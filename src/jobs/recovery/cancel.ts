// Stops work from outside: cancels a job, here or elsewhere, and removes a transcript with all that belongs to it.
import { isOver, type Job } from '../../domain/job.ts'
import type { Changes } from '../records/changes.ts'
import type { Tidying } from '../records/cleanup.ts'
import { type Ledger, notFound } from '../records/job-repository.ts'
import type { Leases } from '../records/lease.ts'
import type { Holders } from '../records/waiters.ts'
import type { Turns } from '../submit/keyed-mutex.ts'
import type { Forwarding } from '../submit/upload-recording.ts'
import { jobOf } from '../view/transcript-view.ts'
import { over } from '../worker/leased-job.ts'
import type { Worker } from '../worker/worker.ts'

export interface Stopping {
  /** Resolves with the job as it is then, also for a transcript that has none. */
  cancel(owner: string, id: string): Promise<Job>
  /** Cancels what nobody needs at the moment of writing. */
  abandon(owner: string, id: string): Promise<void>
  remove(owner: string, id: string): Promise<void>
}

export interface StoppingHouse {
  leases: Leases
  forwarding: Forwarding
  ledger: Ledger
  changes: Changes
  holders: Holders
  worker: Worker
  tidying: Tidying
  inTurn: Turns
}

export function createStopping(house: StoppingHouse): Stopping {
  const { leases, forwarding, ledger, changes, holders, worker, tidying, inTurn } = house

  async function stop(owner: string, id: string, isMeant: () => boolean): Promise<Job> {
    const key = `${owner}/${id}`
    let isDeserted = false
    const job = await inTurn(key, async () => {
      let isOurs = false
      const job = await ledger.update(owner, id, now => {
        isOurs = !isOver(now.state) && isMeant()
        if (!isOurs) return undefined
        const isHere = worker.live(owner, id) ?? forwarding.job(owner, id)
        const isAtWork = leases.isElsewhere(now) || isHere !== undefined
        isDeserted = !isAtWork
        // Whoever is at it keeps its lease until nothing is under way any more: nobody begins anew before.
        return { ...over('cancelled')(now), lease: isAtWork ? now.lease : undefined }
      })
      if (isOurs) {
        holders.forget(key)
        worker.live(owner, id)?.stop('cancelled')
      }
      return job
    })
    if (isOver(job.state)) await forwarding.stop(owner, id)
    await worker.live(owner, id)?.ended
    if (isDeserted) await tidying.desert(job)
    changes.tell({ owner, id, listChanged: false })
    return job
  }

  return {
    async cancel(owner, id) {
      if (await ledger.job(owner, id)) return stop(owner, id, () => true)
      const transcript = await ledger.transcript(owner, id)
      if (!transcript) throw notFound()
      return jobOf(owner, transcript)
    },
    async abandon(owner, id) {
      await stop(owner, id, () => holders.isAlone(`${owner}/${id}`))
    },
    async remove(owner, id) {
      await stop(owner, id, () => true).catch(() => {})
      await tidying.takeAway(owner, id)
      if (!(await ledger.remove(owner, id))) throw notFound()
      changes.tell({ owner, id, listChanged: true })
    },
  }
}
