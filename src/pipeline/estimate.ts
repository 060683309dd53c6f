// Estimates the price of a recording before it is decoded, as an upper bound: it is what a user agrees to.
import type { JobTool, TranscriptionRequest } from '../domain/job.ts'
import { hourOfText } from '../domain/models/price.ts'
import { givesBoth } from './file-tasks/candidates.ts'
import type { PipelinePorts } from './pipeline.ts'
import { selectPipeline } from './select-pipeline.ts'
import { transcribe } from './transcribe.ts'
import { allTracks } from './voices/choose-tracks.ts'
import type { RecordingLength } from './voices/recording-length.ts'

/** Chunks without a pause overlap, and are asked for again where an answer loops. */
const margin = 1.1
/** Providers count whole seconds. */
const extraSeconds = 1

/** US dollars; undefined where the length or the price of a model is unknown. */
export function estimateUsd(
  tool: JobTool,
  request: TranscriptionRequest,
  { seconds, tracks, channels }: RecordingLength,
  ports: PipelinePorts,
): number | undefined {
  const track = request.track?.trim().toLowerCase()
  const tracksSent = track === undefined || track === '' || track === allTracks ? Math.max(1, tracks) : 1
  const voices = tool === 'diarize_audio' ? tracksSent * Math.max(1, channels) : tracksSent
  const inChunks = priceOf([ports.recogniser], voices)
  const whole = priceOf(wholeFileModels(tool, request, ports), 1)
  // Only a look at the sound tells whether voices lie apart, in chunks of their own. Chunks also replace a failed pass.
  const mayBeInChunks = voices > 1 || tool === 'transcribe_audio'
  const price = mayBeInChunks ? most(inChunks, whole) : whole
  const text = request.format === undefined ? 0 : textPrice(ports)
  if (price === undefined || text === undefined) return undefined
  const perSecond = price + text
  if (perSecond === 0) return 0
  return seconds === undefined ? undefined : (margin * seconds + extraSeconds) * perSecond
}

/** Models that hear the recording at one go; none where it is sent in chunks. */
function wholeFileModels(tool: JobTool, request: TranscriptionRequest, ports: PipelinePorts) {
  if (selectPipeline(tool, request, ports) === transcribe) return []
  const [words] = ports.fileRecognisers.members
  if (tool === 'transcribe_audio') return [words]
  const [speakers] = ports.speakerRecognisers.members
  return givesBoth(speakers) ? [speakers] : [speakers, words]
}

function priceOf(models: ({ usdPerSecond?: number } | undefined)[], times: number): number | undefined {
  const prices = models.map(model => model?.usdPerSecond)
  if (prices.includes(undefined)) return undefined
  return times * prices.reduce<number>((sum, price) => sum + price!, 0)
}

function most(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.max(a, b)
}

/** Of a second of speech. */
function textPrice({ textModel: { price, models } }: PipelinePorts): number | undefined {
  if (models.length === 0) return 0
  if (!price) return undefined
  const { inputTokens, outputTokens } = hourOfText
  return (inputTokens * price.usdPerMillionInput + outputTokens * price.usdPerMillionOutput) / 1e6 / 3600
}
