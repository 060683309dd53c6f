// Submits requests for calls that may not wait for it: a recording of hours is read, and so hashed, before it has a job.
import { LRUCache } from 'lru-cache'
import { SpeechError } from '../../domain/errors.ts'
import { isOver, type Job, type TranscriptionRequest } from '../../domain/job.ts'
import type { JobBasis } from '../context.ts'
import { createSingleFlight } from '../formatting/single-flight.ts'
import { createCheckpoints } from '../records/checkpoints.ts'
import { notFound } from '../records/job-repository.ts'
import { endJob, failJob } from '../records/transitions.ts'
import { timeLeft } from '../time-left.ts'
import type { WatchOptions } from '../watch.ts'
import { jobId } from './job-id.ts'
import type { Caller, Submitted } from './submit.ts'

export interface Preparation {
  job: Job
  cached: boolean
  /** False where the job was under way before. */
  started?: boolean
  /** True where the time was up first, or no job came of it: the job has a provisional id, which is not in the store. */
  isProvisional?: boolean
}

type Submit = (request: TranscriptionRequest, caller: Caller) => Promise<Submitted>

/** Even a call that waits for nothing gets the id of a small recording. */
const minSeconds = 0.5
/** The end of a preparation is known by its provisional id for this long, and in the store if the job was submitted. */
const endedMs = 600_000
const maxEnded = 1_000
const maxPerOwner = 1_000

export type Preparations = ReturnType<typeof createPreparations>

export function createPreparations(context: JobBasis, submit: Submit) {
  const { store, waiters, changes, closing } = context
  const flights = createSingleFlight<Preparation>(context, {
    maxPerOwner,
    outcomeMs: 0,
    busy: `${maxPerOwner} recordings are being read already.`,
  })
  /** By owner and provisional id: those that a call has left. */
  const left = new Map<string, Job>()
  /** The job that came of a preparation; it keeps the provisional id where none was submitted. */
  const ended = new LRUCache<string, Job>({ max: maxEnded, ttl: endedMs })
  /** Provisional ids by owner and id of the job. */
  const aliases = new LRUCache<string, string>({ max: maxEnded, ttl: endedMs })
  // A reader that follows the provisional id hears of the job.
  changes.subscribe(({ owner, id }) => {
    const alias = aliases.get(keyOf({ owner, id }))
    if (alias !== undefined) changes.publish({ owner, id: alias, listChanged: false })
  })

  const flightOf = (owner: string, id: string) => ({ owner, subject: id, options: '' })
  const keyOf = ({ owner, id }: Pick<Job, 'owner' | 'id'>) => `${owner}/${id}`

  async function prepare(provisional: Job, caller: Caller): Promise<Preparation> {
    const key = keyOf(provisional)
    ended.delete(key)
    try {
      const found = await submit(provisional.request, caller)
      // Without the recording itself: it may be a data: URI.
      ended.set(key, { ...found.job, request: { audio: '' } })
      if (left.has(key)) await keepFor(provisional, found.job)
      return found
    } catch (error) {
      const change = caller.signal.aborted ? endJob('cancelled') : failJob(error)
      ended.set(key, { ...provisional, ...change(provisional) } as Job)
      throw error
    } finally {
      if (left.delete(key)) changes.publish({ owner: caller.owner, id: provisional.id, listChanged: false })
    }
  }

  /** The caller knows the provisional id and may come back with it, also after a restart. */
  async function keepFor({ owner, id }: Job, job: Job): Promise<void> {
    waiters.detach(keyOf(job))
    aliases.set(keyOf(job), id)
    await createCheckpoints(store, owner, job.id).put(aliasKey(id), job.id)
  }

  /** By a provisional id: the provisional job, or the one that came of it. */
  function find(owner: string, id: string): Job | undefined {
    const key = keyOf({ owner, id })
    return left.get(key) ?? ended.get(key)
  }

  return {
    /** Throws what `submit` throws, `BUSY` when the process stops, or the signal's reason. */
    async start(
      request: TranscriptionRequest,
      caller: Caller,
      watch: Omit<WatchOptions, 'owner' | 'signal'>,
    ): Promise<Preparation> {
      const { tool, owner, signal } = caller
      const provisional = provisionalJob(request, { tool, owner })
      const key = keyOf(provisional)
      const { seconds = Number.POSITIVE_INFINITY } = watch
      const prepared = await flights.join(
        flightOf(owner, provisional.id),
        run => {
          run.progress({ done: 0, message: 'Reading the recording' })
          return prepare(provisional, { ...caller, signal: run.signal })
        },
        { ...watch, seconds: Math.max(seconds, minSeconds), owner, signal },
      )
      if (prepared) return prepared
      // It may have ended in this very moment.
      const job = ended.get(key)
      if (!job && closing.aborted) throw stopping()
      if (!job) left.set(key, provisional)
      const isProvisional = !job || job.id === provisional.id
      if (!isProvisional) await keepFor(provisional, job)
      return { job: job ?? provisional, cached: false, isProvisional }
    },
    find,
    /** Waits for the end of a preparation. Resolves with the job of the id, if it is provisional, and the time left. */
    async wait(id: string, watch: WatchOptions): Promise<{ job?: Job; watch: WatchOptions }> {
      const { owner } = watch
      const started = performance.now()
      const flight = flightOf(owner, id)
      const unused = () => Promise.reject(new Error('The preparation is over.'))
      // Its error is the job's.
      if (flights.has(flight))
        await flights.join(flight, unused, watch).catch(() => watch.signal.throwIfAborted())
      return { job: find(owner, id), watch: timeLeft(watch, started) }
    },
    /**
     * The id of the job, for one that may be provisional: also of an earlier or another process. Any other id stays as it
     * is. Throws `BUSY`, `TRANSCRIPT_NOT_FOUND`.
     */
    async resolve(owner: string, id: string): Promise<string> {
      const job = find(owner, id)
      if (job?.id === id) throw isOver(job.state) ? notFound() : stillReading()
      const found = job?.id ?? (await createCheckpoints(store, owner, '').get(aliasKey(id)))
      return typeof found === 'string' ? found : id
    },
    /** Ends a preparation. Resolves with its provisional job, or with undefined where a job came of it. */
    async cancel(owner: string, id: string): Promise<Job | undefined> {
      await flights.stop(owner, id)
      const job = find(owner, id)
      return job?.id === id ? job : undefined
    },
    forget: (owner: string, id: string): void => void ended.delete(keyOf({ owner, id })),
    close: flights.close,
  }
}

const aliasKey = (id: string) => `provisional:${id}`

/** The same request has the same provisional id. */
function provisionalJob(request: TranscriptionRequest, caller: Pick<Job, 'tool' | 'owner'>): Job {
  const now = new Date().toISOString()
  const facts = { ...caller, request, models: [] }
  return {
    id: jobId(facts, { content: `request:${JSON.stringify(request)}` }),
    ...facts,
    state: 'queued',
    revision: 0,
    short: false,
    createdAt: now,
    updatedAt: now,
  }
}

/** An id would lead nowhere: what this process has read is lost with it. */
function stopping(): SpeechError {
  return new SpeechError('BUSY', 'The server is stopping, and has not read the recording to its end.', {
    hint: 'Call again once it has started.',
    retryable: true,
  })
}

function stillReading(): SpeechError {
  return new SpeechError('BUSY', 'The recording is still being read.', {
    hint: 'Wait for it with get_transcript, and call again.',
    retryable: true,
  })
}
