// Jobs of a shared queue that nobody carries out: those of dead workers, and those whose message was lost.
import { SpeechError } from '../../domain/errors.ts'
import type { Job } from '../../domain/job.ts'
import type { Store } from '../../domain/ports.ts'
import { log } from '../../log.ts'
import { identify } from '../../pipeline/source/source.ts'
import type { PipelinePorts } from '../../pipeline/transcribe.ts'
import { createCheckpoints } from '../records/checkpoints.ts'
import type { Tidying } from '../records/cleanup.ts'
import { isAtHand } from '../records/job-message.ts'
import type { JobChange, Ledger } from '../records/job-repository.ts'
import type { Leases } from '../records/lease.ts'
import type { Dispatch } from '../submit/dispatch.ts'
import { failureOf } from '../view/transcript-view.ts'
import { over } from '../worker/leased-job.ts'

export interface Unclaimed {
  /** Does what is due for a job that is not over and that nobody holds. Throws `STORE_*`. */
  lookAt(job: Job): Promise<void>
}

export interface UnclaimedHouse {
  leases: Leases
  ledger: Ledger
  store: Store
  pipeline: PipelinePorts
  dispatch: Dispatch
  tidying: Tidying
  closing: AbortSignal
}

/** A queued job to which nothing happens for so long is sent once more; each time, twice as long is waited. In milliseconds. */
const patience = 20_000
const mostDoublings = 8
/** A machine that has the file may be started again within this time. */
const fileTime = 3_600_000
const mostSeen = 10_000

/**
 * Whoever looks at jobs does this on every machine. Times are taken by our own steady clock from when a revision was
 * first seen, so that no wrong clock sends or fails anything.
 */
export function createUnclaimed(house: UnclaimedHouse): Unclaimed {
  const { leases, ledger, store, pipeline, dispatch, tidying, closing } = house
  const seen = new Map<string, { revision: number; at: number }>()

  function unchangedFor({ owner, id, revision }: Job): number {
    const key = `${owner}/${id}`
    const before = seen.get(key)
    if (before?.revision === revision) return performance.now() - before.at
    seen.delete(key)
    seen.set(key, { revision, at: performance.now() })
    const [oldest] = seen.keys()
    if (seen.size > mostSeen && oldest !== undefined) seen.delete(oldest)
    return 0
  }

  /** Writes it unless somebody else came first; resolves with the job if it was written. */
  async function change(job: Job, facts: (now: Job) => JobChange): Promise<Job | undefined> {
    let isOurs = false
    const written = await ledger.update(job.owner, job.id, now => {
      isOurs = now.revision === job.revision && leases.isFree(now)
      return isOurs ? facts(now) : undefined
    })
    return isOurs ? written : undefined
  }

  async function sendAgain(job: Job): Promise<void> {
    const { sent = 0, updatedAt } = job
    if (unchangedFor(job) < patience * 2 ** Math.min(sent, mostDoublings)) return
    // It waits since it was ordered, however often it is sent.
    const changed = await change(job, () => ({ sent: sent + 1, updatedAt }))
    if (!changed) return
    log.info('sent-again', { id: job.id })
    await dispatch(changed)
  }

  /** Whoever had its file, and was to lay it where workers are, is gone: perhaps it lies here, too. */
  async function lookForFile(job: Job): Promise<void> {
    const checkpoints = createCheckpoints(store, job.owner, '')
    const found = await identify(job.order.audio, pipeline, { signal: closing, checkpoints }).catch(
      () => undefined,
    )
    if (found?.hash !== undefined && found.hash === job.content) return dispatch(job)
    if (unchangedFor(job) < fileTime) return
    const error = new SpeechError(
      'RECORDING_LOST',
      'The machine that had the file has stopped before it was sent.',
      {
        hint: `Call ${job.tool} again to have it heard.`,
      },
    )
    const failed = await change(job, now => ({ ...over('failed')(now), error: failureOf(error) }))
    if (failed) await tidying.desert(failed)
  }

  return {
    async lookAt(job) {
      const isRunning = job.state === 'running'
      const queued = isRunning ? await change(job, () => ({ state: 'queued', lease: undefined })) : job
      if (!queued) return
      if (isRunning) log.info('resumed', { id: job.id })
      if (!isAtHand(queued)) await lookForFile(queued)
      else if (isRunning) await dispatch(queued)
      else await sendAgain(queued)
    },
  }
}
