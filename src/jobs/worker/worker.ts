// Worker: leases the job of a message, and runs it.
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, isSpeechError, SpeechError } from '../../domain/errors.ts'
import { isOver, type Job } from '../../domain/job.ts'
import type { Delivery, Disposition, JobMessage } from '../../domain/queue.ts'
import { log } from '../../log.ts'
import type { RunningJob, Worker, WorkerContext } from '../context.ts'
import { isReachable, usesOurModels } from '../records/job-message.ts'
import { leaseMs, newLease } from '../records/lease.ts'
import { failJob } from '../records/transitions.ts'
import { type Claim, runJob } from './run-job.ts'

export function createWorker(context: WorkerContext): Worker {
  const running = new Map<string, RunningJob>()
  const handling = new Set<string>()
  /** Jobs with a further message: they may have been submitted again while they ended. */
  const again = new Set<string>()
  /** Jobs that could not be leased. They are sent again and again, and logged once. */
  const failing = new Set<string>()
  let closed = false

  async function attempt({ owner, id }: JobMessage, key: string, delivery: Delivery): Promise<Disposition> {
    try {
      const claimed = await claim(owner, id, context)
      failing.delete(key)
      if (typeof claimed === 'string') return claimed
      const job = runJob(claimed, context, delivery)
      running.set(key, job)
      if (closed) job.stop('released')
      return await job.ended
    } catch (error) {
      if (codeOf(error) === 'TRANSCRIPT_NOT_FOUND') return 'ack'
      const code = isSpeechError(error) ? error.code : (error as Error).name
      if (!failing.has(key)) log.error('job-not-started', { id, error: code })
      failing.add(key)
      return 'delay'
    } finally {
      running.delete(key)
    }
  }

  return {
    async handle(message, delivery) {
      const key = `${message.owner}/${message.id}`
      if (handling.has(key)) {
        again.add(key)
        return 'delay'
      }
      handling.add(key)
      let disposition: Disposition = 'release'
      do {
        again.delete(key)
        if (!closed) disposition = await attempt(message, key, delivery)
      } while (again.has(key))
      handling.delete(key)
      return disposition
    },
    running: (owner, id) => running.get(`${owner}/${id}`),
    activeJobs: () => running.size,
    async finish(seconds) {
      const ended = Promise.allSettled([...running.values()].map(job => job.ended))
      const timer = new AbortController()
      const timeUp = sleep(seconds * 1000, undefined, { signal: timer.signal, ref: false }).catch(() => {})
      await Promise.race([ended, timeUp])
      timer.abort()
    },
    async close() {
      closed = true
      const all = [...running.values()]
      for (const job of all) job.stop('released')
      await Promise.allSettled(all.map(job => job.ended))
    },
  }
}

/** The recording of a job that was submitted here needs no second check for this long. */
const maxUncheckedMs = 60_000

/** After this many dead workers in a row without further progress, the job itself is the likely cause. */
const maxAttempts = 5

/** Leases the job for this worker, or says what becomes of its message. */
async function claim(owner: string, id: string, context: WorkerContext): Promise<Claim | Disposition> {
  const { workerId, repository, leases, queue, pipeline, cleanup, changes } = context
  let found: Job | undefined
  let isPoison = false
  const job = await repository.update(owner, id, now => {
    const isOpen = !isOver(now.state) && (now.lease?.worker === workerId || leases.isFree(now))
    const canRun = usesOurModels(now, pipeline) && (!queue.shared || isReachable(now))
    found = isOpen && canRun ? now : undefined
    if (!found) return undefined
    const attempts = countAttempt(now)
    isPoison = now.state === 'running' && attempts.count > maxAttempts
    if (isPoison) return failJob(poison(now))(now)
    const lease = newLease(workerId, leaseMs)
    return { state: 'running', lease, error: undefined, redeliveries: undefined, attempts }
  })
  if (isPoison) {
    log.error('poison', { id })
    await cleanup.cleanUpJob(job)
    changes.publish({ owner, id, listChanged: true })
    return 'ack'
  }
  if (found) return { job, before: found, resumed: !isFresh(found, workerId) }
  // The worker that holds it may die; the worker of a job that is over may have died before its cleanup.
  if (!isOver(job.state)) return 'delay'
  if (job.recording !== undefined && leases.isFree(job)) await cleanup.deleteUploads(owner, id)
  return 'ack'
}

/** Counts this attempt. Progress beyond all earlier attempts starts a new count. */
function countAttempt({ attempts = { count: 0, done: 0 }, progress }: Job): NonNullable<Job['attempts']> {
  const done = progress?.done ?? 0
  return done > attempts.done ? { count: 1, done } : { ...attempts, count: attempts.count + 1 }
}

function poison({ tool }: Job): SpeechError {
  const reason = `${maxAttempts} processes in a row died at the same point of this recording.`
  return new SpeechError('POISON', reason, {
    hint: `Convert the recording to another format, or look into the log of the server for why it ended; then call ${tool} again. Finished parts are not billed again.`,
  })
}

/** A job that has waited long, or was started before, has progress. */
function isFresh({ lease, progress, updatedAt }: Job, workerId: string): boolean {
  return lease?.worker === workerId && !progress && Date.now() - Date.parse(updatedAt) < maxUncheckedMs
}
