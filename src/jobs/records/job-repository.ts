// Repository of jobs, transcripts and formatted texts: conditional writes, and legal state transitions only.
import { LRUCache } from 'lru-cache'
import { describeError, isSpeechError, SpeechError } from '../../domain/errors.ts'
import { isLegalTransition, type Job } from '../../domain/job.ts'
import type { Store } from '../../domain/ports.ts'
import { type Transcript, withoutFormatted } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import { formatCheckpointKey, isStoredFormat, type StoredFormat } from '../view/formatted.ts'
import { type UnsavedResults, withUnsavedResults } from './unsaved-results.ts'

/** An undefined fact is deleted from the job. */
export type JobChange = { [Fact in keyof Job]?: Job[Fact] | undefined }

export interface JobRepository {
  /** Resolves with the stored job: this one, or an earlier one with its id. */
  add(job: Job): Promise<Job>
  /** Undefined also for a job of another owner. */
  get(owner: string, id: string): Promise<Job | undefined>
  /**
   * Applies `change` to the current job, again until no other write came between. `change` may decline by returning
   * undefined. Resolves with the job after that. Throws `TRANSCRIPT_NOT_FOUND`, `STORE_*`, `DISK_FULL`.
   */
  update(owner: string, id: string, change: (job: Job) => JobChange | undefined): Promise<Job>
  getTranscript(owner: string, id: string): Promise<Transcript | undefined>
  saveTranscript(owner: string, transcript: Transcript): Promise<void>
  /** Formatted text of a transcript, possibly of earlier words. Never rejects: a reader can do without. */
  getFormat(owner: string, id: string): Promise<StoredFormat | undefined>
  /** Replaces the formatted text. One that cannot be stored stays in memory, with a warning. */
  saveFormat(owner: string, id: string, format: StoredFormat): Promise<void>
  /** Deletes the transcript and leaves its job. */
  deleteTranscript(owner: string, id: string): Promise<void>
  /** Deletes transcript, job and checkpoints; resolves with false where none of them existed. */
  remove(owner: string, id: string): Promise<boolean>
  keepResult: UnsavedResults['keepResult']
  flush: UnsavedResults['flush']
}

interface UnsavedFormat {
  owner: string
  id: string
  format: StoredFormat
  warning: string
}

const maxUnsavedFormats = 100
const formatLoss = 'The formatted text could not be stored and is lost when the server ends.'

/** `shared`: other machines read the store, so a failed write of a job or transcript is always an error. */
export function createJobRepository(
  store: Store,
  { shared = false }: { shared?: boolean } = {},
): JobRepository {
  const results = withUnsavedResults(store)
  const rows = shared ? store : results
  const unsavedFormats = new LRUCache<string, UnsavedFormat>({ max: maxUnsavedFormats })

  /** Offers the format to the store once more; resolves with what a reader gets. */
  async function offerFormat({ owner, id, format, warning }: UnsavedFormat): Promise<StoredFormat> {
    try {
      await store.putCheckpoint(owner, formatCheckpointKey(id), format, id)
      unsavedFormats.delete(`${owner}/${id}`)
      return format
    } catch {
      const { formatted } = format
      return { ...format, formatted: { ...formatted, warnings: [...formatted.warnings, warning] } }
    }
  }

  return {
    add: job => rows.addJob(job),
    get: (owner, id) => rows.getJob(owner, id),
    async update(owner, id, change) {
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
    getTranscript: (owner, id) => rows.getTranscript(owner, id),
    saveTranscript: (owner, transcript) => rows.putTranscript(owner, withoutFormatted(transcript)),
    async getFormat(owner, id) {
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
    async saveFormat(owner, id, format) {
      try {
        await store.putCheckpoint(owner, formatCheckpointKey(id), format, id)
        unsavedFormats.delete(`${owner}/${id}`)
      } catch (error) {
        log.error('format-not-stored', { id, code: codeOf(error) })
        unsavedFormats.set(`${owner}/${id}`, {
          owner,
          id,
          format,
          warning: `${formatLoss} ${describeError(error)}`,
        })
      }
    },
    async deleteTranscript(owner, id) {
      await rows.deleteTranscript(owner, id)
    },
    async remove(owner, id) {
      const found = await rows.getJob(owner, id)
      const isDeleted = await rows.deleteTranscript(owner, id)
      await rows.deleteJob(owner, id)
      await store.deleteCheckpoints(owner, id)
      unsavedFormats.delete(`${owner}/${id}`)
      return isDeleted || found !== undefined
    },
    keepResult: results.keepResult,
    async flush() {
      await results.flush()
      for (const held of [...unsavedFormats.values()]) await offerFormat(held)
    },
  }
}

function withoutUndefined(job: JobChange): Job {
  return Object.fromEntries(Object.entries(job).filter(([, value]) => value !== undefined)) as unknown as Job
}

function codeOf(error: unknown): string {
  return isSpeechError(error) ? error.code : 'INTERNAL'
}

export function notFound(): SpeechError {
  return new SpeechError('TRANSCRIPT_NOT_FOUND', 'There is no transcript with this id.', {
    hint: 'search_transcripts lists the newest with their ids (tr_…), at a terminal `speech-mcp export`; or transcribe the recording again.',
  })
}
