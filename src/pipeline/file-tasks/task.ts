// One pass over an uploaded recording, as a task of the provider: followed to its end, and begun again where that helps.
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { FileRecognition, TaskStatus } from '../../domain/ports.ts'
import { log } from '../../log.ts'
import { ask, type Begun, type Errand, type Intent, pause } from './pass-context.ts'
import { begin } from './submit.ts'

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
export async function carryOutPass(errand: Errand): Promise<FileRecognition> {
  const { kept, run, key } = errand
  if (kept && 'hearing' in kept) return kept.hearing
  const left = new Set<string>(worthAnother)
  let begun: Begun | undefined = kept && 'task' in kept ? { task: kept.task, isOurs: false } : undefined
  let earlier = kept && 'intent' in kept ? kept : undefined
  for (;;) {
    const end = await attempt(errand, begun, earlier)
    if (end.state === 'done') {
      await run.checkpoints.put(key, { hearing: end.recognition })
      return end.recognition
    }
    const { code, retryable } = end.error
    if (finalEnds.has(code)) await forget(errand, end.begun)
    // What an earlier order has stopped may be begun again; what somebody stops now stays so.
    const isStopped = code === 'TASK_LOST' && !retryable && end.begun?.isOurs
    if (isStopped || !left.delete(code)) throw end.error
    log.info('task-again', { id: run.job, code })
    // What was signed may have ended, and what an earlier process laid there may be gone.
    if (code === 'UPLOAD_UNREACHABLE') errand.deposit.distrust()
    begun = undefined
    earlier = undefined
  }
}

async function attempt(
  errand: Errand,
  known: Begun | undefined,
  earlier: Intent | undefined,
): Promise<Ended & { begun?: Begun }> {
  let begun: Begun
  try {
    begun = known ?? (await begin(errand, earlier))
  } catch (error) {
    if (isSpeechError(error) && error.code === 'UPLOAD_UNREACHABLE') return { state: 'failed', error }
    throw error
  }
  errand.onTask(begun.task, begun.isOurs || (known !== undefined && errand.isOwn))
  if (begun.hearing) return { state: 'done', recognition: begun.hearing, begun }
  return { ...(await follow(begun, errand)), begun }
}

/** Another job may have kept a task of its own under the same key meanwhile. */
async function forget({ key, run }: Errand, begun: Begun | undefined): Promise<void> {
  const kept = (await run.checkpoints.get(key)) as { task?: unknown } | null | undefined
  if (!begun || kept?.task === begun.task) await run.checkpoints.put(key, {})
}

/** Asks until the task is over, or the patience is. */
async function follow({ task, isOurs }: Begun, errand: Errand): Promise<Ended> {
  const { pass, run } = errand
  const until = performance.now() + errand.patience * 1000
  let unknown = 0
  if (isOurs) await pause(errand)
  for (;;) {
    const status = await ask(task, errand)
    errand.onAsked()
    if (status?.state === 'done') return status
    if (status?.state === 'failed' && !(isUnknown(status.error) && ++unknown <= mostUnknown)) return status
    if (status && status.state !== 'failed') unknown = 0
    if (performance.now() > until) {
      if (isOurs) await pass.recogniser.cancel(task, run.signal).catch(() => {})
      return { state: 'failed', error: tooLong() }
    }
    await pause(errand)
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
