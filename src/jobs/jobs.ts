// Orders become jobs, jobs become transcripts, and whoever asks is told how far they are.
import { setMaxListeners } from 'node:events'
import { SpeechError } from '../domain/errors.ts'
import { isOver, type Job, type TranscriptionRequest } from '../domain/job.ts'
import { type Meter, noMeter } from '../domain/meter.ts'
import type { PageRequest, Store, TranscriptPage } from '../domain/ports.ts'
import type { Delivery, Disposition, JobMessage, Queue } from '../domain/queue.ts'
import { oneLine } from '../domain/text.ts'
import { tokens } from '../domain/tokens.ts'
import type { Transcript } from '../domain/transcript.ts'
import { type FoundRecording, findRecordings } from '../pipeline/source/find-recordings.ts'
import type { PipelinePorts } from '../pipeline/transcribe.ts'
import { createFormatter, type FormatRequest, type FormatResult } from './formatting/formatting.ts'
import { type Change, createChanges } from './records/changes.ts'
import { createTidying } from './records/cleanup.ts'
import { createLedger, notFound } from './records/job-repository.ts'
import { createLeases } from './records/lease.ts'
import { createHolders } from './records/waiters.ts'
import { workerName } from './records/worker-id.ts'
import { createStopping } from './recovery/cancel.ts'
import { createLeftovers } from './recovery/recovery.ts'
import { createUnclaimed } from './recovery/redeliver.ts'
import { type RenameRequest, rename } from './rename.ts'
import { createDispatch } from './submit/dispatch.ts'
import { createTurns } from './submit/keyed-mutex.ts'
import { type Caller, place } from './submit/submit.ts'
import { createForwarding } from './submit/upload-recording.ts'
import { withFormatted } from './view/formatted.ts'
import { asOf, emptyTranscript, forReaders } from './view/transcript-view.ts'
import { type WatchOptions, watch } from './watch.ts'
import { createWorker } from './worker/worker.ts'

export type { FormatRequest, FormatResult } from './formatting/formatting.ts'
export type { Change } from './records/changes.ts'
export type { RenameRequest } from './rename.ts'
export type { Caller } from './submit/submit.ts'
export type { DisconnectReason, WatchOptions } from './watch.ts'

export interface Submission {
  job: Job
  /** True when the order had been carried out before, so that nothing is left to do. */
  answered: boolean
}

export interface Jobs {
  /**
   * Makes the order a job, or finds the job that it is already; a job that failed, was cancelled or has gaps starts
   * again. Throws `SpeechError` where the recording cannot be had.
   */
  submit(order: TranscriptionRequest, caller: Caller): Promise<Submission>
  /** Resolves with the job when it is over or the time is up; throws `TRANSCRIPT_NOT_FOUND`, or the signal's reason. */
  watch(id: string, watch: WatchOptions): Promise<Job>
  /** The transcript, or what there is of it. Throws `TRANSCRIPT_NOT_FOUND`, also for what belongs to someone else. */
  read(owner: string, id: string): Promise<Transcript>
  /**
   * Makes a transcript or a text readable; the same again attaches to what is under way, or costs nothing. `read` gives
   * the transcript with it. Throws `TRANSCRIPT_NOT_FOUND`, `COST_TOO_HIGH`, or the signal's reason.
   */
  format(order: FormatRequest, watch: WatchOptions): Promise<FormatResult>
  list(owner: string, page: PageRequest): Promise<TranscriptPage>
  /** Throws `BAD_INPUT` for a query without a word. */
  search(owner: string, query: string, page: PageRequest): Promise<TranscriptPage>
  /**
   * Stops the work, also that of formatting; what is finished stays. Resolves with the job as it is then: one that was
   * over stays as it was. Throws `TRANSCRIPT_NOT_FOUND`.
   */
  cancel(owner: string, id: string): Promise<Job>
  /** Gives the transcript another title and its speakers names, also while it is made. Throws `BAD_INPUT`. */
  rename(owner: string, id: string, wish: RenameRequest): Promise<Transcript>
  /** Stops the work and removes the transcript, its job, its checkpoints and what lies in the cloud for it. */
  remove(owner: string, id: string): Promise<void>
  /** Audio and video files in the allowed folders, newest first. */
  recordings(wish: { query?: string; limit: number; signal: AbortSignal }): Promise<FoundRecording[]>
  /** False where no folder is open, so that `recordings` would find nothing. */
  readonly foldersOpen: boolean
  /** Hears of every change to a transcript that happens here, or that `follow` looks for. The answer ends it. */
  subscribe(listener: (change: Change) => void): () => void
  /** Lets `subscribe` hear also of changes that another process makes to this transcript. The answer ends it. */
  follow(owner: string, id: string): () => void
  /** Takes over, now and from time to time, what a process has left unfinished that died; sweeps the bucket. */
  startRecovery(): void
  /** How many jobs are worked on here. */
  activeJobs(): number
  /** Begins no more, lets end what can end in time, gives the other jobs back, and stops. */
  close(options?: ShutdownOptions): Promise<void>
}

