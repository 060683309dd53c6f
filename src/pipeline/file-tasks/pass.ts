// Runs one pass: goes on with what an earlier attempt began, else asks its models in their order until one answers.
import type { BudgetPart } from '../../domain/costs/budget.ts'
import { isSpeechError, type SpeechError } from '../../domain/errors.ts'
import { estimatedUsd } from '../../domain/models/price.ts'
import type { FileRecogniser, FileRecognition } from '../../domain/ports.ts'
import { isDone, type PlannedPass, refusalOf } from './candidates.ts'
import type { Candidate, TaskContext } from './pass-context.ts'
import { allRetries, resumeTask, runTask } from './task.ts'

type Tools = Omit<TaskContext, keyof Candidate | 'onTask' | 'onTaskFailed'>

export interface PassTools extends Tools {
  /** Recognitions of this job: two passes that need the same one share it. */
  shared: Map<string, Promise<FileRecognition>>
  /** Called before a model is asked; rejects where it must not be. */
  onAsk: (recogniser: FileRecogniser) => Promise<void>
  /** Receives a task that this job pays for as soon as it exists. */
  onOwnTask: (recogniser: FileRecogniser, task: string) => void
  /** Counts what the tasks of this job cost, and the length of the recording. */
  part: BudgetPart
  seconds: number
}

export interface PassAnswer {
  /** The model that has answered. */
  recogniser: FileRecogniser
  recognition: FileRecognition
  /** `us`: this job pays for it; `others`: another job did; `shared`: it is the task of the other pass. */
  paidBy: 'us' | 'others' | 'shared'
  /** Why the first model did not answer, if it came to its turn. */
  firstError?: SpeechError | undefined
}

/** Throws the error of the last task, or the one that the user can do most about. */
export async function runPass(pass: PlannedPass, tools: PassTools): Promise<PassAnswer> {
  const { run, shared, onAsk, onOwnTask, part, seconds } = tools
  const retriesLeft = allRetries()
  const bill = createBill(part, seconds)
  let pays = false

  const contextOf = (candidate: Candidate, onAccepted = () => {}): TaskContext => ({
    ...tools,
    ...candidate,
    onTask(task, isOwn) {
      pays = isOwn
      if (isOwn) onOwnTask(candidate.recogniser, task)
      bill.started(candidate, task, isOwn)
      onAccepted()
    },
    onTaskFailed: bill.failed,
  })

  /** Models whose task of an earlier attempt ended because of the model. */
  const ended = new Map<FileRecogniser, SpeechError>()
  for (const candidate of pass.begun) {
    const { recogniser, isOwnCheckpoint } = candidate
    pays = isOwnCheckpoint
    try {
      const recognition = await resumeTask(contextOf(candidate), retriesLeft)
      if (pays && recognition) bill.answered(candidate, recognition)
      if (recognition) return { recogniser, recognition, paidBy: pays ? 'us' : 'others' }
    } catch (error) {
      if (!isSpeechError(error) || error.scope !== 'model') throw error
      ended.set(recogniser, error)
    }
  }

  let firstError: SpeechError | undefined
  const answer = await pass.recognisers.ask(
    async (recogniser, onAccepted): Promise<PassAnswer> => {
      const end = ended.get(recogniser)
      if (end) throw end
      const candidate = pass.candidates.find(one => one.recogniser === recogniser)!
      // One model with the same options may be asked for different roles.
      const work = `${candidate.key} ${JSON.stringify(recogniser.capabilities)}`
      const underWay = shared.get(work)
      if (underWay) return { recogniser, recognition: await underWay, paidBy: 'shared' }
      const asked = onAsk(recogniser)
      // The other pass must find it at once.
      const recognising = asked.then(() => runTask(contextOf(candidate, onAccepted), retriesLeft))
      shared.set(work, recognising)
      const recognition = await recognising
      if (pays) bill.answered(candidate, recognition)
      return { recogniser, recognition, paidBy: pays ? 'us' : 'others' }
    },
    run.signal,
    recogniser => refusalOf(recogniser, pass),
    (recogniser, error) => {
      if (recogniser === pass.recognisers.members[0]) firstError = error
    },
  )
  return { ...answer, firstError }
}

/** Billed seconds of an answer, and US dollars if known. */
export function billOf(
  { usdPerSecond }: FileRecogniser,
  { sentences, costUsd, ...answer }: FileRecognition,
  duration: number,
): { seconds: number; costUsd: number | undefined } {
  const seconds = answer.seconds || (sentences.length > 0 ? duration : 0)
  return { seconds, costUsd: costUsd ?? estimatedUsd(usdPerSecond, seconds) }
}

/**
 * Records an estimate for a task with its submit, and then its cost. A task is billed even if this job or its connection
 * ends first, so the estimate is taken back only where the provider says that the task has failed.
 */
function createBill(part: BudgetPart, duration: number) {
  let recordedUsd = 0
  return {
    started({ recogniser, checkpoint }: Candidate, task: string, isOwn: boolean): void {
      recordedUsd = isOwn ? (estimatedUsd(recogniser.usdPerSecond, duration) ?? 0) : 0
      const isEarlier = checkpoint && 'task' in checkpoint && checkpoint.task === task
      if (isEarlier) part.payEarlier(recordedUsd)
      else part.pay(recordedUsd)
    },
    answered(candidate: Candidate, recognition: FileRecognition): void {
      const costUsd = billOf(candidate.recogniser, recognition, duration).costUsd ?? 0
      if (isDone(candidate)) part.payEarlier(costUsd)
      else part.pay(costUsd - recordedUsd)
    },
    failed(): void {
      part.pay(-recordedUsd)
      recordedUsd = 0
    },
  }
}
