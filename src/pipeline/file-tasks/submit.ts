// Begins a pass as a task of the provider, and pays for it once: also where the answer is lost, or another job wants the same.
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { FileRecognition } from '../../domain/ports.ts'
import {
  type PassCheckpoint,
  type PassContext,
  poll,
  type StartedTask,
  type SubmitIntent,
  waitToPoll,
} from './pass-context.ts'

/** How long a submit may take, and how long after the run was stopped: its answer names a task that will be paid for. */
const submitTime = 30_000
const submitGrace = 5_000
/** A task whose submit had no answer is looked for so long before and after it: clocks differ. */
const lookAround = 60_000
/** How long to wait, in seconds, for tasks of others that may turn out to be ours. */
const longestSearch = 120
/** Another job may have been about to submit the same so shortly ago (milliseconds) that its task is worth waiting for. */
const freshIntent = 30_000

/** Submits. Where the answer was lost, now or in an earlier process, first looks for the task that it may have made. */
export async function startTask(errand: PassContext, earlier?: SubmitIntent): Promise<StartedTask> {
  const lost = earlier && (await findLost(earlier, errand))
  if (lost !== undefined) return { task: lost, isSubmittedHere: true }
  const { pass, upload, run } = errand
  const { model } = pass.recogniser
  await upload.ensureUploaded([pass.recogniser])
  run.signal.throwIfAborted()
  const name = upload.key(model)!
  const others = await announce(errand, name)
  if (others) return others
  const intent = Date.now()
  try {
    return { task: await submit(errand), isSubmittedHere: true }
  } catch (error) {
    if (!isSpeechError(error) || error.code !== 'SUBMIT_UNCLEAR') throw error
    const found = await findLost({ intent, name }, errand)
    if (found !== undefined) return { task: found, isSubmittedHere: true }
    // The search may have taken minutes: a process that goes on must look around this submit, not the first.
    await run.checkpoints.put(errand.key, { intent: Date.now(), name })
    return { task: await submit(errand), isSubmittedHere: true }
  }
}

/**
 * Says that this job is about to submit, unless another job that wants the same was here while this one was uploading:
 * then resolves with what that one has.
 */
async function announce(
  { key, run, limitSubmits, checkpoint, ...errand }: PassContext,
  name: string,
): Promise<StartedTask | undefined> {
  for (;;) {
    const found = await limitSubmits(async () => {
      const now = await run.checkpoints.get(key)
      const others = run.checkpoints.isFromThisJob(now) ? undefined : ofOthers(now, checkpoint)
      if (!others) await run.checkpoints.put(key, { intent: Date.now(), name })
      return others
    })
    if (found !== 'soon') return found
    await waitToPoll({ run, ...errand })
  }
}

/** What another job has; `soon` where it is about to submit. */
function ofOthers(value: unknown, kept: PassCheckpoint | undefined): StartedTask | 'soon' | undefined {
  const now = value as Partial<SubmitIntent & { task: string; hearing: FileRecognition }> | null | undefined
  if (now?.hearing) return { task: '', isSubmittedHere: false, recognition: now.hearing }
  if (typeof now?.task === 'string') {
    const isOver = kept && 'task' in kept && kept.task === now.task
    return isOver ? undefined : { task: now.task, isSubmittedHere: false }
  }
  const isFresh = typeof now?.intent === 'number' && Date.now() - now.intent < freshIntent
  return isFresh ? 'soon' : undefined
}

async function submit({ pass, key, upload, run }: PassContext): Promise<string> {
  const { recogniser, ...wish } = pass
  try {
    const url = await upload.signedUrl(recogniser.model)
    const task = await recogniser.submit({ url, ...wish }, lateSignal(run.signal))
    await run.checkpoints.put(key, { task })
    return task
  } catch (error) {
    // A refusal has surely made no task.
    if (isSpeechError(error) && error.code !== 'SUBMIT_UNCLEAR') await run.checkpoints.put(key, {})
    throw error
  }
}

function lateSignal(signal: AbortSignal): AbortSignal {
  const late = new AbortController()
  const end = () => void setTimeout(() => late.abort(), submitGrace).unref()
  signal.addEventListener('abort', end, { once: true })
  return AbortSignal.any([late.signal, AbortSignal.timeout(submitTime)])
}

/**
 * Looks for a task that was made though its submit had no answer: the one that has heard our upload. What is listed
 * does not say what it hears, so each is followed to its end. Undefined: there is none, and another submit costs nothing twice.
 */
async function findLost({ intent, name }: SubmitIntent, errand: PassContext): Promise<string | undefined> {
  const { pass, run } = errand
  const until = performance.now() + Math.min(longestSearch, errand.timeoutSeconds) * 1000
  const strangers = new Set<string>()
  await waitToPoll(errand)
  for (;;) {
    const listed = await pass.recogniser.listTasks(intent - lookAround, intent + lookAround, run.signal)
    const candidates = listed.filter(task => !strangers.has(task))
    for (const task of candidates) {
      const status = await poll(task, errand)
      if (status?.state === 'done' && hears(status.recognition, name)) return task
      if (status?.state === 'done' || status?.state === 'failed') strangers.add(task)
    }
    errand.onPoll()
    if (candidates.every(task => strangers.has(task))) return undefined
    if (performance.now() > until) throw stillUnclear()
    await waitToPoll(errand)
  }
}

function hears({ url }: FileRecognition, name: string): boolean {
  try {
    return url !== undefined && decodeURIComponent(url).includes(name)
  } catch {
    return false
  }
}

function stillUnclear(): SpeechError {
  return new SpeechError(
    'SUBMIT_UNCLEAR',
    'The answer to the submit was lost, and tasks that may be it are not over.',
    {
      hint: 'Call again in some minutes: the task is looked for again before another one is paid for.',
    },
  )
}
