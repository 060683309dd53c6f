// Which jobs this process can carry out, and in which lane they wait.
import type { Job } from '../../domain/job.ts'
import type { JobMessage } from '../../domain/queue.ts'
import { modelsOf, selectPipeline } from '../../pipeline/select-pipeline.ts'
import { type PipelinePorts, transcribe } from '../../pipeline/transcribe.ts'

/** Under other models it would be another job: other words, and what was heard so far would be asked for again. */
export function isForUs({ tool, order, models }: Job, pipeline: PipelinePorts): boolean {
  // Those of earlier versions knew only one.
  const wanted = models ?? [pipeline.recogniser.model]
  const ours = modelsOf(tool, order, pipeline)
  return wanted.length === ours.length && wanted.every((model, i) => model === ours[i])
}

/** True where any machine can have the recording; false for a file that nobody has sent to where the others see it. */
export function isAtHand({ order: { audio }, recording }: Job): boolean {
  return recording !== undefined || /^(?:data:|https?:\/\/)/i.test(audio)
}

/** What waits for a task of the provider does nothing here meanwhile, so that many of them may wait side by side. */
export function ticketOf({ id, owner, tool, order, brief }: Job, pipeline: PipelinePorts): JobMessage {
  const isRemote = selectPipeline(tool, order, pipeline) !== transcribe
  return { id, owner, lane: isRemote ? 'remote' : brief ? 'brief' : 'long' }
}
