// Context of one task over an upload: its model and options, its checkpoint and its callbacks; and its polling.
import { setTimeout as sleep } from 'node:timers/promises'
import { isSpeechError } from '../../domain/errors.ts'
import type { FileRecogniser, FileRecognition, FileRequest, TaskStatus } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import type { FairLimit } from '../../domain/waiting/fair-limit.ts'
import { log } from '../../log.ts'
import type { UploadSession } from './upload.ts'

/** Checkpoint of a pass: before its submit, with its task, or done. The property names are stored. */
export type PassCheckpoint = SubmitIntent | { task: string } | { hearing: FileRecognition }

export interface SubmitIntent {
  /** Milliseconds since 1970 by the provider's clock: another machine, whose own is minutes off, may read it. */
  intent: number
  /** Name of the upload, which identifies the task later. */
  name: string
}

/** A model that a pass may be asked of. */
export interface Candidate {
  recogniser: FileRecogniser
  options: Omit<FileRequest, 'url'>
  /** Checkpoint key. */
  key: string
  /** Checkpoint of an earlier attempt, and whether this job wrote it. */
  checkpoint: PassCheckpoint | undefined
  isOwnCheckpoint: boolean
}

export interface TaskContext extends Candidate {
  upload: UploadSession
  pollSeconds: number
  timeoutSeconds: number
  /** Mutex around the look-up of other jobs' tasks and the announcement of a submit. */
  limitSubmits: FairLimit
  /** Receives the task as soon as it exists, and whether this job pays for it. */
  onTask: (task: string, isOwn: boolean) => void
  /** Called where the provider has ended the task without a result: it is not billed. */
  onTaskFailed: () => void
  onPoll: () => void
  run: Run
}

export interface StartedTask {
  task: string
  /** True where this run submitted it. */
  isSubmittedHere: boolean
  /** Set where another job has finished it meanwhile. */
  recognition?: FileRecognition
}

/** Polls a task once; undefined where the poll itself failed with a retryable error. */
export async function poll(task: string, { recogniser, run }: TaskContext): Promise<TaskStatus | undefined> {
  try {
    return await recogniser.status(task, run.signal)
  } catch (error) {
    run.signal.throwIfAborted()
    if (!isSpeechError(error) || !error.retryable) throw error
    log.warn('task-poll-failed', { id: run.job, code: error.code })
    return undefined
  }
}

export function waitToPoll({ pollSeconds, run }: Pick<TaskContext, 'pollSeconds' | 'run'>): Promise<void> {
  return sleep(pollSeconds * 1000, undefined, { signal: run.signal })
}