/** How long what is under way may go on, in seconds. */
export interface ShutdownOptions {
  /** Jobs: those that end within it need not be given back. */
  finishSeconds?: number
  /** Requests to the provider: their chunks are paid for. */
  drainSeconds?: number
}

export interface JobsOptions {
  pipeline: PipelinePorts
  store: Store
  queue: Queue
  /** False: others carry out what is ordered here. Default: true. */
  runsJobs?: boolean
  meter?: Meter
  /** True where machines share the store: their clocks differ, and what one keeps at hand no other sees. Default: false. */
  shared?: boolean
  /** Folder under which each order gets a scratch folder. */
  scratchDir: string
  /** Starts no further request to the provider, and resolves when those under way are done or the time is up. */
  drain(seconds: number): Promise<void>
  /** What this worker is called. Default: a name by which others see whether its process lives. */
  name?: string
}

export function createJobs(options: JobsOptions): Jobs {
  const { pipeline, store, queue, scratchDir, drain, name = workerName() } = options
  const { shared = false, runsJobs = true, meter = noMeter } = options
  const ledger = createLedger(store, { shared })
  const leases = createLeases(name, { shared })
  const changes = createChanges()
  const holders = createHolders()
  const inTurn = createTurns()
  const closing = new AbortController()
  // Every call that waits listens to it: many at once are no leak.
  setMaxListeners(0, closing.signal)
  const base = { name, store, ledger, queue, leases, pipeline, changes, closing: closing.signal }
  const tidying = createTidying(base)
  const forwarding = createForwarding({ ...base, tidying })
  const dispatch = createDispatch({ ...base, tidying, forwarding })
  const ports = { ...base, tidying, forwarding, dispatch, holders, inTurn }
  const worker = createWorker({ ...ports, meter, scratchDir })
  const unclaimed = createUnclaimed(ports)
  const leftovers = createLeftovers({ ...ports, shared, worker, unclaimed })
  const { cancel, abandon, remove } = createStopping({ ...ports, worker })
  const watching = { ...ports, worker, abandon }
  const watchJob = (id: string, wish: WatchOptions) => watch(id, wish, watching)
  const formatter = createFormatter({ ...ports, watchJob })
  if (runsJobs) queue.serve(work)

  async function work(ticket: JobMessage, hand: Delivery): Promise<Disposition> {
    const { owner, id } = ticket
    const verdict = await worker.work(ticket, hand)
    // One that was left to another process, or given back, is still somebody's.
    const job = await ledger.job(owner, id).catch(() => undefined)
    if (job && isOver(job.state)) holders.forget(`${owner}/${id}`)
    return verdict
  }

  async function read(owner: string, id: string): Promise<Transcript> {
    const transcript = forReaders(await find(owner, id))
    const notice = store.warning()
    return notice ? { ...transcript, warnings: [...transcript.warnings, notice] } : transcript
  }

  async function find(owner: string, id: string): Promise<Transcript> {
    const live = worker.live(owner, id)
    if (live && !isOver(live.job().state)) {
      holders.handOut(`${owner}/${id}`)
      return live.transcript()
    }
    const [transcript, job] = await Promise.all([
      ledger.transcript(owner, id),
      ledger.job(owner, id).catch(() => undefined),
    ])
    if (!transcript && !job) throw notFound()
    if (!transcript) return emptyTranscript(job!)
    return withFormatted(job ? asOf(job, transcript) : transcript, await ledger.format(owner, id))
  }

  return {
    async submit(order, caller) {
      const { job, answered, started } = await place(order, caller, ports)
      const title = oneLine(order.title ?? '')
      if (title && !started && title !== job.order.title)
        await rename(job.owner, job.id, { title }, { ...ports, worker })
      return { job, answered }
    },
    watch: watchJob,
    read,
    format: formatter.format,
    list: (owner, page) => store.listTranscripts(owner, page),
    async search(owner, query, page) {
      if (tokens(query).length === 0)
        throw new SpeechError('BAD_INPUT', 'The query holds no word.', { hint: 'Give a word that was said.' })
      return store.searchTranscripts(owner, query, page)
    },
    async rename(owner, id, wish) {
      await rename(owner, id, wish, { ...ports, worker })
      return read(owner, id)
    },
    async cancel(owner, id) {
      await formatter.stop(owner, id)
      return cancel(owner, id)
    },
    async remove(owner, id) {
      await formatter.stop(owner, id)
      await remove(owner, id)
    },
    recordings: ({ query, limit, signal }) =>
      findRecordings(pipeline.allowedDirs, { limit, signal, ...(query !== undefined && { query }) }),
    foldersOpen: pipeline.allowedDirs.length > 0,
    subscribe: changes.subscribe,
    follow: leftovers.follow,
    startRecovery: leftovers.resume,
    activeJobs: worker.atWork,
    async close({ finishSeconds = 0, drainSeconds = 0 } = {}) {
      // It hands out no more from here on, and is closed when it has been told what became of all that it handed out.
      const closed = queue.close()
      await leftovers.close()
      if (finishSeconds > 0) await worker.finish(finishSeconds)
      await drain(drainSeconds)
      closing.abort()
      await Promise.all([worker.close(), forwarding.close(), formatter.close()])
      await closed
      await ledger.settle()
    },
  }
}
