// Carries one task out: waits its turn, fetches and hears the file, and leaves an ending behind.
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskFaults } from './faults.ts'
import { TaskFailure } from './fetch-file.ts'
import type { RecognitionErrors } from './recognition-errors.ts'
import type { TaskRecord } from './record.ts'
import { channelsOf, hasUsableParameters, type TaskOrder } from './request.ts'
import { type HeardChannel, speakerResult, spokenSeconds, wordResult } from './result-file.ts'

export interface TaskRunner {
  /** Seconds in the queue, and seconds of work for a second of audio. */
  latency: { base: number; perSecond: number }
  recognitionErrors: RecognitionErrors
  faults: TaskFaults
  /** A file that fails does not make its task fail, where the model takes lists. */
  failInSubtask: boolean
  recogniseFile(url: string, model: string, channels: number[]): Promise<HeardChannel[]>
}

/** How a task ended, as far as its answers need it. */
export type Ending =
  | { kind: 'done'; file: object; billed: number }
  /** `inside`: the file failed, but the task counts as a success. */
  | { kind: 'failed'; code: string; message: string; inside: boolean }
  | { kind: 'cancelled' }

/** Undefined for a task that never ends, and for one that was cancelled while it waited. Rejects on abort alone. */
export async function runTask(
  order: TaskOrder,
  record: TaskRecord,
  workshop: TaskRunner,
  signal: AbortSignal,
): Promise<Ending | undefined> {
  const { faults, latency } = workshop
  const endless = faults.hit(record, 'endless')
  if (endless?.state === 'PENDING') return undefined
  await sleep(1000 * latency.base, undefined, { signal })
  if (record.state !== 'PENDING') return undefined
  record.state = 'RUNNING'
  record.startedAt = Date.now()
  if (endless) return undefined
  const fault = faults.hit(record, 'failed', 'cancelled')
  if (fault?.kind === 'cancelled') return { kind: 'cancelled' }
  if (fault) return failed(fault.code, fault.message ?? fault.code, fault.inside ?? false)
  try {
    return await work(order, record, workshop, signal)
  } catch (error) {
    if (signal.aborted) throw error
    const { code, message } = error instanceof TaskFailure ? error : new TaskFailure('InternalError.Algo')
    return failed(code, message, workshop.failInSubtask)
  }
}

async function work(
  order: TaskOrder,
  record: TaskRecord,
  { recogniseFile, recognitionErrors, latency }: TaskRunner,
  signal: AbortSignal,
): Promise<Ending> {
  if (!hasUsableParameters(order)) {
    // The message is documented, its code is not.
    throw new TaskFailure('InvalidParameter', 'Invalid backend response received (missing status name)')
  }
  const started = Date.now()
  const channels = await recogniseFile(order.url, order.model.name, channelsOf(order))
  record.spokenText = channels.map(wordsOf).join('\n')
  const seconds = channels[0]!.seconds
  // What hearing took counts as part of the latency that was asked for.
  const due = started + 1000 * latency.perSecond * seconds
  await sleep(Math.max(0, due - Date.now()), undefined, { signal })
  if (channels.every(({ parts }) => parts.length === 0)) {
    throw new TaskFailure('SUCCESS_WITH_NO_VALID_FRAGMENT')
  }
  const { model, url, parameters = {} } = order
  const wishes = {
    model,
    url,
    words: parameters.enable_words === true,
    // Voices are told apart in files with one channel only.
    diarize: model.speakers && parameters.diarization_enabled === true && channels[0]!.channels === 1,
  }
  if (model.shape === 'single') {
    const billed = Math.ceil(seconds - 0.001) * channels.length
    return { kind: 'done', file: wordResult(channels, wishes, recognitionErrors), billed }
  }
  const billed = Math.ceil(channels.reduce((sum, channel) => sum + spokenSeconds(channel), 0))
  return { kind: 'done', file: speakerResult(channels, wishes, recognitionErrors), billed }
}

function failed(code: string, message: string, inside: boolean): Ending {
  return { kind: 'failed', code, message, inside }
}

function wordsOf({ parts }: HeardChannel): string {
  return parts.map(({ words, joiner }) => words.map(({ text }) => text).join(joiner)).join(' ')
}
