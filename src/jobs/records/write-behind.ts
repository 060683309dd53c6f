// What the store could not take: kept at hand, tried again, and dropped where another process has moved on.
import { describeError, isSpeechError } from '../../domain/errors.ts'
import { isOver, type Job } from '../../domain/job.ts'
import type { Store } from '../../domain/ports.ts'
import type { Transcript } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import { formatKey, type KeptFormat } from '../view/formatted.ts'

export interface Unstored {
  job(owner: string, id: string): Job | undefined
  transcript(owner: string, id: string): Transcript | undefined
  /** `read`: the revision that the store had; absent where it had none. */
  holdJob(job: Job, error: unknown, read?: number): void
  /** Takes the place of what is held; false where that is not the revision before. */
  replaceJob(job: Job): boolean
  holdTranscript(owner: string, transcript: Transcript, error: unknown): void
  /** What was formatted of a transcript; its warnings say that it was not stored. */
  format(owner: string, id: string): KeptFormat | undefined
  holdFormat(owner: string, id: string, kept: KeptFormat, error: unknown): void
  forgetFormat(owner: string, id: string): void
  forgetJob(owner: string, id: string): void
  forgetTranscript(owner: string, id: string): void
  /** Tries the store again, for all or for one. Never rejects: what it still does not take stays held. */
  settle(one?: { owner: string; id: string }): Promise<void>
}

interface HeldJob {
  job: Job
  read: number | undefined
  /** What the store had set aside then: in a file that was begun anew since, nothing was removed by anybody. */
  notice: string | undefined
}

interface HeldTranscript {
  owner: string
  transcript: Transcript
  warning: string
}

interface HeldFormat {
  owner: string
  id: string
  kept: KeptFormat
  warning: string
}

const loss = 'The transcript could not be stored and is lost when the server ends.'
const formatLoss = 'The formatted text could not be stored and is lost when the server ends.'
/** How many transcripts and jobs are kept at hand until the process ends. */
const mostHeld = 100

