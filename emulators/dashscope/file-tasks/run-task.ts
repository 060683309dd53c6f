// Runs one task: waits in the queue, downloads and recognises the file, and returns the outcome.
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../seeded-random.ts'
import type { Billing } from '../bill.ts'
import type { Forms } from '../forms.ts'
import { type GoneSettings, goneError } from '../models/gone.ts'
import type { Use } from '../models/price.ts'
import type { TaskModel } from '../models/speech.ts'
import type { TaskFaults } from './faults.ts'
import { TaskFailure } from './fetch-file.ts'
import type { RecognitionErrors } from './recognition-errors.ts'
import type { TaskRecord } from './record.ts'
import { channelsOf, type TaskRequest } from './request.ts'
import { type RecognisedChannel, speakerResult, spokenSeconds, wordResult } from './result-file.ts'

export interface TaskLatency {
  /** Seconds in the queue. */
  base: number
  /** Seconds of work per second of audio. */
  perSecond: number
  /** The slowest task takes this many times as long, the others less; recorded: 30. Default: 1. */
  spread?: number
}

export interface TaskRunner {
  latency: TaskLatency
  recognitionErrors: RecognitionErrors
  faults: TaskFaults
  /** A failed file fails only its subtask, if the model takes lists of files. */
  failInSubtask: boolean
  forms: Forms
  gone: GoneSettings
  billing: Billing
  recogniseFile(url: string, model: string, channels: number[]): Promise<RecognisedChannel[]>
}

/** The code of a file without speech; by option also the status of its task. */
export const noFragment = 'SUCCESS_WITH_NO_VALID_FRAGMENT'

/** How a task ended. */
export type Outcome =
  | { kind: 'done'; file: object; use: Use }
  /** `inside`: the subtask failed, but the task succeeded. */
  | { kind: 'failed'; code: string; message: string; inside: boolean }
  | { kind: 'cancelled' }

/** Resolves with undefined for a task that never ends or was cancelled while queued. Rejects only on abort. */
export async function runTask(
  task: TaskRequest,
  record: TaskRecord,
  runner: TaskRunner,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { faults, latency } = runner
  const slowness = slownessOf(record, latency)
  const endless = faults.hit(record, 'endless')
  if (endless?.state === 'PENDING') return undefined
  await sleep(1000 * slowness * latency.base, undefined, { signal })
  if (record.state !== 'PENDING') return undefined
  record.state = 'RUNNING'
  record.startedAt = Date.now()
  if (endless) return undefined
  const fault = faults.hit(record, 'failed', 'cancelled')
  if (fault?.kind === 'cancelled') return { kind: 'cancelled' }
  if (fault) return failed(fault.code, fault.message ?? fault.code, fault.inside ?? false)
  try {
    return await recognise(task, record, runner, slowness, signal)
  } catch (error) {
    if (signal.aborted) throw error
    const { code, message } = error instanceof TaskFailure ? error : new TaskFailure('InternalError.Algo')
    return failed(code, message, runner.failInSubtask)
  }
}

async function recognise(
  task: TaskRequest,
  record: TaskRecord,
  { recogniseFile, recognitionErrors, latency, gone, forms }: TaskRunner,
  slowness: number,
  signal: AbortSignal,
): Promise<Outcome> {
  if (task.flaw) throw new TaskFailure(task.flaw.code, task.flaw.message)
  const started = Date.now()
  const channels = [...(await recogniseFile(task.url, task.model.name, channelsOf(task)))]
  record.spokenText = channels.map(wordsOf).join('\n')
  const seconds = channels[0]!.seconds
  // Time spent on recognition counts towards the configured latency.
  const due = started + 1000 * slowness * latency.perSecond * seconds
  await sleep(Math.max(0, due - Date.now()), undefined, { signal })
  // The model may have gone meanwhile.
  const isGone = goneError(gone, task.model.name)
  if (isGone) throw new TaskFailure(isGone.code, isGone.message)
  const { model, url, parameters = {} } = task
  if (channels.every(({ parts }) => parts.length === 0)) {
    const { context } = task.guidance
    if (!forms.repeatsContext || !context) throw new TaskFailure(silenceCode(model, forms))
    // Not in place: results of recognition are cached.
    channels[0] = { ...channels[0]!, parts: [spoken(context, seconds)] }
  }
  const options = {
    model,
    url,
    words: parameters.enable_words === true,
    forms,
    // Diarization only applies to mono files.
    diarize: model.diarizes && parameters.diarization_enabled === true && channels[0]!.channels === 1,
  }
  const write = model.shape === 'single' ? wordResult : speakerResult
  return {
    kind: 'done',
    file: write(channels, options, recognitionErrors),
    use: useOf(model, channels, record.spokenText),
  }
}

/** The same for the n-th task of every run. */
function slownessOf({ number }: TaskRecord, { spread = 1 }: TaskLatency): number {
  return 1 + (spread - 1) * seededRandom('speed', number)
}

/** The code of a file without speech: of filetrans it was recorded, of the others it is documented. */
function silenceCode({ shape }: TaskModel, { silence }: Forms): string {
  const isRecorded = silence === 'recorded' && shape === 'single'
  return isRecorded ? 'ASR_RESPONSE_HAVE_NO_WORDS' : noFragment
}

/** A text spread over a file. */
function spoken(text: string, seconds: number): RecognisedChannel['parts'][number] {
  const words = text.split(/\s+/).filter(Boolean)
  const each = seconds / words.length
  const timed = words.map((word, at) => ({ text: word, start: at * each, end: (at + 0.9) * each }))
  return { at: 0, words: timed, joiner: ' ' }
}

const audioTokensPerSecond = 25
const tokensPerWord = 4

/** A model that is priced by tokens counts the audio, silence included; `fun-asr` bills seconds of speech. */
function useOf({ shape, price }: TaskModel, channels: RecognisedChannel[], text: string): Use {
  const length = channels[0]!.seconds
  if ('input' in price) {
    const words = text.match(/\p{Script=Han}|[^\s\p{Script=Han}]+/gu)?.length ?? 0
    const seconds = Math.round(length) * channels.length
    return { seconds, inputTokens: seconds * audioTokensPerSecond, outputTokens: words * tokensPerWord }
  }
  const whole = Math.ceil(length - 0.001) * channels.length
  const spoken = Math.ceil(channels.reduce((sum, channel) => sum + spokenSeconds(channel), 0))
  return { seconds: shape === 'single' ? whole : spoken, inputTokens: 0, outputTokens: 0 }
}

function failed(code: string, message: string, inside: boolean): Outcome {
  return { kind: 'failed', code, message, inside }
}

function wordsOf({ parts }: RecognisedChannel): string {
  return parts.map(({ words, joiner }) => words.map(({ text }) => text).join(joiner)).join(' ')
}
