// Runs a task of one model to its end: polls it, and restarts it where that may help.
import { type ErrorCode, isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { FileRecognition, TaskStatus } from '../../domain/ports.ts'
import { log } from '../../log.ts'
import { poll, type StartedTask, type TaskContext, waitToPoll } from './pass-context.ts'
import { findUnclearTask, startTask } from './submit.ts'

type EndedTask = Extract<TaskStatus, { state: 'done' | 'failed' }> & { started?: StartedTask }

/** The provider may not know a new task yet for this many polls in a row. */
const maxUnknownPolls = 3
/** After these errors another task may succeed; each is retried once. */
const retryOnceCodes = ['UPLOAD_UNREACHABLE', 'TASK_LOST', 'TASK_FAILED'] as const

/** The errors after which a pass still may start another task. */
export type RetriesLeft = Set<ErrorCode>

export function allRetries(): RetriesLeft {
  return new Set(retryOnceCodes)
}

/** Starts a task and resolves with its recognition; throws the error of the last task. */
export async function runTask(context: TaskContext, retriesLeft: RetriesLeft): Promise<FileRecognition> {
  for (;;) {
    const recognition = await settle(await attempt(context), context, retriesLeft)
    if (recognition) return recognition
  }
}

/** Goes on with the task of an earlier attempt; undefined where another one has to be started. */
export async function resumeTask(
  context: TaskContext,
  retriesLeft: RetriesLeft,
): Promise<FileRecognition | undefined> {
  const { checkpoint, isOwnCheckpoint, onTask } = context
  if (!checkpoint) return undefined
  if ('hearing' in checkpoint) return checkpoint.hearing
  const isKnown = 'task' in checkpoint
  const task = isKnown ? checkpoint.task : await findUnclearTask(checkpoint, context)
  if (task === undefined) return undefined
  const started = { task, isSubmittedHere: !isKnown }
  onTask(task, !isKnown || isOwnCheckpoint)
  return settle({ ...(await pollUntilEnd(started, context)), started }, context, retriesLeft)
}

/** The recognition of an ended task; undefined where another task may succeed. */
async function settle(
  end: EndedTask,
  context: TaskContext,
  retriesLeft: RetriesLeft,
): Promise<FileRecognition | undefined> {
  const { run, key, upload, recogniser } = context
  if (end.state === 'done') {
    await run.checkpoints.put(key, { hearing: end.recognition })
    run.gotOn()
    return end.recognition
  }
  const { code, retryable } = end.error
  // Any other error ends the task for good, and the next request starts another.
  if (code !== 'TASK_TIMEOUT') {
    if (end.started) context.onTaskFailed()
    await clearCheckpoint(context, end.started)
  }
  // A task stopped by an earlier job is restarted; a task of this run that was stopped stays so.
  const mayRestart = retryable || (code === 'TASK_LOST' && !end.started?.isSubmittedHere)
  if (!mayRestart || !retriesLeft.delete(code)) throw end.error
  log.info('task-restarted', { id: run.job, code })
  // The signature may have expired, and the upload of an earlier process may be gone.
  if (code === 'UPLOAD_UNREACHABLE') upload.invalidate(recogniser.model)
  return undefined
}

async function attempt(context: TaskContext): Promise<EndedTask> {
  let started: StartedTask
  try {
    started = await startTask(context)
  } catch (error) {
    if (isSpeechError(error) && error.code === 'UPLOAD_UNREACHABLE') return { state: 'failed', error }
    throw error
  }
  context.onTask(started.task, started.isSubmittedHere)
  if (started.recognition) return { state: 'done', recognition: started.recognition, started }
  return { ...(await pollUntilEnd(started, context)), started }
}

/** Leaves the checkpoint where another job has stored a task of its own under the same key meanwhile. */
async function clearCheckpoint({ key, run }: TaskContext, started: StartedTask | undefined): Promise<void> {
  const stored = (await run.checkpoints.get(key)) as { task?: unknown } | null | undefined
  if (!started || stored?.task === started.task) await run.checkpoints.put(key, {})
}

async function pollUntilEnd(
  { task, isSubmittedHere }: StartedTask,
  context: TaskContext,
): Promise<EndedTask> {
  const { recogniser, run } = context
  const until = performance.now() + context.timeoutSeconds * 1000
  let unknownPolls = 0
  if (isSubmittedHere) await waitToPoll(context)
  for (;;) {
    const status = await poll(task, context)
    context.onPoll()
    if (status?.state === 'done') return status
    if (status?.state === 'failed' && !(isUnknown(status.error) && ++unknownPolls <= maxUnknownPolls))
      return status
    if (status && status.state !== 'failed') {
      unknownPolls = 0
      // While the provider works, nothing in this recording ends a process.
      run.gotOn()
    }
    if (performance.now() > until) {
      if (isSubmittedHere) await recogniser.cancel(task, run.signal).catch(() => {})
      return { state: 'failed', error: taskTimeout() }
    }
    await waitToPoll(context)
  }
}

/** True for a task not known yet or any more; a stopped task is known. */
function isUnknown({ code, retryable }: SpeechError): boolean {
  return code === 'TASK_LOST' && retryable
}

function taskTimeout(): SpeechError {
  return new SpeechError('TASK_TIMEOUT', 'The provider did not finish this recording in time.', {
    hint: 'Call again later: a task that is still running is picked up, and nothing is billed twice.',
  })
}
