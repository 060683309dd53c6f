// Selects the pipeline and the models of a request; job ids and workers rely on the same answer.
import type { JobTool, TranscriptionRequest } from '../domain/job.ts'
import type { FileRecogniserList } from '../domain/models/file-recogniser-list.ts'
import { diarize } from './diarize.ts'
import type { Pipeline, PipelinePorts } from './pipeline.ts'
import { transcribe } from './transcribe.ts'
import { transcribeTimed } from './transcribe-timed.ts'

export function selectPipeline(tool: JobTool, request: TranscriptionRequest, ports: PipelinePorts): Pipeline {
  if (tool === 'diarize_audio') return diarize
  return needsMeasuredTimes(request, ports) ? transcribeTimed : transcribe
}

/** Models that the words depend on, in the order in which they are called; of each list the first, also if another answers. */
export function modelsOf(tool: JobTool, request: TranscriptionRequest, ports: PipelinePorts): string[] {
  const [recogniser, speakers, words] = [
    ports.recogniser.model,
    first(ports.speakerRecognisers),
    first(ports.fileRecognisers),
  ]
  // A dual-channel recording is transcribed in chunks; whether it is one is not known yet.
  if (tool === 'diarize_audio') return [speakers, words, recogniser]
  return needsMeasuredTimes(request, ports) ? [words] : [recogniser]
}

function first({ members }: FileRecogniserList): string {
  return members[0]!.model
}

/** Times are measured on request, and not through temporary storage; without them the text is ready sooner. */
function needsMeasuredTimes(
  { timestamps }: TranscriptionRequest,
  { objectStorage, hasFileModels = true }: PipelinePorts,
): boolean {
  const isRequested = timestamps === 'segment' || timestamps === 'word'
  return isRequested && hasFileModels && objectStorage.way !== 'temporary'
}
