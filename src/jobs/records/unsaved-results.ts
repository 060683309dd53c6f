// Results that the store does not take: the calls of this process get them all the same, with a warning.
import { LRUCache } from 'lru-cache'
import { codeOf, describeError, isSpeechError, SpeechError } from '../../domain/errors.ts'
import { isOver, type Job } from '../../domain/job.ts'
import type { Store } from '../../domain/ports.ts'
import { isUnsavedWarning, type Transcript, unsavedWarning } from '../../domain/transcript.ts'
import { log } from '../../log.ts'

export interface JobStore
  extends Pick<
    Store,
    'getJob' | 'replaceJob' | 'deleteJob' | 'getTranscript' | 'putTranscript' | 'deleteTranscript'
  > {
  /** A job that may be lost runs although it cannot be added. Throws `STORE_*`, `DISK_FULL`. */
  addJob(job: Job, mayBeLost?: boolean): Promise<Job>
}

interface UnsavedResults extends JobStore {
  /** Keeps the job as it ended, and its transcript unless the store has it. `error` says why it has not. */
  keepResult(job: Job, unsaved?: { transcript: Transcript | undefined; error: unknown }): void
  /** Offers all results to the store once more. Never rejects. */
  flush(): Promise<void>
}

interface Result {
  job: Job
  transcript?: Transcript
  warning: string
  /** The store’s losses at that time: a store that was set aside since has lost the job's row, too. */
  losses: number
}

const maxResults = 100

/**
 * A store as one process sees it. A job that may be lost runs although it cannot be added, and stays in memory. The row of
 * any other job is left alone until the store takes the result; a row that another process has changed wins.
 */
export function withUnsavedResults(store: Store): UnsavedResults {
  const unrecorded = new Map<string, Job>()
  const results = new LRUCache<string, Result>({
    max: maxResults,
    dispose: (_, key, reason) => reason === 'evict' && unrecorded.delete(key),
  })

  async function offer(key: string, { job, transcript, losses }: Result): Promise<void> {
    const { owner, id, revision } = job
    const row = unrecorded.has(key) ? undefined : await store.getJob(owner, id)
    const isNew = unrecorded.has(key) || (row === undefined && store.losses() !== losses)
    const isWanted = isNew || row?.revision === revision
    if (isWanted && transcript) await store.putTranscript(owner, transcript)
    if (isNew) await store.addJob(job)
    else if (isWanted) await store.replaceJob({ ...job, revision: revision + 1 })
    unrecorded.delete(key)
    results.delete(key)
    log.info(isWanted ? 'result-stored-late' : 'result-outdated', { id })
  }

  async function offered(key: string): Promise<Result | undefined> {
    const result = results.get(key)
    if (result) await offer(key, result).catch(() => {})
    return results.get(key)
  }

  /** Resolves with false where another process has added the same job meanwhile. */
  async function record(key: string, job: Job): Promise<boolean> {
    const added = await store.addJob(job).catch(() => undefined)
    if (added) unrecorded.delete(key)
    else unrecorded.set(key, job)
    return !added || (added.revision === job.revision && added.updatedAt === job.updatedAt)
  }

  return {
    async addJob(job, mayBeLost = false) {
      const key = keyOf(job.owner, job.id)
      const known = (await offered(key))?.job ?? unrecorded.get(key)
      if (known) return known
      try {
        return await store.addJob(job)
      } catch (error) {
        // A store that takes nothing can often be read.
        const found = await store.getJob(job.owner, job.id).catch(() => undefined)
        if (found) return found
        log.error('job-not-stored', { id: job.id, code: codeOf(error) })
        const isPassing = isSpeechError(error) && error.retryable
        if (!mayBeLost && !isPassing) throw notKept(error)
        unrecorded.set(key, job)
        return job
      }
    },
    async getJob(owner, id) {
      const key = keyOf(owner, id)
      return results.get(key)?.job ?? unrecorded.get(key) ?? (await store.getJob(owner, id))
    },
    async replaceJob(job) {
      const key = keyOf(job.owner, job.id)
      if (results.has(key) && !(await offered(key))) return false
      const isReplaced = unrecorded.has(key) ? await record(key, job) : await store.replaceJob(job)
      const result = results.get(key)
      if (result && isReplaced && isOver(job.state)) results.set(key, { ...result, job })
      else results.delete(key)
      return isReplaced
    },
    async deleteJob(owner, id) {
      await store.deleteJob(owner, id)
      results.delete(keyOf(owner, id))
      unrecorded.delete(keyOf(owner, id))
    },
    async getTranscript(owner, id) {
      const result = results.get(keyOf(owner, id))
      if (!result) return store.getTranscript(owner, id)
      const { transcript, warning } = result
      if (transcript) return { ...transcript, warnings: [...transcript.warnings, warning] }
      return store.getTranscript(owner, id).catch(() => undefined)
    },
    async putTranscript(owner, transcript) {
      const key = keyOf(owner, transcript.id)
      const result = results.get(key)
      const warnings = transcript.warnings.filter(warning => !isUnsavedWarning(warning))
      if (result?.transcript) results.set(key, { ...result, transcript: { ...transcript, warnings } })
      await store.putTranscript(owner, { ...transcript, warnings })
    },
    deleteTranscript: store.deleteTranscript,
    keepResult(job, unsaved) {
      const { transcript } = unsaved ?? {}
      const warning = transcript ? `${unsavedWarning} ${describeError(unsaved?.error)}` : ''
      if (unsaved) log.error('result-not-stored', { id: job.id, code: codeOf(unsaved.error) })
      else log.error('end-not-stored', { id: job.id, state: job.state })
      results.set(keyOf(job.owner, job.id), { job, transcript, warning, losses: store.losses() })
    },
    async flush() {
      for (const [key, result] of [...results.entries()]) await offer(key, result).catch(() => {})
    },
  }
}

/** A recording is not paid for where it is known that its transcript cannot be kept. */
function notKept(error: unknown): unknown {
  if (!isSpeechError(error)) return error
  const { code, message, hint } = error
  return new SpeechError(
    code,
    `${message} Nothing was transcribed, because the transcript could not be kept.`,
    {
      hint: `${hint} Or call again with allow_unsaved: true: the text is then lost when the server ends.`,
      cause: error,
    },
  )
}

function keyOf(owner: string, id: string): string {
  return `${owner}/${id}`
}
