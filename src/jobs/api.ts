// Contract of the front door of this folder: what callers can ask of jobs.
import type { BatchPlan, BatchView } from '../domain/batch/batch.ts'
import type { OwnerSpending } from '../domain/costs/spending.ts'
import type { Job, TranscriptionRequest } from '../domain/job.ts'
import type { PageRequest, TranscriptPage } from '../domain/ports.ts'
import type { Transcript } from '../domain/transcript.ts'
import type { KeyedMutex } from '../domain/waiting/keyed-mutex.ts'
import type { RecordingQuery } from '../pipeline/source/folders/find-recordings.ts'
import type { FoundRecording, WalkedRecording } from '../pipeline/source/folders/walk.ts'
import type { BatchCaller, BatchOrder, OrderedBatch } from './batch/batches.ts'
import type { HeldAllowance } from './batch/held-allowance.ts'
import type { PlanCaller, PlanRequest } from './batch/plan.ts'
import type { ClipCall, TranscriptClip } from './clip.ts'
import type { FormatRequest, FormatResult } from './formatting/formatting.ts'
import type { Change } from './records/changes.ts'
import type { RenameRequest } from './rename.ts'
import type { SavedFile, SaveRequest } from './save-file.ts'
import type { Caller, Submitted } from './submit/submit.ts'
import type { TranscriptionResult } from './transcribe.ts'
import type { FoundPage } from './view/once-each.ts'
import type { UnfinishedJob } from './view/unfinished.ts'
import type { WatchOptions } from './watch.ts'
import type { Waveform } from './waveform.ts'

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
  submit(request: TranscriptionRequest, caller: Caller): Promise<Submitted>
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
  /** Queued and running jobs, batches among them, oldest first; new ones after a second at most. Throws `STORE_*`. */
  unfinished(owner: string): Promise<UnfinishedJob[]>
  /** Spending of all owners on the days of a month such as `2026-11` (UTC). Throws `STORE_*`. */
  spending(month: string): Promise<OwnerSpending[]>
  /** Each recording once, with its newest transcript; all of them for ''. Throws `BAD_INPUT` for a query without a word. */
  search(owner: string, query: string, page: PageRequest): Promise<FoundPage>
  /** Stops unfinished work and formatting; finished parts stay. Resolves with the job. Throws `TRANSCRIPT_NOT_FOUND`. */
  cancel(owner: string, id: string): Promise<Job>
  /** Changes the title and the names of speakers, also while the job runs. Throws `BAD_INPUT`. */
  rename(owner: string, id: string, request: RenameRequest): Promise<Transcript>
  /**
   * Stops the work, and deletes transcript, job, checkpoints and uploads; of a batch only its list. Resolves with a
   * sentence for each that is left.
   */
  remove(owner: string, id: string): Promise<string[]>
  /**
   * Lists the recordings of files, folders and addresses with length and price, and says which are done and which cannot be
   * read. Nothing is sent. Throws `TOO_LARGE`, and the error of the only source.
   */
  plan(request: PlanRequest, caller: PlanCaller): Promise<BatchPlan>
  /**
   * Limits what the recordings of a plan, run one by one, may cost together, in US dollars: beyond it each fails with
   * `COST_TOO_HIGH`. Throws `DAY_LIMIT_REACHED`, `STORE_*`.
   */
  limitCost(owner: string, plan: BatchPlan, usd: number): Promise<HeldAllowance>
  /** The sources that `audio` names, where it is a folder or has several lines; undefined for a single recording. */
  sourcesIn(audio: string): Promise<string[] | undefined>
  /**
   * Plans a batch and begins it once its price is agreed to, or where nothing is left to pay; the same order again joins
   * the batch. `watch`, `cancel` and `remove` take its id. Throws what `plan` throws, `COST_TOO_HIGH`, `DAY_LIMIT_REACHED`.
   */
  orderBatch(order: BatchOrder, caller: BatchCaller): Promise<OrderedBatch>
  /** A batch with what has become of its recordings so far. Throws `TRANSCRIPT_NOT_FOUND`. */
  batch(owner: string, id: string): Promise<BatchView>
  /** Audio and video files in the allowed folders, newest first. Throws where `folder` may not be read. */
  recordings(request: RecordingQuery): Promise<FoundRecording[]>
  /** All recordings of a folder. Throws where it may not be read, or the signal's reason. */
  recordingsOf(look: { folder: string; recursive: boolean; signal: AbortSignal }): Promise<WalkedRecording[]>
  /** Writes a file into an allowed folder, for a transcript that was read before. Throws as `saveFile` does. */
  save(owner: string, id: string, request: SaveRequest): Promise<SavedFile>
  /**
   * A short MP3 of what was said, made of the recording if it is still there and the same. Throws `TRANSCRIPT_NOT_FOUND`,
   * `BAD_INPUT`, `RECORDING_LOST`, `RECORDING_CHANGED`, `OUTSIDE_ALLOWED_DIRS`, `CALL_TIMEOUT`, or the signal's reason.
   */
  clip(owner: string, id: string, call: ClipCall): Promise<TranscriptClip>
  /**
   * Peaks of the recording, for a picture of it; without them where they are still computed: ask again. Throws as `clip`
   * does, and `BAD_INPUT` while the transcript is running, and for a recording elsewhere of which nothing was heard.
   */
  waveform(owner: string, id: string): Promise<Waveform>
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
