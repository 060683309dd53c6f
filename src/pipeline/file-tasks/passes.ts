// Runs one or two passes over one upload concurrently; each resumes from its checkpoint.
import { setMaxListeners } from 'node:events'
import { type ErrorCode, isSpeechError, type SpeechError } from '../../domain/errors.ts'
import type { PipelineRequest } from '../../domain/job.ts'
import { contextFor } from '../../domain/models/context.ts'
import { estimatedUsd } from '../../domain/models/price.ts'
import type { FileRecognition } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import type { Span } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import { textHash } from '../audio/fingerprint.ts'
import { isEcho } from '../chunks/echo.ts'
import type { PipelinePorts } from '../pipeline.ts'
import type { Source } from '../source/source.ts'
import { savePasses } from './own-tasks.ts'
import type { Pass, PassCheckpoint, PassContext } from './pass-context.ts'
import { runPass } from './task.ts'
import { type AudioScan, createUploadSession, type UploadSession } from './upload.ts'

/** Result of a pass: its recognition or its error; neither while it runs. */
export interface PassResult {
  recognition?: FileRecognition
  error?: SpeechError
  /** Seconds that this job pays for, and that another one has paid for. */
  sent: number
  cached: number
  /** US dollars that this job pays; absent if unknown. */
  costUsd?: number
}

export interface PassResults extends AudioScan {
  /** In the order of the passes. */
  passes: PassResult[]
}

export interface PassOptions {
  request: PipelineRequest
  source: Source
  ports: PipelinePorts
  run: Run
  /** Called after each pass, with the results so far. */
  onPassDone: (soFar: PassResults) => void
}

/** These errors end the job at once: no other request would succeed. */
const fatalCodes = new Set<ErrorCode>(['KEY_MISSING', 'KEY_REFUSED', 'ACCOUNT_IN_ARREARS'])
const cleanupTimeoutMs = 10_000

/**
 * Resolves when all passes have ended; a failed pass does not end the others. Throws the first error where all fail.
 * Leaves nothing in the cloud, unless another process continues the job.
 */
export async function runPasses(
  passes: Pass[],
  { request, source, ports, run: outer, onPassDone }: PassOptions,
): Promise<PassResults> {
  const stop = new AbortController()
  const run: Run = { ...outer, signal: AbortSignal.any([outer.signal, stop.signal]) }
  setMaxListeners(0, run.signal)
  const keys = passes.map(pass => checkpointKey(pass, request, run))
  const stored = await Promise.all(keys.map(key => run.checkpoints.get(key)))
  const checkpoints = stored.map(value => (isPassCheckpoint(value) ? value : undefined))
  const upload = await createUploadSession(source, ports, run)
  const tasks = new Map<Pass, string>()
  let running: Promise<void>[] = []
  try {
    const scan = await scanOnce(passes, checkpoints, upload)
    const keyed = keys.map((key, i) => validCheckpoint(key, checkpoints[i], scan))
    const results: PassResult[] = passes.map(() => ({ sent: 0, cached: 0, costUsd: 0 }))
    const start = async (pass: Pass, i: number) => {
      const context = {
        pass,
        isOwnCheckpoint: run.checkpoints.isFromThisJob(stored[i]),
        upload,
        run,
        pollSeconds: ports.pollSeconds,
        limitSubmits: ports.limitSubmits,
        ...keyed[i]!,
        timeoutSeconds: ports.taskTimeoutSeconds(scan.duration),
        onPoll: createWaitReporter(scan.duration, run),
      }
      // Only tasks that this job pays for are stopped at its end.
      const onOwnTask = (task: string) => void tasks.set(pass, task)
      results[i] = await resultOf(context, onOwnTask, scan)
      tasks.delete(pass)
      onPassDone({ ...scan, passes: [...results] })
    }
    // A recording without speech is not sent.
    if (scan.speech.length > 0 || scan.lost) {
      await savePasses(passes, keyed, run)
      running = passes.map(start)
      await Promise.all(running)
    } else for (const result of results) result.recognition = { sentences: [], seconds: 0 }
    const failures = results.flatMap(({ recognition, error }) => (!recognition && error ? [error] : []))
    if (failures.length === passes.length) throw failures[0]
    return { ...scan, passes: results }
  } finally {
    stop.abort()
    await Promise.allSettled(running)
    if (!outer.continuesElsewhere()) await cleanUp(tasks, upload)
  }
}

