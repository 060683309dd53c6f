// Repository of jobs, transcripts and formatted texts: conditional writes, and legal state transitions only.
import { LRUCache } from 'lru-cache'
import { codeOf, describeError, SpeechError } from '../../domain/errors.ts'
import { isLegalTransition, type Job } from '../../domain/job.ts'
import type { Store } from '../../domain/ports.ts'
import { type Transcript, withoutFormatted } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import { formatCheckpointKey, isStoredFormat, type StoredFormat } from '../view/formatted.ts'
import { type JobStore, withUnsavedResults } from './unsaved-results.ts'

/** An undefined fact is deleted from the job. */
export type JobChange = { [Fact in keyof Job]?: Job[Fact] | undefined }

export type JobRepository = ReturnType<typeof createJobRepository>

interface UnsavedFormat {
  owner: string
  id: string
  format: StoredFormat
}

const maxUnsavedFormats = 100
const formatLoss = 'The formatted text could not be stored and is lost when the server ends.'

/** `shared`: other machines read the store, so a failed write of a job or transcript is always an error. */
export function createJobRepository(store: Store, { shared = false }: { shared?: boolean } = {}) {
  const results = withUnsavedResults(store)
  const rows: JobStore = shared ? store : results
  const unsavedFormats = new LRUCache<string, UnsavedFormat>({ max: maxUnsavedFormats })

  /** Offers a format to the store, and keeps what it does not take; resolves with what a reader gets. */
  async function offerFormat({ owner, id, format }: UnsavedFormat): Promise<StoredFormat> {
    const key = `${owner}/${id}`
    try {
      await store.putCheckpoint(owner, formatCheckpointKey(id), format, id)
      unsavedFormats.delete(key)
      return format
    } catch (error) {
      if (!unsavedFormats.has(key)) log.error('format-not-stored', { id, code: codeOf(error) })
      unsavedFormats.set(key, { owner, id, format })
      const { formatted } = format
      const warnings = [...formatted.warnings, `${formatLoss} ${describeError(error)}`]
      return { ...format, formatted: { ...formatted, warnings } }
    }
  }

  return {
    /** Resolves with the stored job: this one, or an earlier one with its id. */
    add: (job: Job, mayBeLost?: boolean): Promise<Job> => rows.addJob(job, mayBeLost),
    /** Undefined also for a job of another owner. */
    get: (owner: string, id: string): Promise<Job | undefined> => rows.getJob(owner, id),
    /**
     * Applies `change` to the current job, again until no other write came between. `change` may decline by returning
     * undefined. Resolves with the job after that. Throws `TRANSCRIPT_NOT_FOUND`, `STORE_*`, `DISK_FULL`.
     */
    async update(owner: string, id: string, change: (job: Job) => JobChange | undefined): Promise<Job> {
      for (;;) {
        const found = await rows.getJob(owner, id)
        if (!found) throw notFound()
        const changes = change(found)
        if (!changes) return found
        if (changes.state && changes.state !== found.state && !isLegalTransition(found.state, changes.state))
          throw new Error(`A job cannot go from ${found.state} to ${changes.state}.`)
        const updatedAt = new Date().toISOString()
        const changed = withoutUndefined({ ...found, updatedAt, ...changes, revision: found.revision + 1 })
        if (await rows.replaceJob(changed)) return changed
      }
    },
    getTranscript: (owner: string, id: string) => rows.getTranscript(owner, id),
    saveTranscript: (owner: string, transcript: Transcript) =>
      rows.putTranscript(owner, withoutFormatted(transcript)),
    /** Formatted text of a transcript, possibly of earlier words. Never rejects: a reader can do without. */
    async getFormat(owner: string, id: string): Promise<StoredFormat | undefined> {
      const held = unsavedFormats.get(`${owner}/${id}`)
      if (held) return offerFormat(held)
      try {
        const stored = await store.getCheckpoint(owner, formatCheckpointKey(id))
        return isStoredFormat(stored) ? stored : undefined
      } catch (error) {
        log.warn('format-not-read', { id, code: codeOf(error) })
        return undefined
      }
    },
    /** Replaces the formatted text. One that cannot be stored stays in memory, with a warning. */
    async saveFormat(owner: string, id: string, format: StoredFormat): Promise<void> {
      unsavedFormats.delete(`${owner}/${id}`)
      await offerFormat({ owner, id, format })
    },
    /** Deletes the transcript and leaves its job. */
    deleteTranscript: (owner: string, id: string) => rows.deleteTranscript(owner, id),
    /** Deletes transcript, job and checkpoints; resolves with false where none of them existed. */
    async remove(owner: string, id: string): Promise<boolean> {
      const found = await rows.getJob(owner, id)
      const isDeleted = await rows.deleteTranscript(owner, id)
      await rows.deleteJob(owner, id)
      await store.deleteCheckpoints(owner, id)
      unsavedFormats.delete(`${owner}/${id}`)
      return isDeleted || found !== undefined
    },
    keepResult: results.keepResult,
    async flush(): Promise<void> {
      await results.flush()
      for (const held of [...unsavedFormats.values()]) await offerFormat(held)
    },
  }
}

function withoutUndefined(job: JobChange): Job {
  return Object.fromEntries(Object.entries(job).filter(([, value]) => value !== undefined)) as unknown as Job
}

export function notFound(): SpeechError {
  return new SpeechError('TRANSCRIPT_NOT_FOUND', 'There is no transcript with this id.', {
    hint: 'search_transcripts lists the newest with their ids (tr_…), at a terminal `speech-mcp list`; or transcribe the recording again.',
  })
}
