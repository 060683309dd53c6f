// Makes sure that a queued job reaches a worker: here, or on any machine that shares the queue.
import { codeOf, isSpeechError } from '../../domain/errors.ts'
import type { Job } from '../../domain/job.ts'
import { log } from '../../log.ts'
import type { Dispatch, JobContext } from '../context.ts'
import { isReachable, messageFor } from '../records/job-message.ts'
import { failJob } from '../records/transitions.ts'

type Context = Pick<JobContext, 'queue' | 'repository' | 'pipeline' | 'uploads' | 'cleanup'>

export function createDispatch({ queue, repository, pipeline, uploads, cleanup }: Context): Dispatch {
  async function send(job: Job): Promise<void> {
    try {
      await queue.send(messageFor(job, pipeline))
    } catch (error) {
      log.warn('not-sent', { id: job.id, code: codeOf(error) })
      // The next look at unfinished jobs sends it again.
      if (!isSpeechError(error) || error.retryable) return
      const failed = await repository.update(job.owner, job.id, now =>
        now.state === 'queued' && !now.lease ? failJob(error)(now) : undefined,
      )
      if (failed.state === 'failed') await cleanup.cleanUpJob(failed)
    }
  }

  return async job => {
    if (queue.shared && !isReachable(job)) uploads.start(job, send)
    else await send(job)
  }
}
