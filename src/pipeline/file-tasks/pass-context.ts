// What one pass over an upload has in hand: how it is to be heard, how far it is, whom it tells.
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
  /** How many people speak, for a model that tells speakers. */
  speakers?: number
}

/** What is kept of a pass: when it was about to be submitted and of which upload, its task, what was heard. */
export type PassCheckpoint = SubmitIntent | { task: string } | { hearing: FileRecognition }

export interface SubmitIntent {
  /** Milliseconds since 1970. */
  intent: number
  /** Name of the upload, by which the task is known again. */
  name: string
}

export interface PassContext {
  pass: Pass
  /** Under which its state is kept. */
  key: string
  /** How far an earlier attempt got, and whether that was one of this job's own. */
  checkpoint: PassCheckpoint | undefined
  isOwnCheckpoint: boolean
  upload: UploadSession
  /** How often to ask, in seconds. */
  pollSeconds: number
  /** How long to wait for the end, in seconds. */
  timeoutSeconds: number
  /** Lets one at a time look for others and say what it is about to do. */
  limitSubmits: LimitFunction
  /** Told of the task as soon as there is one, whether this job pays for it, and of each asking. */
  onTask: (task: string, isOwn: boolean) => void
  onPoll: () => void
  run: Run
}

export interface StartedTask {
  task: string
  /** True where this very run has submitted it. */
  isSubmittedHere: boolean
  /** Set where another job has come to the end with it meanwhile. */
  recognition?: FileRecognition
}

/** Undefined where the asking itself failed in a way that passes. */
export async function poll(task: string, { pass, run }: PassContext): Promise<TaskStatus | undefined> {
  try {
    return await pass.recogniser.status(task, run.signal)
  } catch (error) {
    run.signal.throwIfAborted()
    if (!isSpeechError(error) || !error.retryable) throw error
    log.warn('task-not-asked', { id: run.job, code: error.code })
    return undefined
  }
}

export function waitToPoll({ pollSeconds, run }: Pick<PassContext, 'pollSeconds' | 'run'>): Promise<void> {
  return sleep(pollSeconds * 1000, undefined, { signal: run.signal })
}
