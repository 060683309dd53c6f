// Orders become jobs, jobs become transcripts, and whoever asks is told how far they are.
import { setMaxListeners } from 'node:events'
import { SpeechError } from '../domain/errors.ts'
import { isOver, type Job, type Order } from '../domain/job.ts'
import type { PageRequest, Queue, Store, TranscriptPage } from '../domain/ports.ts'
import { oneLine, tokens } from '../domain/text.ts'
import type { Transcript } from '../domain/transcript.ts'
import { type FoundRecording, findRecordings } from '../pipeline/recordings.ts'
import type { PipelinePorts } from '../pipeline/transcribe.ts'
import { describeFailure, emptyTranscript, over } from './carry-out.ts'
import { type Change, createChanges } from './changes.ts'
import { createHolders } from './holders.ts'
import { workerName } from './lease.ts'
import { createLedger, notFound } from './ledger.ts'
import { createLeftovers } from './leftovers.ts'
import { place } from './place.ts'
import { type Watch, watch } from './watch.ts'
import { createWorker } from './worker.ts'

export type { Change } from './changes.ts'
export type { Departure, Watch } from './watch.ts'

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
  submit(order: Order, caller: { owner: string; signal: AbortSignal }): Promise<Submission>
  /** Resolves with the job when it is over or the time is up; throws `TRANSCRIPT_NOT_FOUND`, or the signal's reason. */
  watch(id: string, watch: Watch): Promise<Job>
  /** The transcript, or what there is of it. Throws `TRANSCRIPT_NOT_FOUND`, also for what belongs to someone else. */
  read(owner: string, id: string): Promise<Transcript>
  list(owner: string, page: PageRequest): Promise<TranscriptPage>
  /** Throws `BAD_INPUT` for a query without a word. */
  search(owner: string, query: string, page: PageRequest): Promise<TranscriptPage>
  /** Stops the work; finished chunks stay. Resolves with the job as it is then: one that was over stays as it was. */
  cancel(owner: string, id: string): Promise<Job>
  rename(owner: string, id: string, title: string): Promise<Transcript>
  /** Stops the work and removes the transcript, its job and its checkpoints. */
  remove(owner: string, id: string): Promise<void>
  /** Audio and video files in the allowed folders, newest first. */
  recordings(wish: { query?: string; limit: number; signal: AbortSignal }): Promise<FoundRecording[]>
  /** False where no folder is open, so that `recordings` would find nothing. */
  readonly foldersOpen: boolean
  /** Hears of every change to a transcript that happens here, or that `follow` looks for. The answer ends it. */
  subscribe(listener: (change: Change) => void): () => void
  /** Lets `subscribe` hear also of changes that another process makes to this transcript. The answer ends it. */
  follow(owner: string, id: string): () => void
  /** Takes over, now and from time to time, what a process has left unfinished that died. */
  resumeLeftovers(): void
  /** Lets requests under way land (so many seconds at most), gives unfinished jobs back, and stops. */
  close(options?: { drainSeconds?: number }): Promise<void>
}

export interface JobsOptions {
  pipeline: PipelinePorts
  store: Store
  queue: Queue
  /** Folder under which each order gets a scratch folder. */
  scratchDir: string
  /** Starts no further request to the provider, and resolves when those under way are done or the time is up. */
  drain(seconds: number): Promise<void>
}

export function createJobs({ pipeline, store, queue, scratchDir, drain }: JobsOptions): Jobs {
  const name = workerName()
  const ledger = createLedger(store)
  const changes = createChanges()
  const holders = createHolders()
  const closing = new AbortController()
  // Every call that waits listens to it: many at once are no leak.
  setMaxListeners(0, closing.signal)
  const worker = createWorker({ name, ledger, store, changes, pipeline, scratchDir })
  const leftovers = createLeftovers({ name, store, ledger, queue, worker, changes })
  const watching = { name, ledger, queue, changes, holders, worker, closing: closing.signal, cancel }
  const placing = { name, ledger, store, queue, pipeline }
  queue.serve(async ticket => {
    await worker.work(ticket)
    if (!worker.live(ticket.owner, ticket.id)) holders.forget(`${ticket.owner}/${ticket.id}`)
  })

  async function read(owner: string, id: string): Promise<Transcript> {
    const transcript = await find(owner, id)
    const notice = store.notice()
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
    return job ? asOf(job, transcript) : transcript
  }

  async function cancel(owner: string, id: string): Promise<Job> {
    const job = await ledger.update(owner, id, now =>
      isOver(now.state) ? undefined : over('cancelled')(now),
    )
    holders.forget(`${owner}/${id}`)
    const live = worker.live(owner, id)
    live?.stop('cancelled')
    await live?.ended
    changes.tell({ owner, id, listed: false })
    return job
  }

  return {
    async submit(order, caller) {
      const { job, answered, started } = await place(order, caller, placing)
      const { owner, id } = job
      const title = oneLine(order.title ?? '')
      if (title && !started && title !== job.order.title) await rename(owner, id, title)
      return { job, answered }
    },
    watch: (id, wish) => watch(id, wish, watching),
    read,
    list: (owner, page) => store.listTranscripts(owner, page),
    async search(owner, query, page) {
      if (tokens(query).length === 0)
        throw new SpeechError('BAD_INPUT', 'The query holds no word.', { hint: 'Give a word that was said.' })
      return store.searchTranscripts(owner, query, page)
    },
    cancel,
    rename,
    async remove(owner, id) {
      await cancel(owner, id).catch(() => {})
      if (!(await ledger.remove(owner, id))) throw notFound()
      changes.tell({ owner, id, listed: true })
    },
    recordings: ({ query, limit, signal }) =>
      findRecordings(pipeline.allowedDirs, { limit, signal, ...(query !== undefined && { query }) }),
    foldersOpen: pipeline.allowedDirs.length > 0,
    subscribe: changes.subscribe,
    follow: leftovers.follow,
    resumeLeftovers: leftovers.resume,
    async close({ drainSeconds = 0 } = {}) {
      leftovers.close()
      await queue.close()
      await drain(drainSeconds)
      closing.abort()
      await worker.close()
    },
  }

  async function rename(owner: string, id: string, given: string): Promise<Transcript> {
    const title = oneLine(given)
    if (title === '')
      throw new SpeechError('BAD_INPUT', 'The title is empty.', { hint: 'Give a title of one line.' })
    const { job, transcript } = await both(owner, id)
    if (job) await ledger.update(owner, id, ({ order }) => ({ order: { ...order, title } }))
    // While the job runs its worker writes the transcript, and looks for the title in the job.
    if (transcript && (!job || isOver(job.state))) await ledger.keep(owner, { ...transcript, title })
    changes.tell({ owner, id, listed: true })
    return { ...(await read(owner, id)), title }
  }

  async function both(owner: string, id: string) {
    const job = await ledger.job(owner, id)
    const transcript = await ledger.transcript(owner, id)
    if (!job && !transcript) throw notFound()
    return { job, transcript }
  }
}

/** What is stored, with what has become of its job since: a process that died has left it as it was then. */
function asOf({ state, error }: Job, transcript: Transcript): Transcript {
  if (!isOver(state)) return { ...transcript, status: 'running' }
  if (transcript.status !== 'running') return transcript
  const reason = error ? [describeFailure(error)] : []
  return {
    ...transcript,
    status: state as Transcript['status'],
    warnings: [...transcript.warnings, ...reason],
  }
}
