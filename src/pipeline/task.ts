// One pass over an uploaded recording, as a task of the provider: begun once, followed to its end, found again.
import { setTimeout as sleep } from 'node:timers/promises'
import { isSpeechError, SpeechError } from '../domain/errors.ts'
import type { FileHearing, FileRecogniser, TaskStatus } from '../domain/ports.ts'
import type { Run } from '../domain/run.ts'
import { log } from '../log.ts'
import type { Deposit } from './upload.ts'

export interface Pass {
  recogniser: FileRecogniser
  /** ISO code; absent: detect. */
  language?: string
  /** How many people speak, for a model that tells speakers. */
  speakers?: number
}

/** What is kept of a pass: when it was about to be submitted, its task, what was heard. */
export type KeptPass = { intent: number } | { task: string } | { hearing: FileHearing }

export interface Errand {
  pass: Pass
  /** Under which its state is kept. */
  key: string
  /** How far an earlier attempt got. */
  kept: KeptPass | undefined
  deposit: Deposit
  /** How often to ask, in seconds. */
  pollSeconds: number
  /** How long to wait for the end, in seconds. */
  patience: number
  /** Told of the task as soon as there is one, and of each asking. */
  onTask: (task: string) => void
  onAsked: () => void
  run: Run
}

type Ended = Extract<TaskStatus, { state: 'done' | 'failed' }>

/** How long a submit may take, and how long after the run was stopped: its answer names a task that will be paid for. */
const submitTime = 30_000
const submitGrace = 5_000
/** A task whose submit had no answer is looked for so long before and after it: clocks differ. */
const lookAround = 120_000
/** So many times in a row the provider may not know a task that it has just taken. */
const mostUnknown = 3
/** Ends of a task after which another one may fare better, once each. */
const worthAnother = ['UPLOAD_UNREACHABLE', 'TASK_LOST'] as const

/** Resolves with what was heard; throws why nothing was. */
export async function carryOutPass(errand: Errand): Promise<FileHearing> {
  const { kept, run, key } = errand
  if (kept && 'hearing' in kept) return kept.hearing
  const left = new Set<string>(worthAnother)
  let earlier = kept
  for (;;) {
    const end = await attempt(errand, earlier)
    if (end.state === 'done') {
      await run.checkpoints.keep(key, { hearing: end.hearing })
      return end.hearing
    }
    const { code, retryable } = end.error
    // One that is over has nothing more to tell; one that was too slow may still.
    if (code !== 'TASK_TIMEOUT') await run.checkpoints.keep(key, {})
    // What an earlier order has stopped may be begun again; what somebody stops now stays so.
    const isStopped = code === 'TASK_LOST' && !retryable && !isTask(earlier)
    if (isStopped || !left.delete(code)) throw end.error
    log.info('task-again', { id: run.job, code })
    // What was signed may have ended, and what an earlier process laid there may be gone.
    if (code === 'UPLOAD_UNREACHABLE') errand.deposit.distrust()
    earlier = undefined
  }
}

function isTask(kept: KeptPass | undefined): kept is { task: string } {
  return kept !== undefined && 'task' in kept
}

async function attempt(errand: Errand, kept: KeptPass | undefined): Promise<Ended> {
  const isNew = !isTask(kept)
  let task: string
  try {
    task = isTask(kept) ? kept.task : await begin(errand, kept && 'intent' in kept ? kept.intent : undefined)
  } catch (error) {
    if (isSpeechError(error) && error.code === 'UPLOAD_UNREACHABLE') return { state: 'failed', error }
    throw error
  }
  errand.onTask(task)
  return follow(task, isNew, errand)
}

/** Submits. Where the answer was lost, now or in an earlier process, first looks for the task that it may have made. */
async function begin(errand: Errand, earlier?: number): Promise<string> {
  const lost = earlier === undefined ? undefined : await findLost(earlier, errand)
  if (lost !== undefined) return lost
  const at = Date.now()
  try {
    return await submit(errand, at)
  } catch (error) {
    if (!isSpeechError(error) || error.code !== 'SUBMIT_UNCLEAR') throw error
    return (await findLost(at, errand)) ?? submit(errand, Date.now())
  }
}

