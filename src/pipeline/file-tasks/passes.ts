// Hears a recording in one or two passes over one upload: all at once, each from where an earlier attempt left it.
import { setMaxListeners } from 'node:events'
import { isSpeechError, type SpeechError } from '../../domain/errors.ts'
import type { PipelineRequest } from '../../domain/job.ts'
import type { FileRecognition } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import { log } from '../../log.ts'
import { textHash } from '../audio/fingerprint.ts'
import type { Source } from '../source/source.ts'
import type { PipelinePorts } from '../transcribe.ts'
import { savePasses } from './own-tasks.ts'
import type { Pass, PassCheckpoint, PassContext } from './pass-context.ts'
import { runPass } from './task.ts'
import { type AudioScan, createUploadSession, type UploadSession } from './upload.ts'

/** What came of a pass: what was heard, or why nothing was. Neither: it is under way. */
export interface PassResult {
  recognition?: FileRecognition
  error?: SpeechError
  /** Seconds that this order pays for, and that another one has paid for. */
  sent: number
  cached: number
}

export interface PassResults extends AudioScan {
  /** In the order of the passes. */
  passes: PassResult[]
}

export interface PassOptions {
  order: PipelineRequest
  source: Source
  ports: PipelinePorts
  run: Run
  /** Told of each pass that is done while others are under way. */
  onPassDone: (soFar: PassResults) => void
}

/** With these no other request would fare better: they end the job at once. */
const endsAll = new Set(['KEY_MISSING', 'KEY_REFUSED', 'ACCOUNT_IN_ARREARS'])
const tidyingTime = 10_000

/**
 * Resolves when all passes are over; one that fails does not end the others. Throws what keeps all of them from being
 * heard. Nothing is left in the cloud, unless another process goes on with it.
 */
export async function runPasses(
  passes: Pass[],
  { order, source, ports, run: outer, onPassDone }: PassOptions,
): Promise<PassResults> {
  const stop = new AbortController()
  const run: Run = { ...outer, signal: AbortSignal.any([outer.signal, stop.signal]) }
  setMaxListeners(0, run.signal)
  const keys = passes.map(pass => keyOf(pass, order, run))
  const found = await Promise.all(keys.map(key => run.checkpoints.get(key)))
  const kept = found.map(value => (isKeptPass(value) ? value : undefined))
  const deposit = await createUploadSession(source, ports, run)
  const tasks = new Map<Pass, string>()
  let carrying: Promise<void>[] = []
  try {
    const listened = await listenOnce(passes, kept, deposit)
    const places = keys.map((key, i) => placeOf(key, kept[i], listened))
    const done: PassResult[] = passes.map(() => ({ sent: 0, cached: 0 }))
    const carryOut = async (pass: Pass, i: number) => {
      const isOwn = run.checkpoints.isFromThisJob(found[i])
      const errand = {
        pass,
        isOwnCheckpoint: isOwn,
        upload: deposit,
        run,
        pollSeconds: ports.pollSeconds,
        limitSubmits: ports.limitSubmits,
        ...places[i]!,
        timeoutSeconds: ports.taskTimeoutSeconds(listened.duration),
        onPoll: waiting(listened.duration, run),
      }
      // Only what this job pays for is this job's to stop.
      const onTask = (task: string) => void tasks.set(pass, task)
      done[i] = await outcomeOf(errand, onTask, listened)
      tasks.delete(pass)
      onPassDone({ ...listened, passes: [...done] })
    }
    // Where nobody speaks there is nothing to pay for.
    if (listened.speech.length > 0 || listened.lost) {
      await savePasses(passes, places, run)
      carrying = passes.map(carryOut)
      await Promise.all(carrying)
    } else for (const heard of done) heard.recognition = { sentences: [], seconds: 0 }
    const failures = done.flatMap(({ recognition, error }) => (!recognition && error ? [error] : []))
    if (failures.length === passes.length) throw failures[0]
    return { ...listened, passes: done }
  } finally {
    stop.abort()
    await Promise.allSettled(carrying)
    if (!outer.continuesElsewhere()) await tidyUp(tasks, deposit)
  }
}

/** What was heard before needs no upload, and a task under way has its own. */
async function listenOnce(
  passes: Pass[],
  kept: (PassCheckpoint | undefined)[],
  deposit: UploadSession,
): Promise<AudioScan> {
  const toSubmit = passes.filter((_, i) => !kept[i] || 'intent' in kept[i])
  return toSubmit.length > 0
    ? deposit.ensureUploaded(toSubmit.map(({ recogniser }) => recogniser))
    : deposit.scan()
}

/** What was heard of a recording that could be decoded in part only must not pass for the whole of it. */
function placeOf(key: string, kept: PassCheckpoint | undefined, { lost, duration }: AudioScan) {
  const isWhole = lost === undefined || (kept !== undefined && 'hearing' in kept)
  return isWhole ? { key, checkpoint: kept } : { key: `${key}:${duration}`, checkpoint: undefined }
}

async function outcomeOf(
  errand: Omit<PassContext, 'onTask'>,
  onOwnTask: (task: string) => void,
  { duration }: AudioScan,
): Promise<PassResult> {
  let pays = errand.checkpoint === undefined || errand.isOwnCheckpoint
  const onTask = (task: string, isOwn: boolean) => {
    pays = isOwn
    if (isOwn) onOwnTask(task)
  }
  try {
    const recognition = await runPass({ ...errand, onTask })
    const seconds = recognition.seconds || (recognition.sentences.length > 0 ? duration : 0)
    return { recognition, sent: pays ? seconds : 0, cached: pays ? 0 : seconds }
  } catch (error) {
    errand.run.signal.throwIfAborted()
    if (!isSpeechError(error) || endsAll.has(error.code)) throw error
    log.warn('pass-failed', { id: errand.run.job, model: errand.pass.recogniser.model, code: error.code })
    return { error, sent: 0, cached: 0 }
  }
}

/** A task that has not begun is stopped; one that has is kept, and asked for its result when the order comes again. */
async function tidyUp(tasks: Map<Pass, string>, deposit: UploadSession): Promise<void> {
  const signal = AbortSignal.timeout(tidyingTime)
  const stopping = [...tasks].map(([{ recogniser }, task]) => recogniser.cancel(task, signal).catch(() => {}))
  await Promise.all([...stopping, deposit.delete()])
}

/** Another model, language or number of speakers may hear other words; the same are heard once for all jobs of an owner. */
function keyOf(
  { recogniser, language = '', speakers = 0 }: Pass,
  { hash }: PipelineRequest,
  { job }: Run,
): string {
  return `pass:${textHash(JSON.stringify([hash ?? job, recogniser.model, language, speakers]))}`
}

function isKeptPass(value: unknown): value is PassCheckpoint {
  const kept = value as
    | { intent?: unknown; task?: unknown; hearing?: { sentences?: unknown } }
    | null
    | undefined
  return (
    typeof kept?.intent === 'number' ||
    typeof kept?.task === 'string' ||
    Array.isArray(kept?.hearing?.sentences)
  )
}

/** The first half was the upload; how far a task is nobody knows, so the rest nears its end and never reaches it. */
function waiting(duration: number, run: Run): () => void {
  const started = performance.now()
  return () => {
    const waited = (performance.now() - started) / 1000
    const share = 1 - Math.exp(-waited / (10 + duration / 30))
    run.progress({ done: (duration * (1 + share)) / 2, total: duration, message: 'Waiting for the provider' })
  }
}
