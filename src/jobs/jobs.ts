// Jobs: entry point of this folder. Requests become jobs, jobs become transcripts, and callers can watch, read and change them.
import { setMaxListeners } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import type { OwnerSpending } from '../domain/costs/spending.ts'
import { SpeechError } from '../domain/errors.ts'
import { isOver, type Job, type TranscriptionRequest } from '../domain/job.ts'
import { type Meter, noMeter } from '../domain/meter.ts'
import type { PageRequest, TranscriptPage } from '../domain/ports.ts'
import type { Delivery, Disposition, JobMessage } from '../domain/queue.ts'
import { createFairTurns } from '../domain/reading/fair-turns.ts'
import { oneLine } from '../domain/text.ts'
import { tokens } from '../domain/tokens.ts'
import type { Transcript } from '../domain/transcript.ts'
import { type FoundRecording, findRecordings } from '../pipeline/source/find-recordings.ts'
import type { JobBasis, JobContext } from './context.ts'
import { createFormatter, type FormatRequest, type FormatResult } from './formatting/formatting.ts'
import { type CostLimits, createBudgets } from './records/budgets.ts'
import { type Change, createChanges } from './records/changes.ts'
import { createCleanup } from './records/cleanup.ts'
import { createJobRepository, notFound } from './records/job-repository.ts'
import { createLeases } from './records/lease.ts'
import { createWaiters } from './records/waiters.ts'
import { createWorkerId } from './records/worker-id.ts'
import { createCancellation } from './recovery/cancel.ts'
import { createRecovery } from './recovery/recovery.ts'
import { type RenameRequest, rename } from './rename.ts'
import { type SavedFile, type SaveRequest, saveFile } from './save-file.ts'
import { createDispatch } from './submit/dispatch.ts'
import { createKeyedMutex, type KeyedMutex } from './submit/keyed-mutex.ts'
import { createPreparations } from './submit/prepare.ts'
import { type Caller, submit } from './submit/submit.ts'
import { createRecordingUploads } from './submit/upload-recording.ts'
import { type TranscriptionResult, transcribe } from './transcribe.ts'
import { withFormatted } from './view/formatted.ts'
import { emptyTranscript, forReaders, withJobState } from './view/transcript-view.ts'
import { type WatchOptions, watch } from './watch.ts'
import { createWorker } from './worker/worker.ts'

export type { FormatRequest, FormatResult } from './formatting/formatting.ts'
export type { Change } from './records/changes.ts'
export type { RenameRequest } from './rename.ts'
export type { Caller } from './submit/submit.ts'
export type { TranscriptionResult } from './transcribe.ts'
export type { DisconnectReason, WatchOptions } from './watch.ts'

export interface Submission {
  job: Job
  /** True when the transcript was complete before, so that nothing is left to do. */
  cached: boolean
}

