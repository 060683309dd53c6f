// Checks that a URL still serves the recording that was requested, before a resumed job downloads it.
import { SpeechError } from '../../domain/errors.ts'
import type { Job } from '../../domain/job.ts'
import type { Run } from '../../domain/run.ts'
import type { PipelinePorts } from '../../pipeline/pipeline.ts'
import { identify } from '../../pipeline/source/source.ts'
import { jobId } from '../submit/job-id.ts'

/** A file is known by its hash; of a URL only its server can say. Throws `RECORDING_CHANGED`. */
export async function ensureUnchanged(job: Job, pipeline: PipelinePorts, run: Run): Promise<void> {
  const { tool, request, content } = job
  if (content !== undefined) return
  const identity = await identify(request.audio, pipeline, run)
  if (jobId(job, identity) !== job.id)
    throw new SpeechError('RECORDING_CHANGED', 'The URL no longer serves the recording that was requested.', {
      hint: `Call ${tool} again to transcribe its current content.`,
    })
}
