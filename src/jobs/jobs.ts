// Jobs: entry point of this folder. Requests become jobs, jobs become transcripts, and callers can watch, read and change them.
import { setMaxListeners } from 'node:events'
import { isBatchId } from '../domain/batch/batch.ts'
import { SpeechError } from '../domain/errors.ts'
import { isOver } from '../domain/job.ts'
import { type Meter, noMeter } from '../domain/meter.ts'
import type { Delivery, Disposition, JobMessage } from '../domain/queue.ts'
import { oneLine } from '../domain/text.ts'
import { tokens } from '../domain/tokens.ts'
import type { Transcript } from '../domain/transcript.ts'
import { createFairLimit } from '../domain/waiting/fair-limit.ts'
import { createKeyedMutex } from '../domain/waiting/keyed-mutex.ts'
import { lazily } from '../domain/waiting/lazily.ts'
import { nextTurn } from '../domain/waiting/turns.ts'
import { findRecordings, recordingsOf } from '../pipeline/source/folders/find-recordings.ts'
import { sourcesIn } from '../pipeline/source/folders/list-recordings.ts'
import type { Jobs } from './api.ts'
import { createBatches } from './batch/batches.ts'
import { holdAllowance } from './batch/held-allowance.ts'
import { planBatch } from './batch/plan.ts'
import type { JobBasis, JobContext } from './context.ts'
import { createFormatter } from './formatting/formatting.ts'
import { createAllowances } from './records/allowances.ts'
import { type CostLimits, createBudgets } from './records/budgets.ts'
import { createChanges } from './records/changes.ts'
import { createCleanup } from './records/cleanup.ts'
import { createJobRepository, notFound } from './records/job-repository.ts'
import { createLeases } from './records/lease.ts'
import { createWaiters } from './records/waiters.ts'
import { createWorkerId } from './records/worker-id.ts'
import { createCancellation } from './recovery/cancel.ts'
import { createRecovery } from './recovery/recovery.ts'
import { rename } from './rename.ts'
import { saveFile } from './save-file.ts'
import { loadSounds } from './sounds.ts'
import { createDispatch } from './submit/dispatch.ts'
import { createPreparations } from './submit/prepare.ts'
import { submit } from './submit/submit.ts'
import { createRecordingUploads } from './submit/upload-recording.ts'
import { transcribe } from './transcribe.ts'
import { withFormatted } from './view/formatted.ts'
import { createOnceEach } from './view/once-each.ts'
import { emptyTranscript, forReaders, withJobState } from './view/transcript-view.ts'
import { createUnfinished } from './view/unfinished.ts'
import { type WatchOptions, watch } from './watch.ts'
import { createWorker } from './worker/worker.ts'