/** Uploads the recording only for passes that have to be submitted. */
async function scanOnce(
  passes: Pass[],
  checkpoints: (PassCheckpoint | undefined)[],
  upload: UploadSession,
): Promise<AudioScan> {
  const toSubmit = passes.filter((_, i) => !checkpoints[i] || 'intent' in checkpoints[i])
  return toSubmit.length > 0
    ? upload.ensureUploaded(toSubmit.map(({ recogniser }) => recogniser))
    : upload.scan()
}

/** Gives a recording that was decoded in part a key of its own, as its result is not that of the whole. */
function validCheckpoint(key: string, checkpoint: PassCheckpoint | undefined, { lost, duration }: AudioScan) {
  const isOfWhole = lost === undefined || (checkpoint !== undefined && 'hearing' in checkpoint)
  return isOfWhole ? { key, checkpoint } : { key: `${key}:${duration}`, checkpoint: undefined }
}

async function resultOf(
  context: Omit<PassContext, 'onTask'>,
  onOwnTask: (task: string) => void,
  { duration, speech }: AudioScan,
): Promise<PassResult> {
  let pays = context.checkpoint === undefined || context.isOwnCheckpoint
  const onTask = (task: string, isOwn: boolean) => {
    pays = isOwn
    if (isOwn) onOwnTask(task)
  }
  try {
    const answer = await runPass({ ...context, onTask })
    const recognition = withoutEchoes(answer, context.pass.context, speech)
    const seconds = answer.seconds || (answer.sentences.length > 0 ? duration : 0)
    if (!pays) return { recognition, sent: 0, cached: seconds, costUsd: 0 }
    const costUsd = answer.costUsd ?? estimatedUsd(context.pass.recogniser.usdPerSecond, seconds)
    return { recognition, sent: seconds, cached: 0, ...(costUsd !== undefined && { costUsd }) }
  } catch (error) {
    context.run.signal.throwIfAborted()
    if (!isSpeechError(error) || fatalCodes.has(error.code)) throw error
    log.warn('pass-failed', { id: context.run.job, model: context.pass.recogniser.model, code: error.code })
    return { error, sent: 0, cached: 0, costUsd: 0 }
  }
}

function withoutEchoes(
  { sentences, ...recognition }: FileRecognition,
  context: string | undefined,
  speech: Span[],
): FileRecognition {
  const speechIn = (span: Span) => speech.filter(({ start, end }) => start < span.end && end > span.start)
  return {
    ...recognition,
    sentences: sentences.filter(sentence => !isEcho(sentence.text, context, speechIn(sentence))),
  }
}

/** Stops tasks that have not begun; a task that has goes on, and the same request later fetches its result. */
async function cleanUp(tasks: Map<Pass, string>, upload: UploadSession): Promise<void> {
  const signal = AbortSignal.timeout(cleanupTimeoutMs)
  const stopping = [...tasks].map(([{ recogniser }, task]) => recogniser.cancel(task, signal).catch(() => {}))
  await Promise.all([...stopping, upload.delete()])
}

/** Equal passes over a recording share a result among all jobs of an owner; without a hash, only within the job. */
function checkpointKey(
  { recogniser, language = '', speakers = 0, context }: Pass,
  { hash }: PipelineRequest,
  { job }: Run,
): string {
  const { text, vocabulary } = contextFor(recogniser.model, recogniser.takes, context)
  const hints = text || vocabulary ? [text ?? '', vocabulary ?? {}] : []
  return `pass:${textHash(JSON.stringify([hash ?? job, recogniser.model, language, speakers, ...hints]))}`
}

function isPassCheckpoint(value: unknown): value is PassCheckpoint {
  const stored = value as
    | { intent?: unknown; task?: unknown; hearing?: { sentences?: unknown } }
    | null
    | undefined
  return (
    typeof stored?.intent === 'number' ||
    typeof stored?.task === 'string' ||
    Array.isArray(stored?.hearing?.sentences)
  )
}

/** Reports progress of a task, which is unknown: the second half, after the upload, approaches its end asymptotically. */
function createWaitReporter(duration: number, run: Run): () => void {
  const started = performance.now()
  return () => {
    const waitedSeconds = (performance.now() - started) / 1000
    const share = 1 - Math.exp(-waitedSeconds / (10 + duration / 30))
    run.progress({ done: (duration * (1 + share)) / 2, total: duration, message: 'Waiting for the provider' })
  }
}
