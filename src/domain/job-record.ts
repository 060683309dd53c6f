// Record of a job: the JSON that stores keep. Its names are older than those in code, and stay, so that stored jobs stay readable.
import type { Job } from './job.ts'

/** A job as JSON with the stored names. */
export type JobRecord = Record<string, unknown>

const storedNames = new Map<string, string>(
  Object.entries({
    request: 'order',
    short: 'brief',
    uploadKey: 'laying',
    redeliveries: 'sent',
    attempts: 'tries',
  } satisfies { [Name in keyof Job]?: string }),
)
const codeNames = new Map([...storedNames].map(([name, stored]) => [stored, name]))

export function toRecord(job: Job): JobRecord {
  return withNames(job, storedNames)
}

export function fromRecord(record: JobRecord): Job {
  return withNames(record, codeNames) as unknown as Job
}

function withNames(facts: object, names: Map<string, string>): JobRecord {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [names.get(name) ?? name, value]))
}
