// Worker: leases the job of a message, and runs it.
import { setMaxListeners } from 'node:events'
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
import { createSuspects, type EndTurn, type MustPause } from './suspects.ts'

export function createWorker(context: WorkerContext): Worker {
  const stopping = new AbortController()
  // Each suspect that waits for its turn adds a listener.
  setMaxListeners(0, stopping.signal)
  const { mustPause, takeTurn } = createSuspects(context.workerId, stopping.signal)
  const running = new Map<string, RunningJob>()
  const handling = new Set<string>()
  /** Jobs with a further message: they may have been submitted again while they ended. */
  const again = new Set<string>()
  /** Jobs that could not be leased. They are sent again and again, and logged once. */
  const failing = new Set<string>()
  let closed = false

  async function attempt({ owner, id }: JobMessage, key: string, delivery: Delivery): Promise<Disposition> {
    let endTurn: EndTurn | undefined
    try {
      let claimed = await claim(owner, id, context, { mustPause, isItsTurn: false })
      if (claimed === 'suspect') {
        endTurn = await takeTurn()
        if (stopping.signal.aborted) return 'release'
        if (!endTurn) return 'delay'
        claimed = await claim(owner, id, context, { mustPause, isItsTurn: true })
      }
      failing.delete(key)
      if (typeof claimed === 'string') return claimed as Disposition
      const job = runJob(claimed, context, delivery, endTurn)
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
      endTurn?.()
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
        if (!stopping.signal.aborted) disposition = await attempt(message, key, delivery)
      } while (again.has(key))
      handling.delete(key)
      return disposition
    },
    running: (owner, id) => running.get(`${owner}/${id}`),
    activeJobs: () => running.size,
    stopTaking: () => stopping.abort(),
    async finish(seconds) {
      const ended = Promise.allSettled([...running.values()].map(job => job.ended))
      const timer = new AbortController()
      const timeUp = sleep(seconds * 1000, undefined, { signal: timer.signal, ref: false }).catch(() => {})
      await Promise.race([ended, timeUp])
      timer.abort()
    },
    async close() {
      stopping.abort()
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

/** Leases the job for this worker, or says what becomes of its message. A suspect is leased only in its turn. */
async function claim(
  owner: string,
  id: string,
  context: WorkerContext,
  { mustPause, isItsTurn }: { mustPause: MustPause; isItsTurn: boolean },
): Promise<Claim | Disposition | 'suspect'> {
  const { workerId, repository, leases, queue, pipeline, cleanup, changes } = context
  let before: Job
  let outcome: 'free' | 'held' | 'suspect' | 'poison'

  function judge(now: Job): typeof outcome {
    const isOpen = !isOver(now.state) && (now.lease?.worker === workerId || leases.isFree(now))
    const canRun = usesOurModels(now, pipeline) && (!queue.shared || isReachable(now))
    if (!isOpen || !canRun) return 'held'
    const deaths = countDeaths(now, workerId)
    if (deaths >= maxAttempts) return 'poison'
    if (mustPause(now, deaths)) return 'held'
    return deaths > 0 && !isItsTurn ? 'suspect' : 'free'
  }

  const job = await repository.update(owner, id, now => {
    before = now
    outcome = judge(now)
    if (outcome === 'poison') return failJob(poison(now))(now)
    if (outcome !== 'free') return undefined
    const attempts = { count: countDeaths(now, workerId) + 1 }
    const lease = newLease(workerId, leaseMs)
    return { state: 'running', lease, error: undefined, redeliveries: undefined, attempts }
  })
  if (outcome! === 'free') return { job, before: before!, resumed: !isFresh(before!, workerId) }
  if (outcome! === 'suspect') return 'suspect'
  if (outcome! === 'poison') {
    log.error('poison', { id })
    await cleanup.cleanUpJob(job)
    changes.publish({ owner, id, listChanged: true })
    return 'ack'
  }
  // The worker that holds it may die; the worker of a job that is over may have died before its cleanup.
  if (!isOver(job.state)) return 'delay'
  if (job.recording !== undefined && leases.isFree(job)) await cleanup.deleteUploads(owner, id)
  return 'ack'
}

/** Workers that have died in a row without getting on. This one lives, so what it has started itself says nothing. */
function countDeaths({ state, lease, attempts }: Job, workerId: string): number {
  const isOwn = state === 'running' && lease?.worker === workerId
  return Math.max(0, (attempts?.count ?? 0) - (isOwn ? 1 : 0))
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
