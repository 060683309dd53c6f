// One pass over an uploaded recording, as a task of the provider: followed to its end, and begun again where that helps.
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { FileRecognition, TaskStatus } from '../../domain/ports.ts'
import { log } from '../../log.ts'
import { type PassContext, poll, type StartedTask, type SubmitIntent, waitToPoll } from './pass-context.ts'
import { startTask } from './submit.ts'

type Ended = Extract<TaskStatus, { state: 'done' | 'failed' }>

/** So many times in a row the provider may not know a task that it has just taken. */
const mostUnknown = 3
/** Ends of a task after which another one may fare better, once each. */
const worthAnother = ['UPLOAD_UNREACHABLE', 'TASK_LOST'] as const
/** Ends after which a task has nothing more to tell, and the next order begins another. */
const finalEnds = new Set<string>([
  ...worthAnother,
  'TASK_FAILED',
  'NOT_AUDIO',
  'TOO_LARGE',
  'CONTENT_REFUSED',
])

/** Resolves with what was heard; throws why nothing was. */
export async function runPass(errand: PassContext): Promise<FileRecognition> {
  const { checkpoint, run, key } = errand
  if (checkpoint && 'hearing' in checkpoint) return checkpoint.hearing
  const left = new Set<string>(worthAnother)
  let begun: StartedTask | undefined =
    checkpoint && 'task' in checkpoint ? { task: checkpoint.task, isSubmittedHere: false } : undefined
  let earlier = checkpoint && 'intent' in checkpoint ? checkpoint : undefined
  for (;;) {
    const end = await attempt(errand, begun, earlier)
    if (end.state === 'done') {
      await run.checkpoints.put(key, { hearing: end.recognition })
      return end.recognition
    }
    const { code, retryable } = end.error
    if (finalEnds.has(code)) await forget(errand, end.begun)
    // What an earlier order has stopped may be begun again; what somebody stops now stays so.
    const isStopped = code === 'TASK_LOST' && !retryable && end.begun?.isSubmittedHere
    if (isStopped || !left.delete(code)) throw end.error
    log.info('task-again', { id: run.job, code })
    // What was signed may have ended, and what an earlier process laid there may be gone.
    if (code === 'UPLOAD_UNREACHABLE') errand.upload.invalidate()
    begun = undefined
    earlier = undefined
  }
}

async function attempt(
  errand: PassContext,
  known: StartedTask | undefined,
  earlier: SubmitIntent | undefined,
): Promise<Ended & { begun?: StartedTask }> {
  let begun: StartedTask
  try {
    begun = known ?? (await startTask(errand, earlier))
  } catch (error) {
    if (isSpeechError(error) && error.code === 'UPLOAD_UNREACHABLE') return { state: 'failed', error }
    throw error
  }
  errand.onTask(begun.task, begun.isSubmittedHere || (known !== undefined && errand.isOwnCheckpoint))
  if (begun.recognition) return { state: 'done', recognition: begun.recognition, begun }
  return { ...(await follow(begun, errand)), begun }
}

/** Another job may have kept a task of its own under the same key meanwhile. */
async function forget({ key, run }: PassContext, begun: StartedTask | undefined): Promise<void> {
  const kept = (await run.checkpoints.get(key)) as { task?: unknown } | null | undefined
  if (!begun || kept?.task === begun.task) await run.checkpoints.put(key, {})
}

/** Asks until the task is over, or the patience is. */
async function follow({ task, isSubmittedHere }: StartedTask, errand: PassContext): Promise<Ended> {
  const { pass, run } = errand
  const until = performance.now() + errand.timeoutSeconds * 1000
  let unknown = 0
  if (isSubmittedHere) await waitToPoll(errand)
  for (;;) {
    const status = await poll(task, errand)
    errand.onPoll()
    if (status?.state === 'done') return status
    if (status?.state === 'failed' && !(isUnknown(status.error) && ++unknown <= mostUnknown)) return status
    if (status && status.state !== 'failed') unknown = 0
    if (performance.now() > until) {
      if (isSubmittedHere) await pass.recogniser.cancel(task, run.signal).catch(() => {})
      return { state: 'failed', error: tooLong() }
    }
    await waitToPoll(errand)
  }
}

/** Not known, yet or no more; one that was stopped is known. */
function isUnknown({ code, retryable }: SpeechError): boolean {
  return code === 'TASK_LOST' && retryable
}

function tooLong(): SpeechError {
  return new SpeechError('TASK_TIMEOUT', 'The provider has not come to an end with this recording in time.', {
    hint: 'Call again later: a task that goes on is asked for its result, and nothing is billed twice.',
  })
}
