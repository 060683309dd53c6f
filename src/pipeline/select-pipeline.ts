// Which story an order is told by, and with which models: the same question for its id and for whoever carries it out.
import type { JobTool, TranscriptionRequest } from '../domain/job.ts'
import { diarize } from './diarize.ts'
import type { Pipeline } from './pipeline.ts'
import { type PipelinePorts, transcribe } from './transcribe.ts'
import { transcribeTimed } from './transcribe-timed.ts'

export function selectPipeline(tool: JobTool, order: TranscriptionRequest, ports: PipelinePorts): Pipeline {
  if (tool === 'diarize_audio') return diarize
  return isMeasured(order, ports) ? transcribeTimed : transcribe
}

/** What the words depend on, in the order in which the models are asked. */
export function modelsOf(tool: JobTool, order: TranscriptionRequest, ports: PipelinePorts): string[] {
  const { recogniser, speakerRecogniser, fileRecogniser } = ports
  // A call with a voice in each channel is heard in chunks; whether it is one is not known yet.
  if (tool === 'diarize_audio') return [speakerRecogniser.model, fileRecogniser.model, recogniser.model]
  return isMeasured(order, ports) ? [fileRecogniser.model] : [recogniser.model]
}

/** Times are measured when somebody asks for them and has a bucket; whoever does not ask has the text sooner. */
function isMeasured({ timestamps }: TranscriptionRequest, { blobs, fileRecogniser }: PipelinePorts): boolean {
  const isAsked = timestamps === 'segment' || timestamps === 'word'
  return isAsked && blobs.way === 'bucket' && fileRecogniser.capabilities.text
}