async function submit({ pass, key, deposit, run }: Errand, at: number): Promise<string> {
  const { recogniser, ...wish } = pass
  await deposit.open([recogniser])
  run.signal.throwIfAborted()
  await run.checkpoints.keep(key, { intent: at })
  const url = await deposit.address(recogniser.model)
  try {
    const task = await recogniser.submit({ url, ...wish }, lateSignal(run.signal))
    await run.checkpoints.keep(key, { task })
    return task
  } catch (error) {
    // A refusal has surely made no task.
    if (isSpeechError(error) && error.code !== 'SUBMIT_UNCLEAR') await run.checkpoints.keep(key, {})
    throw error
  }
}

function lateSignal(signal: AbortSignal): AbortSignal {
  const late = new AbortController()
  signal.addEventListener('abort', () => void setTimeout(() => late.abort(), submitGrace).unref(), {
    once: true,
  })
  return AbortSignal.any([late.signal, AbortSignal.timeout(submitTime)])
}

/** Asks until the task is over, or the patience is. */
async function follow(task: string, isNew: boolean, errand: Errand): Promise<Ended> {
  const { pass, run } = errand
  const until = performance.now() + errand.patience * 1000
  let unknown = isNew ? 0 : mostUnknown
  if (isNew) await pause(errand)
  for (;;) {
    const status = await ask(task, errand)
    errand.onAsked()
    if (status?.state === 'done') return status
    if (status?.state === 'failed' && (status.error.code !== 'TASK_LOST' || ++unknown > mostUnknown))
      return status
    if (performance.now() > until) {
      await pass.recogniser.cancel(task, run.signal).catch(() => {})
      return { state: 'failed', error: tooLong() }
    }
    await pause(errand)
  }
}

/** Undefined where the asking itself failed in a way that passes. */
async function ask(task: string, { pass, run }: Errand): Promise<TaskStatus | undefined> {
  try {
    return await pass.recogniser.status(task, run.signal)
  } catch (error) {
    run.signal.throwIfAborted()
    if (!isSpeechError(error) || !error.retryable) throw error
    log.warn('task-not-asked', { id: run.job, code: error.code })
    return undefined
  }
}

/**
 * Looks for a task that was made though its submit had no answer: the one that has heard our upload. What is listed
 * does not say what it hears, so each is followed to its end. Undefined: there is none, and another submit costs nothing twice.
 */
async function findLost(at: number, errand: Errand): Promise<string | undefined> {
  const { pass, run, deposit } = errand
  const name = deposit.key(pass.recogniser.model)
  if (name === undefined) return undefined
  const until = performance.now() + errand.patience * 1000
  const strangers = new Set<string>()
  await pause(errand)
  for (;;) {
    const listed = await pass.recogniser.tasks(at - lookAround, at + lookAround, run.signal)
    const candidates = listed.filter(task => !strangers.has(task))
    for (const task of candidates) {
      const status = await ask(task, errand)
      if (status?.state === 'done' && hears(status.hearing, name)) return task
      if (status?.state === 'done' || status?.state === 'failed') strangers.add(task)
    }
    errand.onAsked()
    if (candidates.every(task => strangers.has(task))) return undefined
    if (performance.now() > until) throw tooLong()
    await pause(errand)
  }
}

function hears({ url }: FileHearing, name: string): boolean {
  try {
    return url !== undefined && decodeURIComponent(url).includes(name)
  } catch {
    return false
  }
}

function pause({ pollSeconds, run }: Errand): Promise<void> {
  return sleep(pollSeconds * 1000, undefined, { signal: run.signal })
}

function tooLong(): SpeechError {
  return new SpeechError('TASK_TIMEOUT', 'The provider has not come to an end with this recording in time.', {
    hint: 'Call again later: a task that goes on is asked for its result, and nothing is billed twice.',
  })
}
