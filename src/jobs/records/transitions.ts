// State transitions of a job: the facts to write when it ends or fails.
import { describeError, isSpeechError } from '../../domain/errors.ts'
import type { Job, JobState } from '../../domain/job.ts'
import type { JobChange } from './job-repository.ts'

/** Ends a job. A recording passed as a `data:` URI is not kept: a new request passes it again. */
export function endJob(state: JobState): (now: Job) => JobChange {
  return ({ request }) => ({
    state,
    lease: undefined,
    progress: undefined,
    attempts: undefined,
    request: { ...request, audio: request.audio.startsWith('data:') ? 'data:' : request.audio },
  })
}

export function failJob(error: unknown): (now: Job) => JobChange {
  return now => ({ ...endJob('failed')(now), error: toJobError(error) })
}

/** An error in the three parts that a job stores. */
export function toJobError(error: unknown): NonNullable<Job['error']> {
  if (isSpeechError(error)) return { code: error.code, message: error.message, hint: error.hint }
  const [message = '', hint = ''] = describeError(error)
    .replace(/^INTERNAL: /, '')
    .split(/(?<=\.) /)
  return { code: 'INTERNAL', message, hint }
}
