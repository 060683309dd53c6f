// Runs one pass: goes on with what an earlier attempt began, else asks its models in their order until one answers.
import { isSpeechError, type SpeechError } from '../../domain/errors.ts'
import type { FileRecogniser, FileRecognition } from '../../domain/ports.ts'
import { type PlannedPass, refusalOf } from './candidates.ts'
import type { Candidate, TaskContext } from './pass-context.ts'
import { allRetries, resumeTask, runTask } from './task.ts'

type Tools = Omit<TaskContext, keyof Candidate | 'onTask'>

export interface PassTools extends Tools {
  /** Recognitions of this job: two passes that need the same one share it. */
  shared: Map<string, Promise<FileRecognition>>
  /** Called before a model is asked; throws where it must not be. */
  onAsk: (recogniser: FileRecogniser) => void
  /** Receives a task that this job pays for as soon as it exists. */
  onOwnTask: (recogniser: FileRecogniser, task: string) => void
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
  const { run, shared, onAsk, onOwnTask } = tools
  const retriesLeft = allRetries()
  let pays = false

  const contextOf = (candidate: Candidate, onAccepted = () => {}): TaskContext => ({
    ...tools,
    ...candidate,
    onTask(task, isOwn) {
      pays = isOwn
      if (isOwn) onOwnTask(candidate.recogniser, task)
      onAccepted()
    },
  })

  /** Models whose task of an earlier attempt ended because of the model. */
  const ended = new Map<FileRecogniser, SpeechError>()
  for (const candidate of pass.begun) {
    const { recogniser, isOwnCheckpoint } = candidate
    pays = isOwnCheckpoint
    try {
      const recognition = await resumeTask(contextOf(candidate), retriesLeft)
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
      onAsk(recogniser)
      const recognising = runTask(contextOf(candidate, onAccepted), retriesLeft)
      shared.set(work, recognising)
      const recognition = await recognising
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
