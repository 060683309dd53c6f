// Jobs and transcripts in the store, and in memory what the store could not take: what is paid for is handed out.
import { describeError, isSpeechError, SpeechError } from '../domain/errors.ts'
import { isLegalMove, isOver, type Job } from '../domain/job.ts'
import type { Store } from '../domain/ports.ts'
import type { Transcript } from '../domain/transcript.ts'
import { log } from '../log.ts'

/** A fact that is taken away is undefined. */
export type JobChange = { [Fact in keyof Job]?: Job[Fact] | undefined }

export interface Ledger {
  /** Resolves with the job that is there after it: this one, or an earlier one with its id. */
  add(job: Job): Promise<Job>
  /** Undefined also for what belongs to another owner. */
  job(owner: string, id: string): Promise<Job | undefined>
  /**
   * Writes what `change` makes of the job as it is now, again and again until nobody came between; `change` may decline
   * by giving undefined. Resolves with the job as it is then. Throws `TRANSCRIPT_NOT_FOUND`.
   */
  update(owner: string, id: string, change: (job: Job) => JobChange | undefined): Promise<Job>
  transcript(owner: string, id: string): Promise<Transcript | undefined>
  /** One that cannot be stored is kept at hand, with a warning. */
  keep(owner: string, transcript: Transcript): Promise<void>
  /** Removes the transcript and leaves its job. */
  drop(owner: string, id: string): Promise<void>
  /** Removes transcript, job and checkpoints; resolves with false where there was none of them. */
  remove(owner: string, id: string): Promise<boolean>
}

/** How many transcripts and jobs that could not be stored are kept at hand until the process ends. */
const mostUnsaved = 100

export function createLedger(store: Store): Ledger {
  const jobs = new Map<string, Job>()
  const transcripts = new Map<string, Transcript>()
  const keyOf = (owner: string, id: string) => `${owner}/${id}`

  /** What cannot be read is looked for in memory, and an error if it is not there either. */
  async function job(owner: string, id: string): Promise<Job | undefined> {
    return jobs.get(keyOf(owner, id)) ?? (await store.getJob(owner, id))
  }

  async function write(changed: Job): Promise<boolean> {
    const key = keyOf(changed.owner, changed.id)
    if (jobs.has(key)) {
      jobs.set(key, changed)
      return true
    }
    try {
      return await store.replaceJob(changed)
    } catch (error) {
      logUnsaved('job-not-stored', changed.id, error)
      hold(jobs, key, changed)
      return true
    }
  }

  return {
    async add(given) {
      const key = keyOf(given.owner, given.id)
      const held = jobs.get(key)
      if (held) return held
      try {
        return await store.addJob(given)
      } catch (error) {
        logUnsaved('job-not-stored', given.id, error)
        hold(jobs, key, given)
        return given
      }
    },
    job,
    async update(owner, id, change) {
      for (;;) {
        const found = await job(owner, id)
        if (!found) throw notFound()
        const changes = change(found)
        if (!changes) return found
        if (changes.state && changes.state !== found.state && !isLegalMove(found.state, changes.state))
          throw new Error(`A job cannot go from ${found.state} to ${changes.state}.`)
        const updatedAt = new Date().toISOString()
        const changed = withoutUndefined({ ...found, ...changes, updatedAt, revision: found.revision + 1 })
        if (await write(changed)) return changed
      }
    },
    async transcript(owner, id) {
      return transcripts.get(keyOf(owner, id)) ?? (await store.getTranscript(owner, id))
    },
    async keep(owner, transcript) {
      const key = keyOf(owner, transcript.id)
      try {
        await store.putTranscript(owner, transcript)
        transcripts.delete(key)
      } catch (error) {
        logUnsaved('transcript-not-stored', transcript.id, error)
        const warning = `The transcript could not be stored and is lost when the server ends. ${describeError(error)}`
        const kept = { ...transcript, warnings: [...transcript.warnings, warning] }
        hold(transcripts, key, kept)
      }
    },
    async drop(owner, id) {
      transcripts.delete(keyOf(owner, id))
      await store.deleteTranscript(owner, id)
    },
    async remove(owner, id) {
      const key = keyOf(owner, id)
      const [heldJob, heldTranscript] = [jobs.delete(key), transcripts.delete(key)]
      const found = await store.getJob(owner, id)
      const stored = await store.deleteTranscript(owner, id)
      await store.deleteJob(owner, id)
      await store.forgetCheckpoints(owner, id)
      return heldJob || heldTranscript || stored || found !== undefined
    },
  }
}

/** The oldest go first, but no job that is under way. */
function hold<T extends Job | Transcript>(held: Map<string, T>, key: string, value: T): void {
  held.set(key, value)
  if (held.size <= mostUnsaved) return
  const oldest = [...held].find(([, one]) => !('state' in one) || isOver(one.state))
  if (oldest) held.delete(oldest[0])
}

function logUnsaved(event: string, id: string, error: unknown): void {
  log.error(event, { id, code: isSpeechError(error) ? error.code : 'INTERNAL' })
}

function withoutUndefined(job: JobChange): Job {
  return Object.fromEntries(Object.entries(job).filter(([, value]) => value !== undefined)) as unknown as Job
}

export function notFound(): SpeechError {
  return new SpeechError('TRANSCRIPT_NOT_FOUND', 'There is no transcript with this id.', {
    hint: 'search_transcripts lists the newest with their ids (tr_…), at a terminal `speech-mcp export`; or transcribe the recording again.',
  })
}
