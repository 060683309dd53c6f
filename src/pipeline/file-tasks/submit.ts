// Starts a pass as a task of the provider and pays for it once, also after a lost response or beside an equal job.
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { FileRecognition } from '../../domain/ports.ts'
import {
  type PassCheckpoint,
  poll,
  type StartedTask,
  type SubmitIntent,
  type TaskContext,
  waitToPoll,
} from './pass-context.ts'

const submitTimeoutMs = 30_000
/** A submit may go on this long after the run was aborted: its response names a task that is billed. */
const submitAfterAbortMs = 5_000
/** The search for the task of an unclear submit covers this much time before and after it. */
const searchWindowMs = 60_000
/** How long to wait for unidentified tasks to end. */
const maxSearchSeconds = 120
/** The task of another job's submit is waited for if its intent is more recent than this. */
const maxIntentAgeMs = 30_000

/** Submits a task. After a lost response, searches for the task it may have created first. */
export async function startTask(context: TaskContext): Promise<StartedTask> {
  const { recogniser, upload, run } = context
  // Learns the time during the upload, so that no submit waits for it.
  await Promise.all([upload.ensureUploaded([recogniser]), recogniser.now(run.signal)])
  run.signal.throwIfAborted()
  const name = upload.key(recogniser.model)!
  const existing = await announceSubmit(context, name)
  if (existing) return existing
  const intent = await recogniser.now(run.signal)
  try {
    return { task: await submit(context), isSubmittedHere: true }
  } catch (error) {
    if (!isSpeechError(error) || error.code !== 'SUBMIT_UNCLEAR') throw error
    const found = await findUnclearTask({ intent, name }, context)
    if (found !== undefined) return { task: found, isSubmittedHere: true }
    // The search may have taken minutes: a later process must search around this submit, not the first.
    await run.checkpoints.put(context.key, { intent: await recogniser.now(run.signal), name })
    return { task: await submit(context), isSubmittedHere: true }
  }
}

/** Stores the intent to submit, unless an equal job stored its own during the upload: then resolves with its task. */
async function announceSubmit(
  { key, run, limitSubmits, checkpoint, recogniser, ...context }: TaskContext,
  name: string,
): Promise<StartedTask | undefined> {
  for (;;) {
    const found = await limitSubmits(run.owner, async () => {
      const [stored, now] = await Promise.all([run.checkpoints.get(key), recogniser.now(run.signal)])
      const other = run.checkpoints.isFromThisJob(stored)
        ? undefined
        : taskOfOtherJob(stored, checkpoint, now)
      if (!other) await run.checkpoints.put(key, { intent: now, name })
      return other
    })
    if (found !== 'soon') return found
    await waitToPoll({ run, ...context })
  }
}

/** The task of another job; `soon` where it is about to submit one. */
function taskOfOtherJob(
  value: unknown,
  earlier: PassCheckpoint | undefined,
  now: number,
): StartedTask | 'soon' | undefined {
  const stored = value as
    | Partial<SubmitIntent & { task: string; hearing: FileRecognition }>
    | null
    | undefined
  if (stored?.hearing) return { task: '', isSubmittedHere: false, recognition: stored.hearing }
  if (typeof stored?.task === 'string') {
    const hasEnded = earlier && 'task' in earlier && earlier.task === stored.task
    return hasEnded ? undefined : { task: stored.task, isSubmittedHere: false }
  }
  const isRecent = typeof stored?.intent === 'number' && now - stored.intent < maxIntentAgeMs
  return isRecent ? 'soon' : undefined
}

async function submit({ recogniser, options, key, upload, run }: TaskContext): Promise<string> {
  try {
    const url = await upload.signedUrl(recogniser.model)
    const task = await recogniser.submit({ url, owner: run.owner, ...options }, delayedSignal(run.signal))
    run.answered()
    await run.checkpoints.put(key, { task })
    return task
  } catch (error) {
    // A refusal proves that there is no task.
    if (isSpeechError(error) && error.code !== 'SUBMIT_UNCLEAR') await run.checkpoints.put(key, {})
    throw error
  }
}

/** Aborts some time after the given signal, or on timeout. */
function delayedSignal(signal: AbortSignal): AbortSignal {
  const delayed = new AbortController()
  const abortLater = () => void setTimeout(() => delayed.abort(), submitAfterAbortMs).unref()
  signal.addEventListener('abort', abortLater, { once: true })
  return AbortSignal.any([delayed.signal, AbortSignal.timeout(submitTimeoutMs)])
}

/**
 * Searches for the task of a submit without a response: the one that processed this upload. A listed task does not
 * name its file, so each is polled to its end. Undefined: there is none, and another submit is not billed twice.
 */
export async function findUnclearTask(
  { intent, name }: SubmitIntent,
  context: TaskContext,
): Promise<string | undefined> {
  const { recogniser, run } = context
  const until = performance.now() + Math.min(maxSearchSeconds, context.timeoutSeconds) * 1000
  const otherTasks = new Set<string>()
  await waitToPoll(context)
  for (;;) {
    const [from, to] = [intent - searchWindowMs, intent + searchWindowMs]
    const listed = await recogniser.listTasks(from, to, run.signal)
    const candidates = listed.filter(task => !otherTasks.has(task))
    for (const task of candidates) {
      const status = await poll(task, context)
      if (status?.state === 'done' && isOfUpload(status.recognition, name)) return task
      if (status?.state === 'done' || status?.state === 'failed') otherTasks.add(task)
    }
    context.onPoll()
    if (candidates.every(task => otherTasks.has(task))) return undefined
    if (performance.now() > until) throw stillUnclear()
    await waitToPoll(context)
  }
}

function isOfUpload({ url }: FileRecognition, name: string): boolean {
  try {
    return url !== undefined && decodeURIComponent(url).includes(name)
  } catch {
    return false
  }
}

function stillUnclear(): SpeechError {
  return new SpeechError(
    'SUBMIT_UNCLEAR',
    'The response to the submit was lost, and the tasks that may belong to it have not ended.',
    { hint: 'Call again in a few minutes: the task is searched for again before another one is paid for.' },
  )
}