export interface Jobs {
  /**
   * Submits the request, waits for its job, and reads the transcript, formatted if requested. Throws what `submit`
   * throws, what the job failed with, `CANCELLED`, or the signal's reason. Where the time is up before the recording was
   * read, the id is provisional: all methods take it, and lead to the job once there is one.
   */
  transcribe(
    request: TranscriptionRequest,
    caller: Caller,
    watch: Omit<WatchOptions, 'owner' | 'signal'>,
  ): Promise<TranscriptionResult>
  /**
   * Makes the request a job, or finds the job that it is already; a job that failed, was cancelled or has gaps starts
   * again. Throws `SpeechError` where the recording cannot be read, `BUSY`, `STORE_*`.
   */
  submit(request: TranscriptionRequest, caller: Caller): Promise<Submission>
  /** Resolves with the job when it is over or the time is up. Throws `TRANSCRIPT_NOT_FOUND`, or the signal's reason. */
  watch(id: string, watch: WatchOptions): Promise<Job>
  /** The transcript so far. Throws `TRANSCRIPT_NOT_FOUND`, also for a transcript of another owner. */
  read(owner: string, id: string): Promise<Transcript>
  /**
   * Formats a transcript or a text; the same request again joins the work or costs nothing. `read` returns the
   * transcript with its formatted text. Throws `TRANSCRIPT_NOT_FOUND`, the errors of a budget, or the signal's reason.
   */
  format(request: FormatRequest, watch: WatchOptions): Promise<FormatResult>
  /** Sentences for the user about a store that is damaged or takes nothing. */
  warnings(): string[]
  list(owner: string, page: PageRequest): Promise<TranscriptPage>
  /** Spending of all owners on the days of a month such as `2026-11` (UTC). Throws `STORE_*`. */
  spending(month: string): Promise<OwnerSpending[]>
  /** Throws `BAD_INPUT` for a query without a word. */
  search(owner: string, query: string, page: PageRequest): Promise<TranscriptPage>
  /** Stops unfinished work and formatting; finished parts stay. Resolves with the job. Throws `TRANSCRIPT_NOT_FOUND`. */
  cancel(owner: string, id: string): Promise<Job>
  /** Changes the title and the names of speakers, also while the job runs. Throws `BAD_INPUT`. */
  rename(owner: string, id: string, request: RenameRequest): Promise<Transcript>
  /** Stops the work, and deletes transcript, job, checkpoints and uploads. Resolves with a sentence for each that is left. */
  remove(owner: string, id: string): Promise<string[]>
  /** Audio and video files in the allowed folders, newest first. */
  recordings(request: { query?: string; limit: number; signal: AbortSignal }): Promise<FoundRecording[]>
  /** Writes a file into an allowed folder, for a transcript that was read before. Throws as `saveFile` does. */
  save(owner: string, id: string, request: SaveRequest): Promise<SavedFile>
  /** Work that fills memory: one at a time for each owner. */
  oneAtATime: KeyedMutex
  /** False where no folder is allowed: `recordings` finds nothing, and `save` throws. */
  readonly foldersOpen: boolean
  /** Calls the listener with every change by this process, or found by `follow`. Returns the function that ends it. */
  subscribe(listener: (change: Change) => void): () => void
  /** Makes `subscribe` report changes of this transcript by other processes too. Returns the function that ends it. */
  follow(owner: string, id: string): () => void
  /** Takes over jobs of dead processes, now and from time to time, and sweeps the bucket. */
  startRecovery(): void
  /** Number of jobs that run in this process. */
  activeJobs(): number
  /** Starts no more jobs, lets running ones finish in the given time, releases the others, and stops. */
  close(options?: ShutdownOptions): Promise<void>
}

export interface ShutdownOptions {
  /** For jobs: a job that ends within this time need not be released. */
  finishSeconds?: number
  /** For requests to the provider: their chunks are paid for. */
  drainSeconds?: number
}

export interface JobsOptions extends Pick<JobContext, 'pipeline' | 'store' | 'queue' | 'scratchDir'> {
  /** False: other processes run the jobs that are submitted here. Default: true. */
  runsJobs?: boolean
  meter?: Meter
  /** Default: no limit. */
  limits?: CostLimits
  /** True where machines share the store: their clocks differ, and no result is kept in memory. Default: false. */
  shared?: boolean
  /** Starts no further request to the provider, and resolves when the running ones are done or the time is up. */
  drain(seconds: number): Promise<void>
  /** Default: an id by which other processes see whether this one is alive. */
  workerId?: string
}

