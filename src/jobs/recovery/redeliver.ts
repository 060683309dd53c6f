// Redelivers jobs of a shared queue that no worker runs: jobs of dead workers, and jobs whose message was lost.
import { LRUCache } from 'lru-cache'
import { SpeechError } from '../../domain/errors.ts'
import type { Job } from '../../domain/job.ts'
import { log } from '../../log.ts'
import { identify } from '../../pipeline/source/source.ts'
import type { JobContext } from '../context.ts'
import { createCheckpoints } from '../records/checkpoints.ts'
import { isReachable } from '../records/job-message.ts'
import type { JobChange } from '../records/job-repository.ts'
import { failJob } from '../records/transitions.ts'

/** Does what is due for an unfinished job that no worker holds. Throws `STORE_*`. */
export type Redeliver = (job: Job) => Promise<void>

export type RedeliveryContext = Pick<
  JobContext,
  'leases' | 'repository' | 'store' | 'pipeline' | 'dispatch' | 'cleanup' | 'closing'
>

/** A queued job without any change for this long is sent once more; the time doubles with each redelivery. */
const firstRedeliveryMs = 20_000
const maxDoublings = 8
/** The machine that has the file may be started again within this time. */
const maxMissingFileMs = 3_600_000
const maxJobsSeen = 10_000

/**
 * Every machine that looks at unfinished jobs runs this. Times are measured by the machine's own steady clock from the
 * moment it first saw a revision, so that a wrong clock neither sends nor fails anything.
 */
export function createRedelivery(context: RedeliveryContext): Redeliver {
  const { leases, repository, store, pipeline, dispatch, cleanup, closing } = context
  const seen = new LRUCache<string, { revision: number; at: number }>({ max: maxJobsSeen })

  function unchangedMs({ owner, id, revision }: Job): number {
    const key = `${owner}/${id}`
    const before = seen.get(key)
    if (before?.revision === revision) return performance.now() - before.at
    seen.set(key, { revision, at: performance.now() })
    return 0
  }

  /** Writes the job unless another machine was first; resolves with the job if it was written. */
  async function change(job: Job, facts: (now: Job) => JobChange): Promise<Job | undefined> {
    let isUnchanged = false
    const written = await repository.update(job.owner, job.id, now => {
      isUnchanged = now.revision === job.revision && leases.isFree(now)
      return isUnchanged ? facts(now) : undefined
    })
    return isUnchanged ? written : undefined
  }

  async function sendAgain(job: Job): Promise<void> {
    const { redeliveries = 0, updatedAt } = job
    if (unchangedMs(job) < firstRedeliveryMs * 2 ** Math.min(redeliveries, maxDoublings)) return
    // Its waiting time counts from the request, however often it is sent.
    const changed = await change(job, () => ({ redeliveries: redeliveries + 1, updatedAt }))
    if (!changed) return
    log.info('sent-again', { id: job.id })
    await dispatch(changed)
  }

  /** The machine that was to upload the file has stopped; this machine may have the same file. */
  async function lookForFile(job: Job): Promise<void> {
    const checkpoints = createCheckpoints(store, job.owner, '')
    const run = { owner: job.owner, signal: closing, checkpoints }
    const found = await identify(job.request.audio, pipeline, run).catch(() => undefined)
    if (found?.hash !== undefined && found.hash === job.content) return dispatch(job)
    if (unchangedMs(job) < maxMissingFileMs) return
    const reason = 'The machine that has the file stopped before it uploaded the file.'
    const error = new SpeechError('RECORDING_LOST', reason, {
      hint: `Call ${job.tool} again to transcribe it.`,
    })
    const failed = await change(job, failJob(error))
    if (failed) await cleanup.cleanUpJob(failed)
  }

  return async job => {
    const isRunning = job.state === 'running'
    const queued = isRunning ? await change(job, () => ({ state: 'queued', lease: undefined })) : job
    if (!queued) return
    if (isRunning) log.info('resumed', { id: job.id })
    if (!isReachable(queued)) await lookForFile(queued)
    else if (isRunning) await dispatch(queued)
    else await sendAgain(queued)
  }
}
