// Messages about jobs: which jobs this process can run, and in which lane a job waits.
import type { Job } from '../../domain/job.ts'
import type { JobMessage } from '../../domain/queue.ts'
import type { PipelinePorts } from '../../pipeline/pipeline.ts'
import { modelsOf, selectPipeline } from '../../pipeline/select-pipeline.ts'
import { transcribe } from '../../pipeline/transcribe.ts'

/** Other models would make another job: other words, and none of its checkpoints could be used. */
export function usesOurModels({ tool, request, models }: Job, pipeline: PipelinePorts): boolean {
  const ours = modelsOf(tool, request, pipeline)
  return models.length === ours.length && models.every((model, i) => model === ours[i])
}

/** True where any machine can read the recording; false for a local file that is not uploaded. */
export function isReachable({ request: { audio }, recording }: Job): boolean {
  return recording !== undefined || /^(?:data:|https?:\/\/|upload:\/\/)/i.test(audio)
}

/** A job that waits for a task of the provider uses no CPU meanwhile: many of them may run side by side (`remote`). */
export function messageFor({ id, owner, tool, request, short }: Job, pipeline: PipelinePorts): JobMessage {
  const isRemote = selectPipeline(tool, request, pipeline) !== transcribe
  return { id, owner, lane: isRemote ? 'remote' : short ? 'short' : 'long' }
}
