// JobContext: everything that the parts of this folder depend on, and the contracts between them.
import type { Job } from '../domain/job.ts'
import type { Meter } from '../domain/meter.ts'
import type { Store } from '../domain/ports.ts'
import type { Delivery, Disposition, JobMessage, Queue } from '../domain/queue.ts'
import type { Transcript } from '../domain/transcript.ts'
import type { KeyedMutex } from '../domain/waiting/keyed-mutex.ts'
import type { PipelinePorts } from '../pipeline/pipeline.ts'
import type { Allowances } from './records/allowances.ts'
import type { OpenBudgets } from './records/budgets.ts'
import type { Changes } from './records/changes.ts'
import type { JobRepository } from './records/job-repository.ts'
import type { Leases } from './records/lease.ts'
import type { Waiters } from './records/waiters.ts'

/** Dependencies of the parts of this folder. A function that needs little takes a `Pick` of it. */
export interface JobBasis {
  /** Id of this process as a worker; leases carry it. */
  workerId: string
  /** True where several machines share the store: their clocks may differ. */
  shared: boolean
  /** Folder under which each job gets a scratch folder. */
  scratchDir: string
  store: Store
  queue: Queue
  pipeline: PipelinePorts
  meter: Meter
  openBudget: OpenBudgets
  allowances: Allowances
  /** Aborted when the process stops: every waiting call then returns its current state. */
  closing: AbortSignal
  repository: JobRepository
  leases: Leases
  changes: Changes
  waiters: Waiters
  /** Serialises submit and cancel of one job. */
  mutex: KeyedMutex
}

export interface JobContext extends JobBasis {
  cleanup: Cleanup
  uploads: RecordingUploads
  dispatch: Dispatch
  worker: Worker
  /** Resolves with the job as it is then: one that was over stays as it was. Throws `TRANSCRIPT_NOT_FOUND`. */
  cancel(owner: string, id: string): Promise<Job>
  /** Cancels a job that has no waiters at the moment of writing. */
  abandon(owner: string, id: string): Promise<void>
}

export type WorkerContext = JobBasis & Pick<JobContext, 'cleanup'>

export interface Cleanup {
  /** Ends a job that is over without its worker knowing: fixes the transcript's status and deletes uploads. Never rejects. */
  cleanUpJob(job: Job): Promise<void>
  /** Deletes a job's uploads and stops its provider tasks, if its worker has not. Never rejects. */
  deleteUploads(owner: string, id: string): Promise<void>
  /** Deletes a recording that was uploaded for workers, and its key from a job that is over. Never rejects. */
  deleteRecording(job: Pick<Job, 'owner' | 'id'>, key: string): Promise<void>
  /** Deletes uploads from the bucket that no wanted job refers to. Never rejects. */
  sweep(isWanted: (job: Job) => boolean): Promise<void>
}

/** Uploads of local recordings for workers on other machines. */
export interface RecordingUploads {
  /** Starts an upload; `onUploaded` is called with the job once workers can fetch the recording. */
  start(job: Job, onUploaded: (job: Job) => Promise<void>): void
  /** The job whose recording is being uploaded, with its current progress. */
  uploading(owner: string, id: string): Job | undefined
  /** Stops one upload, and resolves when nothing of it is left. */
  stop(owner: string, id: string): Promise<void>
  /** Stops all uploads; another process that has the file continues later. */
  close(): Promise<void>
}

/** Resolves when the job is queued or being uploaded, or has failed because no worker can be notified. Throws `STORE_*`. */
export type Dispatch = (job: Job) => Promise<void>

export interface Worker {
  /** Runs the message's job unless another worker holds it. Never rejects. */
  handle(message: JobMessage, delivery: Delivery): Promise<Disposition>
  /** The job, if it runs in this process. */
  running(owner: string, id: string): RunningJob | undefined
  /** Number of jobs that run in this process. */
  activeJobs(): number
  /** Begins no further job from here on. */
  stopTaking(): void
  /** Resolves when all running jobs have ended, or the time is up. */
  finish(seconds: number): Promise<void>
  /** Releases all jobs to other workers, and resolves when that is done. */
  close(): Promise<void>
}

/** A job that runs in this process. */
export interface RunningJob {
  /** The job as last written, with its current progress. */
  job(): Job
  /** The transcript so far. */
  transcript(): Promise<Transcript>
  /** Accepts a job that was written elsewhere in this process: a new title, new names. */
  accept(job: Job): void
  stop(reason: StopReason): void
  /** Resolves when nothing of the run is left, with the disposition of its message. */
  ended: Promise<Disposition>
}

/** Why a running job stops before its end. */
export type StopReason = 'cancelled' | 'released' | 'taken over' | 'removed'
