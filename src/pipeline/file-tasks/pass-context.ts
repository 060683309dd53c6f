// Context of one pass over an upload: its options, its checkpoint and its callbacks; and the polling of its task.
import { setTimeout as sleep } from 'node:timers/promises'
import type { LimitFunction } from 'p-limit'
import { isSpeechError } from '../../domain/errors.ts'
import type { FileRecogniser, FileRecognition, TaskStatus } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import { log } from '../../log.ts'
import type { UploadSession } from './upload.ts'

export interface Pass {
  recogniser: FileRecogniser
  /** ISO code; absent: detect. */
  language?: string
  /** Number of speakers, for a model that identifies speakers. */
  speakers?: number
  /** Names and terms to expect. */
  context?: string
}

/** Checkpoint of a pass: before its submit, with its task, or done. The property names are stored. */
export type PassCheckpoint = SubmitIntent | { task: string } | { hearing: FileRecognition }

export interface SubmitIntent {
  /** Milliseconds since 1970. */
  intent: number
  /** Name of the upload, which identifies the task later. */
  name: string
}

export interface PassContext {
  pass: Pass
  /** Checkpoint key. */
  key: string
  /** Checkpoint of an earlier attempt, and whether this job wrote it. */
  checkpoint: PassCheckpoint | undefined
  isOwnCheckpoint: boolean
  upload: UploadSession
  pollSeconds: number
  timeoutSeconds: number
  /** Mutex around the look-up of other jobs' tasks and the announcement of a submit. */
  limitSubmits: LimitFunction
  /** Receives the task as soon as it exists, and whether this job pays for it. */
  onTask: (task: string, isOwn: boolean) => void
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
export async function poll(task: string, { pass, run }: PassContext): Promise<TaskStatus | undefined> {
  try {
    return await pass.recogniser.status(task, run.signal)
  } catch (error) {
    run.signal.throwIfAborted()
    if (!isSpeechError(error) || !error.retryable) throw error
    log.warn('task-poll-failed', { id: run.job, code: error.code })
    return undefined
  }
}

export function waitToPoll({ pollSeconds, run }: Pick<PassContext, 'pollSeconds' | 'run'>): Promise<void> {
  return sleep(pollSeconds * 1000, undefined, { signal: run.signal })
}