export type { BatchPlan, BatchView } from '../domain/batch/batch.ts'
export type { Jobs, ShutdownOptions } from './api.ts'
export type { BatchOrder } from './batch/batches.ts'
export type { PlanRequest } from './batch/plan.ts'
export type { ClipCall, TranscriptClip } from './clip.ts'
export type { FormatRequest, FormatResult } from './formatting/formatting.ts'
export type { Change } from './records/changes.ts'
export type { RenameRequest } from './rename.ts'
export type { Caller } from './submit/submit.ts'
export type { TranscriptionResult } from './transcribe.ts'
export type { FoundPage, FoundTranscript } from './view/once-each.ts'
export type { UnfinishedJob } from './view/unfinished.ts'
export type { DisconnectReason, WatchOptions } from './watch.ts'

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
    allowances: createAllowances(store, limits),
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
  const context: JobContext = {
    ...base,
    cleanup,
    uploads,
    dispatch,
    worker,
    cancel,
    async abandon(owner, id) {
      await (isBatchId(id) ? batches.cancel(owner, id) : abandon(owner, id))
    },
  }
  const batches = createBatches(context)
  const recovery = createRecovery(context, batches.recover)
  const watchJob = (id: string, options: WatchOptions) => watch(id, options, context)
  const formatter = createFormatter(context, watchJob)
  const preparations = createPreparations(base, (request, caller) => jobs.submit(request, caller))
  const { repository, changes, waiters } = context
  const turn = createFairLimit(1)
  const onceEach = createOnceEach(base)
  const sounds = lazily(() => loadSounds(base))
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
    // In turns of the event loop: SQLite and JSON would otherwise hold it for all that are asked for at once.
    await turn(owner, nextTurn)
    const transcript = forReaders(await find(owner, id))
    return { ...transcript, warnings: [...transcript.warnings, ...store.warnings()] }
  }

  async function find(owner: string, id: string): Promise<Transcript> {
    ensureNoBatch(id)
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

  async function readWithJob(owner: string, given: string) {
    const transcript = await read(owner, given)
    return { transcript, job: await repository.get(owner, await preparations.resolve(owner, given)) }
  }

  const jobs: Jobs = {
    transcribe: (request, caller, watchOptions) =>
      transcribe({ ...jobs, watch: watchJob, prepare: preparations.start }, request, caller, watchOptions),
    async submit(request, caller) {
      const { job, cached, started } = await submit(request, caller, context)
      const title = oneLine(request.title ?? '')
      if (title && !started && title !== job.request.title)
        await rename(job.owner, job.id, { title }, context)
      return { job, cached, started }
    },
    async watch(id, watchOptions) {
      const { job, watch: rest } = await preparations.wait(id, watchOptions)
      return job?.id === id ? job : watchJob(await preparations.resolve(rest.owner, id), rest)
    },
    read,
    async format(request, watchOptions) {
      if (!('transcriptId' in request)) return formatter.format(request, watchOptions)
      ensureNoBatch(request.transcriptId)
      const { watch: rest } = await preparations.wait(request.transcriptId, watchOptions)
      const transcriptId = await preparations.resolve(rest.owner, request.transcriptId)
      return formatter.format({ ...request, transcriptId }, rest)
    },
    spending: month => store.listSpending(month),
    warnings: store.warnings,
    list: (owner, page) => store.listTranscripts(owner, page),
    unfinished: createUnfinished(context),
    async search(owner, query, page) {
      if (query !== '' && tokens(query).length === 0)
        throw new SpeechError('BAD_INPUT', 'The query has no word.', { hint: 'Give a word that was said.' })
      return onceEach(owner, query, page, one =>
        query === '' ? store.listTranscripts(owner, one) : store.searchTranscripts(owner, query, one),
      )
    },
    async rename(owner, given, request) {
      ensureNoBatch(given)
      const id = await preparations.resolve(owner, given)
      await rename(owner, id, request, context)
      return read(owner, id)
    },
    async cancel(owner, given) {
      if (isBatchId(given)) return batches.cancel(owner, given)
      const prepared = await preparations.cancel(owner, given)
      if (prepared) return prepared
      const id = await preparations.resolve(owner, given)
      await formatter.stop(owner, id)
      return cancel(owner, id)
    },
    async remove(owner, given) {
      if (isBatchId(given)) {
        await batches.remove(owner, given)
        return store.erase()
      }
      const prepared = await preparations.cancel(owner, given)
      if (prepared) preparations.forget(owner, given)
      const id = await preparations.resolve(owner, given)
      // The same request may have led to a job before.
      if (prepared && id === given) return []
      await formatter.stop(owner, id)
      await remove(owner, id)
      return store.erase()
    },
    plan: (request, caller) => planBatch(request, caller, base),
    limitCost: (owner, plan, usd) => holdAllowance(owner, plan, usd, base),
    sourcesIn: audio => sourcesIn(audio, pipeline.allowedDirs),
    orderBatch: batches.order,
    batch: batches.view,
    recordings: query => findRecordings(pipeline.allowedDirs, query),
    recordingsOf: look => recordingsOf(pipeline.allowedDirs, look),
    save: (owner, id, request) => saveFile(owner, id, request, base),
    async clip(owner, id, call) {
      return (await sounds.get()).clip(await readWithJob(owner, id), call)
    },
    async waveform(owner, id) {
      return (await sounds.get()).waveform(await readWithJob(owner, id))
    },
    oneAtATime: createKeyedMutex(),
    foldersOpen: pipeline.allowedDirs.length > 0,
    subscribe: changes.subscribe,
    follow: recovery.follow,
    startRecovery: recovery.start,
    activeJobs: worker.activeJobs,
    async close({ finishSeconds = 0, drainSeconds = 0 } = {}) {
      // It delivers no more from here on, and closes when it has the disposition of every delivery.
      const closed = queue.close()
      worker.stopTaking()
      await recovery.close()
      await batches.close()
      if (finishSeconds > 0) await worker.finish(finishSeconds)
      await drain(drainSeconds)
      closing.abort()
      await Promise.all([closed, worker.close(), uploads.close(), formatter.close(), preparations.close()])
      await repository.flush()
    },
  }
  return jobs
}

/** Its recordings have transcripts, the batch has none. */
function ensureNoBatch(id: string): void {
  if (isBatchId(id))
    throw new SpeechError('BAD_INPUT', 'This is the id of a batch, not of a transcript.', {
      hint: 'get_transcript with it lists its recordings with their ids (tr_…).',
    })
}