export function createUnstored(store: Store): Unstored {
  const jobs = new Map<string, HeldJob>()
  const transcripts = new Map<string, HeldTranscript>()
  const formats = new Map<string, HeldFormat>()
  let settling: Promise<void> | undefined

  /** Resolves with the revision that the store has then; undefined where it has another than the one that was read. */
  async function storeJob({ job, read, notice }: HeldJob): Promise<number | undefined> {
    if (read === undefined || store.warning() !== notice) {
      const stored = await store.addJob(job)
      return isSame(stored, job) ? job.revision : undefined
    }
    const revision = read + 1
    return (await store.replaceJob({ ...job, revision })) ? revision : undefined
  }

  async function settleJob(key: string): Promise<void> {
    const held = jobs.get(key)
    if (!held) return
    const revision = await storeJob(held)
    const now = jobs.get(key)
    // What was written meanwhile goes on from what the store has now.
    if (now && now !== held && revision !== undefined) jobs.set(key, { ...now, read: revision })
    else jobs.delete(key)
    log.info(revision === undefined ? 'job-moved-on' : 'job-stored-late', { id: held.job.id })
  }

  async function settleTranscript(key: string): Promise<void> {
    const held = transcripts.get(key)
    if (!held) return
    const { owner, transcript } = held
    const job = await store.getJob(owner, transcript.id)
    // While somebody works on it nobody knows yet which one will be worth more.
    if (job && !isOver(job.state)) return
    const stored = await store.getTranscript(owner, transcript.id)
    if (isWanted(transcript, job, stored)) {
      const title = job?.order.title ?? transcript.title
      await store.putTranscript(owner, { ...transcript, title })
    }
    if (transcripts.get(key) === held) transcripts.delete(key)
  }

  /** Where the transcript is gone there is nothing that it would be beside. */
  async function settleFormat(key: string): Promise<void> {
    const held = formats.get(key)
    if (!held || transcripts.has(key)) return
    const { owner, id, kept } = held
    if (await store.getTranscript(owner, id)) await store.putCheckpoint(owner, formatKey(id), kept, id)
    if (formats.get(key) === held) formats.delete(key)
  }

  async function settleAll(): Promise<void> {
    for (const key of [...jobs.keys()]) if (!(await isSettled(key, settleJob, jobs))) return
    for (const key of [...transcripts.keys()])
      if (!(await isSettled(key, settleTranscript, transcripts))) return
    for (const key of [...formats.keys()]) if (!(await isSettled(key, settleFormat, formats))) return
  }

  /** Where the store fails with one, it would with the others: the next attempt begins with another. */
  async function isSettled<T>(
    key: string,
    settleOne: (key: string) => Promise<void>,
    held: Map<string, T>,
  ): Promise<boolean> {
    try {
      await settleOne(key)
      return true
    } catch {
      const value = held.get(key)
      if (value !== undefined && held.delete(key)) held.set(key, value)
      return false
    }
  }

  return {
    job: (owner, id) => jobs.get(keyOf(owner, id))?.job,
    transcript(owner, id) {
      const held = transcripts.get(keyOf(owner, id))
      return held && { ...held.transcript, warnings: [...held.transcript.warnings, held.warning] }
    },
    holdJob(job, error, read) {
      logUnsaved('job-not-stored', job.id, error)
      hold(jobs, keyOf(job.owner, job.id), { job, read, notice: store.warning() }, ({ job }) =>
        isOver(job.state),
      )
    },
    replaceJob(job) {
      const key = keyOf(job.owner, job.id)
      const held = jobs.get(key)
      if (held?.job.revision !== job.revision - 1) return false
      jobs.set(key, { ...held, job })
      return true
    },
    holdTranscript(owner, transcript, error) {
      logUnsaved('transcript-not-stored', transcript.id, error)
      const warning = `${loss} ${describeError(error)}`
      hold(transcripts, keyOf(owner, transcript.id), { owner, transcript, warning }, () => true)
    },
    format(owner, id) {
      const held = formats.get(keyOf(owner, id))
      if (!held) return undefined
      const { formatted } = held.kept
      return { ...held.kept, formatted: { ...formatted, warnings: [...formatted.warnings, held.warning] } }
    },
    holdFormat(owner, id, kept, error) {
      logUnsaved('format-not-stored', id, error)
      const warning = `${formatLoss} ${describeError(error)}`
      hold(formats, keyOf(owner, id), { owner, id, kept, warning }, () => true)
    },
    forgetFormat: (owner, id) => void formats.delete(keyOf(owner, id)),
    forgetJob: (owner, id) => void jobs.delete(keyOf(owner, id)),
    forgetTranscript: (owner, id) => void transcripts.delete(keyOf(owner, id)),
    async settle(one) {
      if (jobs.size + transcripts.size + formats.size === 0) return
      // One at a time: two would write the same revision, and take each other for another process.
      while (settling) await settling
      const work = async () => {
        if (!one) return settleAll()
        const key = keyOf(one.owner, one.id)
        const isWell =
          (await isSettled(key, settleJob, jobs)) && (await isSettled(key, settleTranscript, transcripts))
        if (isWell) await isSettled(key, settleFormat, formats)
      }
      settling = work().finally(() => {
        settling = undefined
      })
      await settling
    },
  }
}

/** As it is to be stored: what was read while it was only held says so. */
export function withoutLoss(transcript: Transcript): Transcript {
  return { ...transcript, warnings: transcript.warnings.filter(warning => !warning.startsWith(loss)) }
}

function keyOf(owner: string, id: string): string {
  return `${owner}/${id}`
}

function isSame(one: Job, other: Job): boolean {
  return one.revision === other.revision && one.updatedAt === other.updatedAt
}

/** What another process has stored since goes before what was held, if there is as much of it. */
function isWanted(held: Transcript, job: Job | undefined, stored: Transcript | undefined): boolean {
  // Without a job there is only what was renamed; without a transcript, too, somebody has removed it.
  if (!job || !stored) return job !== undefined || stored !== undefined
  const isEnd = (one: Transcript) => one.status === job.state
  if (isEnd(stored) !== isEnd(held)) return isEnd(held)
  return held.coverage.transcribedSeconds >= stored.coverage.transcribedSeconds
}

/** The oldest go first that may go. */
function hold<T>(held: Map<string, T>, key: string, value: T, mayGo: (value: T) => boolean): void {
  held.set(key, value)
  if (held.size <= mostHeld) return
  const oldest = [...held].find(([, one]) => mayGo(one))
  if (oldest) held.delete(oldest[0])
}

function logUnsaved(event: string, id: string, error: unknown): void {
  log.error(event, { id, code: isSpeechError(error) ? error.code : 'INTERNAL' })
}
