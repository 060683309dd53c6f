// Builds the transcript of a recording from its chunks, as they are recognised.
import { roundUsd, totalUsd, unknownPrice } from '../domain/models/price.ts'
import { successorWarning } from '../domain/models/successors.ts'
import type { Recogniser } from '../domain/ports.ts'
import type { Run } from '../domain/run.ts'
import { roundToMs } from '../domain/transcript.ts'
import type { Merge } from './chunks/merge.ts'
import type { ChunkTranscript } from './chunks/recognise.ts'
import type { ChunkRecognition } from './chunks/transcribe-chunks.ts'
import type { Findings } from './pipeline.ts'

export interface CollectOptions {
  merge: Merge
  title: string
  recogniser: Recogniser
  /** Number of voices that are recognised apart. Default: 1. */
  channelCount?: number
  run: Run
  onFound: (findings: () => Findings) => void
}

/** Builds a transcript from the chunks as they are recognised; it grows with each of them. */
export async function collectTranscript(
  recognition: ChunkRecognition,
  { merge, title, recogniser, channelCount = 1, run, onFound }: CollectOptions,
): Promise<Findings> {
  const transcripts: ChunkTranscript[] = []
  const findings = (pending?: { end?: number }): Findings => {
    const { sent, cached, ...merged } = merge(transcripts, pending)
    return {
      title,
      status: pending ? 'running' : 'completed',
      duration: roundToMs(pending ? recognition.totalSeconds() : recognition.decodedSeconds()),
      model: modelsIn(transcripts, recogniser).join(' + '),
      usage: {
        audioSeconds: sent,
        cachedSeconds: cached,
        ...totalUsd(transcripts.map(({ costUsd }) => costUsd)),
      },
      ...merged,
    }
  }
  const soFar = () => withEstimate(findings({ end: recognition.totalSeconds() }), recogniser, channelCount)
  for await (const transcript of recognition.transcripts) {
    transcripts.push(transcript)
    onFound(soFar)
  }

  warnOfOtherModels(transcripts, recogniser, run)
  const found = findings()
  if (found.usage.costUsd === undefined) run.warn(unknownPrice(modelsIn(transcripts, recogniser)))
  const lost = recognition.lost()
  if (lost)
    found.coverage.gaps.push({ ...lost, reason: 'FFMPEG_FAILED: ffmpeg ended before the recording did.' })
  if (transcripts.length === 0 && !lost)
    run.warn('No speech was found: the recording is silent, or its channels cancel each other out.')
  return { ...found, status: found.coverage.gaps.length > 0 ? 'partial' : 'completed' }
}

/** Models that answered, in the order of time; the first of the list before any has. */
function modelsIn(transcripts: ChunkTranscript[], recogniser: Recogniser): string[] {
  const inOrder = transcripts.filter(({ failure }) => !failure).toSorted((a, b) => a.start - b.start)
  const names = inOrder.map(({ model }) => model ?? recogniser.model)
  return names.length > 0 ? [...new Set(names)] : [recogniser.model]
}

/** Tells the reader when another model than the first of the list has answered. */
function warnOfOtherModels(transcripts: ChunkTranscript[], { model: first }: Recogniser, run: Run): void {
  const others = [...new Set(transcripts.flatMap(({ model }) => (model && model !== first ? [model] : [])))]
  for (const model of others) run.warn(successorWarning(model, [{ inPlaceOf: first }]))
}

/** An upper bound, as silence is not sent. */
function withEstimate(findings: Findings, { usdPerSecond }: Recogniser, channelCount: number): Findings {
  if (usdPerSecond === undefined) return findings
  const estimatedCostUsd = roundUsd(findings.duration * channelCount * usdPerSecond)
  return { ...findings, usage: { ...findings.usage, estimatedCostUsd } }
}
