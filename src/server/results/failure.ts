// Text of an error, for all answers of the server.
import { codeOf, describeError } from '../../domain/errors.ts'
import type { Jobs } from '../../jobs/jobs.ts'

/** As `describeError`. A transcript that is missing may be in a file that was set aside. */
export function describeFailure(error: unknown, jobs: Pick<Jobs, 'warnings'>): string {
  const more = codeOf(error) === 'TRANSCRIPT_NOT_FOUND' ? jobs.warnings() : []
  return [describeError(error), ...more].join(' ')
}
