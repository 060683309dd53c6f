// Cancels a job, here or elsewhere, and removes a transcript with everything that belongs to it.
import { isOver, type Job } from '../../domain/job.ts'
import type { JobContext } from '../context.ts'
import { notFound } from '../records/job-repository.ts'
import { endJob } from '../records/transitions.ts'
import { sweep } from '../worker/scratch.ts'

export function createCancellation(context: Omit<JobContext, 'dispatch' | 'abandon' | 'cancel'>) {
  const { leases, uploads, repository, changes, waiters, worker, cleanup, mutex, scratchDir, workerId } =
    context

  async function stop(owner: string, id: string, isMeant: () => boolean): Promise<Job> {
    const key = `${owner}/${id}`
    let hasNoWorker = false
    const write = async (): Promise<Job> => {
      let isCancelled = false
      const job = await repository.update(owner, id, now => {
        isCancelled = !isOver(now.state) && isMeant()
        if (!isCancelled) return undefined
        const isHere = worker.running(owner, id) ?? uploads.uploading(owner, id)
        const isRunning = leases.isHeldElsewhere(now) || isHere !== undefined
        hasNoWorker = !isRunning
        // Its worker keeps the lease until nothing is under way any more: no other worker starts before.
        return { ...endJob('cancelled')(now), lease: isRunning ? now.lease : undefined }
      })
      if (isCancelled) {
        waiters.clear(key)
        worker.running(owner, id)?.stop('cancelled')
      }
      return job
    }
    const job = await mutex(key, () => write().catch(error => stopUnwritten(owner, id, isMeant, error)))
    // One that somebody waits for goes on.
    if (isOver(job.state)) {
      await uploads.stop(owner, id)
      await worker.running(owner, id)?.ended
    }
    if (hasNoWorker) await cleanup.cleanUpJob(job)
    changes.publish({ owner, id, listChanged: false })
    return job
  }

  /** A store that fails does not keep paid work going. */
  async function stopUnwritten(
    owner: string,
    id: string,
    isMeant: () => boolean,
    error: unknown,
  ): Promise<Job> {
    const running = worker.running(owner, id)
    if (!running || !isMeant()) throw error
    running.stop('cancelled')
    await running.ended
    const job = await repository.get(owner, id)
    if (!job || !isOver(job.state)) throw error
    waiters.clear(`${owner}/${id}`)
    return job
  }

  return {
    /** Resolves with the job as it is then: one that was over stays as it was. Throws `TRANSCRIPT_NOT_FOUND`. */
    cancel: (owner: string, id: string): Promise<Job> => stop(owner, id, () => true),
    async abandon(owner: string, id: string): Promise<void> {
      await stop(owner, id, () => waiters.hasNone(`${owner}/${id}`))
    },
    async remove(owner: string, id: string): Promise<void> {
      await stop(owner, id, () => true).catch(() => {})
      await sweep(scratchDir, workerId, id)
      await cleanup.deleteUploads(owner, id)
      if (!(await repository.remove(owner, id))) throw notFound()
      changes.publish({ owner, id, listChanged: true })
    },
  }
}
