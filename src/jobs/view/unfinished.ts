// The queued and running jobs of an owner, with their progress, for pages that show all of them.
import { isOver, type Job, type JobTool, type Progress } from '../../domain/job.ts'
import type { JobContext } from '../context.ts'
import { currentJob, progressOf } from '../watch.ts'
import { emptyTranscript } from './transcript-view.ts'

export interface UnfinishedJob {
  /** Of the job and its transcript, or of a batch. */
  id: string
  title: string
  tool: JobTool
  state: Job['state']
  progress: Progress
}

/** The store is asked at most this often, by all readers together: it lists the jobs of all owners. */
const readIntervalMs = 1_000

export function createUnfinished(context: JobContext) {
  let reading: Promise<Job[]> = Promise.resolve([])
  let readAt = Number.NEGATIVE_INFINITY

  function stored(): Promise<Job[]> {
    const now = performance.now()
    if (now - readAt >= readIntervalMs) {
      readAt = now
      reading = context.store.unfinishedJobs()
    }
    return reading
  }

  return async (owner: string): Promise<UnfinishedJob[]> => {
    const own = (await stored()).filter(job => job.owner === owner)
    const now = await Promise.all(own.map(({ id }) => currentJob(owner, id, context)))
    return now.flatMap(job => (job && !isOver(job.state) ? [shown(job)] : []))
  }

  function shown(job: Job): UnfinishedJob {
    const { id, tool, state } = job
    return { id, title: emptyTranscript(job).title, tool, state, progress: progressOf(job, context) }
  }
}
