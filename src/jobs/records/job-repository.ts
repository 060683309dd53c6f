// Jobs and transcripts in the store, and at hand what the store could not take: what is paid for is handed out.
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import { isLegalMove, type Job } from '../../domain/job.ts'
import type { Store } from '../../domain/ports.ts'
import type { Transcript } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import { formatKey, isKeptFormat, type KeptFormat, withoutFormatted } from '../view/formatted.ts'
import { createUnstored, withoutLoss } from './write-behind.ts'

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
  /** One that cannot be stored is kept at hand, with a warning; or it throws. */
  keep(owner: string, transcript: Transcript): Promise<void>
  /** What was formatted of a transcript, of whatever words. Never rejects: without it there is still the transcript. */
  format(owner: string, id: string): Promise<KeptFormat | undefined>
  /** Takes the place of what was formatted before; what cannot be stored is kept at hand, with a warning. */
  keepFormat(owner: string, id: string, kept: KeptFormat): Promise<void>
  /** Removes the transcript and leaves its job. */
  drop(owner: string, id: string): Promise<void>
  /** Removes transcript, job and checkpoints; resolves with false where there was none of them. */
  remove(owner: string, id: string): Promise<boolean>
  /** Tries the store again with what it could not take. Never rejects. */
  settle(): Promise<void>
}

/**
 * Where machines share the store (`shared`), nothing of jobs and transcripts is kept at hand: others could not see it, and
 * would go by what the store has. There each write throws that the store does not take.
 */
export function createLedger(store: Store, { shared = false }: { shared?: boolean } = {}): Ledger {
  const unstored = createUnstored(store)

  /** What cannot be read is looked for in memory, and an error if it is not there either. */
  async function job(owner: string, id: string): Promise<Job | undefined> {
    return unstored.job(owner, id) ?? (await store.getJob(owner, id))
  }

  async function write(changed: Job): Promise<boolean> {
    if (unstored.job(changed.owner, changed.id)) return unstored.replaceJob(changed)
    try {
      return await store.replaceJob(changed)
    } catch (error) {
      if (shared) throw error
      unstored.holdJob(changed, error, changed.revision - 1)
      return true
    }
  }

  return {
    async add(given) {
      const { owner, id } = given
      await unstored.settle({ owner, id })
      const held = unstored.job(owner, id)
      if (held) return held
      try {
        return await store.addJob(given)
      } catch (error) {
        if (shared) throw error
        unstored.holdJob(given, error)
        return given
      }
    },
    job,
    async update(owner, id, change) {
      await unstored.settle({ owner, id })
      for (;;) {
        const found = await job(owner, id)
        if (!found) throw notFound()
        const changes = change(found)
        if (!changes) return found
        if (changes.state && changes.state !== found.state && !isLegalMove(found.state, changes.state))
          throw new Error(`A job cannot go from ${found.state} to ${changes.state}.`)
        const updatedAt = new Date().toISOString()
        const changed = withoutUndefined({ ...found, updatedAt, ...changes, revision: found.revision + 1 })
        if (await write(changed)) return changed
      }
    },
    async transcript(owner, id) {
      return unstored.transcript(owner, id) ?? (await store.getTranscript(owner, id))
    },
    async keep(owner, given) {
      const transcript = withoutFormatted(withoutLoss(given))
      try {
        await store.putTranscript(owner, transcript)
        unstored.forgetTranscript(owner, transcript.id)
      } catch (error) {
        if (shared) throw error
        unstored.holdTranscript(owner, transcript, error)
      }
    },
    async format(owner, id) {
      const held = unstored.format(owner, id)
      if (held) return held
      try {
        const kept = await store.getCheckpoint(owner, formatKey(id))
        return isKeptFormat(kept) ? kept : undefined
      } catch (error) {
        log.warn('format-not-read', { id, code: isSpeechError(error) ? error.code : 'INTERNAL' })
        return undefined
      }
    },
    async keepFormat(owner, id, kept) {
      try {
        await store.putCheckpoint(owner, formatKey(id), kept, id)
        unstored.forgetFormat(owner, id)
      } catch (error) {
        unstored.holdFormat(owner, id, kept, error)
      }
    },
    async drop(owner, id) {
      unstored.forgetTranscript(owner, id)
      await store.deleteTranscript(owner, id)
    },
    async remove(owner, id) {
      const wasHeld = unstored.job(owner, id) ?? unstored.transcript(owner, id)
      const found = await store.getJob(owner, id)
      const stored = await store.deleteTranscript(owner, id)
      await store.deleteJob(owner, id)
      await store.deleteCheckpoints(owner, id)
      unstored.forgetJob(owner, id)
      unstored.forgetTranscript(owner, id)
      unstored.forgetFormat(owner, id)
      return wasHeld !== undefined || stored || found !== undefined
    },
    settle: () => unstored.settle(),
  }
}

function withoutUndefined(job: JobChange): Job {
  return Object.fromEntries(Object.entries(job).filter(([, value]) => value !== undefined)) as unknown as Job
}

export function notFound(): SpeechError {
  return new SpeechError('TRANSCRIPT_NOT_FOUND', 'There is no transcript with this id.', {
    hint: 'search_transcripts lists the newest with their ids (tr_…), at a terminal `speech-mcp export`; or transcribe the recording again.',
  })
}
