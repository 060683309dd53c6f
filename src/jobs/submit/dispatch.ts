// Sees to it that somebody carries a queued job out: here, or on any machine that has a worker.
import { isSpeechError } from '../../domain/errors.ts'
import type { Job } from '../../domain/job.ts'
import type { Queue } from '../../domain/queue.ts'
import { log } from '../../log.ts'
import type { PipelinePorts } from '../../pipeline/transcribe.ts'
import type { Tidying } from '../records/cleanup.ts'
import { isAtHand, ticketOf } from '../records/job-message.ts'
import type { Ledger } from '../records/job-repository.ts'
import { failureOf } from '../view/transcript-view.ts'
import { over } from '../worker/leased-job.ts'
import type { Forwarding } from './upload-recording.ts'

/** Resolves when the job is on its way, or has failed because nobody can be told of it. Throws `STORE_*`. */
export type Dispatch = (job: Job) => Promise<void>

export interface DispatchHouse {
  queue: Queue
  ledger: Ledger
  pipeline: PipelinePorts
  forwarding: Forwarding
  tidying: Tidying
}

export function createDispatch(house: DispatchHouse): Dispatch {
  const { queue, ledger, pipeline, forwarding, tidying } = house

  async function send(job: Job): Promise<void> {
    try {
      await queue.send(ticketOf(job, pipeline))
    } catch (error) {
      log.warn('not-sent', { id: job.id, code: isSpeechError(error) ? error.code : 'INTERNAL' })
      // Whoever looks at the unfinished jobs next sends it again.
      if (!isSpeechError(error) || error.retryable) return
      const failed = await ledger.update(job.owner, job.id, now =>
        now.state === 'queued' && !now.lease
          ? { ...over('failed')(now), error: failureOf(error) }
          : undefined,
      )
      if (failed.state === 'failed') await tidying.desert(failed)
    }
  }

  return async job => {
    if (queue.shared && !isAtHand(job)) forwarding.begin(job, send)
    else await send(job)
  }
}