export function createJobs(options: JobsOptions): Jobs {
  const { pipeline, store, queue, scratchDir, drain, workerId = createWorkerId() } = options
  const { shared = false, runsJobs = true, meter = noMeter, limits = {} } = options
  const closing = new AbortController()
  // Every waiting call adds a listener: many at once are no leak.
  setMaxListeners(0, closing.signal)
  const parts = { workerId, shared, scratchDir, store, queue, pipeline, meter, closing: closing.signal }
  const base: JobBasis = {
    ...parts,
    openBudget: createBudgets(store, limits),
    repository: createJobRepository(store, { shared }),
    leases: createLeases(workerId, { shared }),
    changes: createChanges(),
    waiters: createWaiters(),
    mutex: createKeyedMutex(),
  }
  const cleanup = createCleanup(base)
  const uploads = createRecordingUploads({ ...base, cleanup })
  const dispatch = createDispatch({ ...base, cleanup, uploads })
  const worker = createWorker({ ...base, cleanup })
  const { cancel, abandon, remove } = createCancellation({ ...base, cleanup, uploads, worker })
  const context: JobContext = { ...base, cleanup, uploads, dispatch, worker, abandon }
  const recovery = createRecovery(context)
  const watchJob = (id: string, options: WatchOptions) => watch(id, options, context)
  const formatter = createFormatter(context, watchJob)
  const preparations = createPreparations(base, (request, caller) => jobs.submit(request, caller))
  const { repository, changes, waiters } = context
  const turn = createFairTurns()
  if (runsJobs) queue.serve(handle)

  async function handle(message: JobMessage, delivery: Delivery): Promise<Disposition> {
    const { owner, id } = message
    const disposition = await worker.handle(message, delivery)
    // A job that was left or released to another process keeps its waiters.
    const job = await repository.get(owner, id).catch(() => undefined)
    if (job && isOver(job.state)) waiters.clear(`${owner}/${id}`)
    return disposition
  }

  async function read(owner: string, id: string): Promise<Transcript> {
    // One read each time round the event loop: SQLite and JSON would otherwise hold it for all that are asked for at once.
    await turn(owner, () => setImmediate())
    const transcript = forReaders(await find(owner, id))
    return { ...transcript, warnings: [...transcript.warnings, ...store.warnings()] }
  }

  async function find(owner: string, id: string): Promise<Transcript> {
    const prepared = preparations.find(owner, id)
    if (prepared) return prepared.id === id ? emptyTranscript(prepared) : find(owner, prepared.id)
    const running = worker.running(owner, id)
    if (running && !isOver(running.job().state)) {
      waiters.detach(`${owner}/${id}`)
      return running.transcript()
    }
    const [transcript, job] = await Promise.all([
      repository.getTranscript(owner, id),
      repository.get(owner, id).catch(() => undefined),
    ])
    if (!transcript && !job) {
      const resolved = await preparations.resolve(owner, id)
      if (resolved === id) throw notFound()
      return find(owner, resolved)
    }
    if (!transcript) return emptyTranscript(job!)
    const found = job ? withJobState(job, transcript) : transcript
    return withFormatted(found, await repository.getFormat(owner, id))
  }

  const jobs: Jobs = {
    transcribe: (request, caller, watchOptions) =>
      transcribe({ ...jobs, watch: watchJob, prepare: preparations.start }, request, caller, watchOptions),
    async submit(request, caller) {
      const { job, cached, started } = await submit(request, caller, context)
      const title = oneLine(request.title ?? '')
      if (title && !started && title !== job.request.title)
        await rename(job.owner, job.id, { title }, context)
      return { job, cached }
    },
    async watch(id, watchOptions) {
      const { job, watch: rest } = await preparations.wait(id, watchOptions)
      return job?.id === id ? job : watchJob(await preparations.resolve(rest.owner, id), rest)
    },
    read,
    async format(request, watchOptions) {
      if (!('transcriptId' in request)) return formatter.format(request, watchOptions)
      const { watch: rest } = await preparations.wait(request.transcriptId, watchOptions)
      const transcriptId = await preparations.resolve(rest.owner, request.transcriptId)
      return formatter.format({ ...request, transcriptId }, rest)
    },
    spending: month => store.listSpending(month),
    warnings: store.warnings,
    list: (owner, page) => store.listTranscripts(owner, page),
    async search(owner, query, page) {
      if (tokens(query).length === 0)
        throw new SpeechError('BAD_INPUT', 'The query has no word.', { hint: 'Give a word that was said.' })
      return store.searchTranscripts(owner, query, page)
    },
    async rename(owner, given, request) {
      const id = await preparations.resolve(owner, given)
      await rename(owner, id, request, context)
      return read(owner, id)
    },
    async cancel(owner, given) {
      const prepared = await preparations.cancel(owner, given)
      if (prepared) return prepared
      const id = await preparations.resolve(owner, given)
      await formatter.stop(owner, id)
      return cancel(owner, id)
    },
    async remove(owner, given) {
      const prepared = await preparations.cancel(owner, given)
      if (prepared) preparations.forget(owner, given)
      const id = await preparations.resolve(owner, given)
      // The same request may have led to a job before.
      if (prepared && id === given) return []
      await formatter.stop(owner, id)
      await remove(owner, id)
      return store.erase()
    },
    recordings: ({ query, limit, signal }) => findRecordings(pipeline.allowedDirs, { limit, signal, query }),
    save: (owner, id, request) => saveFile(owner, id, request, base),
    oneAtATime: createKeyedMutex(),
    foldersOpen: pipeline.allowedDirs.length > 0,
    subscribe: changes.subscribe,
    follow: recovery.follow,
    startRecovery: recovery.start,
    activeJobs: worker.activeJobs,
    async close({ finishSeconds = 0, drainSeconds = 0 } = {}) {
      // It delivers no more from here on, and closes when it has the disposition of every delivery.
      const closed = queue.close()
      await recovery.close()
      if (finishSeconds > 0) await worker.finish(finishSeconds)
      await drain(drainSeconds)
      closing.abort()
      await Promise.all([closed, worker.close(), uploads.close(), formatter.close(), preparations.close()])
      await repository.flush()
    },
  }
  return jobs
}
