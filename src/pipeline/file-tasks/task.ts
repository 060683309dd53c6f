// Runs one pass as a task of the provider: polls it to its end, and restarts it where that may help.
import { type ErrorCode, isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { FileRecognition, TaskStatus } from '../../domain/ports.ts'
import { log } from '../../log.ts'
import { type PassContext, poll, type StartedTask, type SubmitIntent, waitToPoll } from './pass-context.ts'
import { startTask } from './submit.ts'

type EndedTask = Extract<TaskStatus, { state: 'done' | 'failed' }>

/** The provider may not know a new task yet for this many polls in a row. */
const maxUnknownPolls = 3
/** After these errors another task may succeed; each is retried once. */
const retryOnceCodes = ['UPLOAD_UNREACHABLE', 'TASK_LOST'] as const
/** After these errors the task has ended for good, and the next request starts another. */
const finalCodes = new Set<ErrorCode>([
  ...retryOnceCodes,
  'TASK_FAILED',
  'NOT_AUDIO',
  'TOO_LARGE',
  'CONTENT_REFUSED',
])

/** Resolves with the recognition; throws the error of the last task. */
export async function runPass(context: PassContext): Promise<FileRecognition> {
  const { checkpoint, run, key } = context
  if (checkpoint && 'hearing' in checkpoint) return checkpoint.hearing
  const retriesLeft = new Set<ErrorCode>(retryOnceCodes)
  let started: StartedTask | undefined =
    checkpoint && 'task' in checkpoint ? { task: checkpoint.task, isSubmittedHere: false } : undefined
  let earlierIntent = checkpoint && 'intent' in checkpoint ? checkpoint : undefined
  for (;;) {
    const end = await attempt(context, started, earlierIntent)
    if (end.state === 'done') {
      await run.checkpoints.put(key, { hearing: end.recognition })
      return end.recognition
    }
    const { code, retryable } = end.error
    if (finalCodes.has(code)) await clearCheckpoint(context, end.started)
    // A task stopped by an earlier job is restarted; a task of this run that was stopped stays so.
    const isStopped = code === 'TASK_LOST' && !retryable && end.started?.isSubmittedHere
    if (isStopped || !retriesLeft.delete(code)) throw end.error
    log.info('task-restarted', { id: run.job, code })
    // The signature may have expired, and the upload of an earlier process may be gone.
    if (code === 'UPLOAD_UNREACHABLE') context.upload.invalidate()
    started = undefined
    earlierIntent = undefined
  }
}

async function attempt(
  context: PassContext,
  known: StartedTask | undefined,
  earlierIntent: SubmitIntent | undefined,
): Promise<EndedTask & { started?: StartedTask }> {
  let started: StartedTask
  try {
    started = known ?? (await startTask(context, earlierIntent))
  } catch (error) {
    if (isSpeechError(error) && error.code === 'UPLOAD_UNREACHABLE') return { state: 'failed', error }
    throw error
  }
  const isOwn = started.isSubmittedHere || (known !== undefined && context.isOwnCheckpoint)
  context.onTask(started.task, isOwn)
  if (started.recognition) return { state: 'done', recognition: started.recognition, started }
  return { ...(await pollUntilEnd(started, context)), started }
}

/** Leaves the checkpoint where another job has stored a task of its own under the same key meanwhile. */
async function clearCheckpoint({ key, run }: PassContext, started: StartedTask | undefined): Promise<void> {
  const stored = (await run.checkpoints.get(key)) as { task?: unknown } | null | undefined
  if (!started || stored?.task === started.task) await run.checkpoints.put(key, {})
}

async function pollUntilEnd(
  { task, isSubmittedHere }: StartedTask,
  context: PassContext,
): Promise<EndedTask> {
  const { pass, run } = context
  const until = performance.now() + context.timeoutSeconds * 1000
  let unknownPolls = 0
  if (isSubmittedHere) await waitToPoll(context)
  for (;;) {
    const status = await poll(task, context)
    context.onPoll()
    if (status?.state === 'done') return status
    if (status?.state === 'failed' && !(isUnknown(status.error) && ++unknownPolls <= maxUnknownPolls))
      return status
    if (status && status.state !== 'failed') unknownPolls = 0
    if (performance.now() > until) {
      if (isSubmittedHere) await pass.recogniser.cancel(task, run.signal).catch(() => {})
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
