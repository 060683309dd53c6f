// The story of one recording: open it, hear it in chunks, merge what was heard.
import { setMaxListeners } from 'node:events'
import type { LimitFunction } from 'p-limit'
import type { PipelineRequest, TranscriptionRequest } from '../domain/job.ts'
import type { FileRecogniser, ObjectStorage, Recogniser } from '../domain/ports.ts'
import { roundUsd } from '../domain/prices.ts'
import type { Run } from '../domain/run.ts'
import { roundToMs, type Transcript } from '../domain/transcript.ts'
import { createMerge, type Merge } from './chunks/merge.ts'
import type { ChunkTranscript } from './chunks/recognise.ts'
import { type ChunkPorts, type ChunkRecognition, transcribeChunks } from './chunks/transcribe-chunks.ts'
import type { FormatPorts } from './formatting/format-text.ts'
import { openSource, type Source, type SourcePorts } from './source/source.ts'
import { titleOf } from './source/title.ts'

export interface PipelinePorts extends SourcePorts, ChunkPorts, FormatPorts {
  /** Hears in an uploaded recording who speaks when. */
  speakerRecogniser: FileRecogniser
  /** Hears in an uploaded recording what is said when. */
  fileRecogniser: FileRecogniser
  blobs: ObjectStorage
  /** How often to ask how far a task is, in seconds. */
  pollSeconds: number
  /** One after the other, shared by all orders of the process: who is about to submit sees whoever was before. */
  limitSubmits: LimitFunction
  /** How long a task may take for a recording of so many seconds. */
  taskTimeoutSeconds(duration: number): number
}

/** A transcript but for what the job knows: its id, when it was made, and what the run warned of. */
export type Findings = Omit<Transcript, 'id' | 'createdAt' | 'warnings'>

/**
 * Resolves with the transcript of a recording; `onFound` may ask for what there is with every chunk that is done.
 * Throws `SpeechError`, or the signal's reason when it is cancelled.
 */
export async function transcribe(
  order: PipelineRequest,
  ports: PipelinePorts,
  outer: Run,
  onFound: (findings: () => Findings) => void,
): Promise<Findings> {
  return transcribeOpened(await openSource(order, ports, outer), order, ports, outer, onFound)
}

/** The same, of a recording that was opened before. */
export async function transcribeOpened(
  source: Source,
  order: TranscriptionRequest,
  ports: PipelinePorts,
  outer: Run,
  onFound: (findings: () => Findings) => void,
): Promise<Findings> {
  return withOwnSignal(outer, async run => {
    run.progress({ done: 0, message: 'Decoding' })
    const hearing = transcribeChunks(source, order, ports, run)
    const merge = createMerge(order.timestamps ?? 'segment')
    return collectTranscript(hearing, {
      merge,
      title: titleOf(order, source),
      recogniser: ports.recogniser,
      run,
      onFound,
    })
  })
}

/** Does the work with a signal of its own: whatever it has started ends with it. */
export async function withOwnSignal<Result>(
  outer: Run,
  work: (run: Run) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController()
  const run: Run = { ...outer, signal: AbortSignal.any([outer.signal, stop.signal]) }
  // Each process and request listens to it: many at once are no leak.
  setMaxListeners(0, run.signal)
  try {
    return await work(run)
  } finally {
    stop.abort()
  }
}

export interface CollectOptions {
  merge: Merge
  title: string
  recogniser: Recogniser
  /** How many channels are heard apart. */
  channelCount?: number
  run: Run
  onFound: (findings: () => Findings) => void
}

/** Makes a transcript of what is heard, more of it with every piece. */
export async function collectTranscript(
  hearing: ChunkRecognition,
  { merge, title, recogniser, channelCount = 1, run, onFound }: CollectOptions,
): Promise<Findings> {
  const pieces: ChunkTranscript[] = []
  const findings = (coming?: { end?: number }): Findings => {
    const { sent, cached, ...merged } = merge(pieces, coming)
    return {
      title,
      status: coming ? 'running' : 'completed',
      duration: roundToMs(coming ? hearing.totalSeconds() : hearing.decodedSeconds()),
      model: recogniser.model,
      usage: { audioSeconds: sent, cachedSeconds: cached, ...cost(recogniser, sent) },
      ...merged,
    }
  }
  const soFar = () => withEstimate(findings({ end: hearing.totalSeconds() }), recogniser, channelCount)
  for await (const piece of hearing.transcripts) {
    pieces.push(piece)
    onFound(soFar)
  }

  const found = findings()
  const lost = hearing.lost()
  if (lost)
    found.coverage.gaps.push({ ...lost, reason: 'FFMPEG_FAILED: ffmpeg ended before the recording did.' })
  if (pieces.length === 0 && !lost)
    run.warn('No speech was found: the recording is silent, or its channels cancel each other.')
  return { ...found, status: found.coverage.gaps.length > 0 ? 'partial' : 'completed' }
}

function cost({ usdPerSecond }: Recogniser, sent: number): { costUsd?: number } {
  return usdPerSecond === undefined ? {} : { costUsd: roundUsd(sent * usdPerSecond) }
}

/** At most, as silence is not sent. */
function withEstimate(findings: Findings, { usdPerSecond }: Recogniser, channels: number): Findings {
  if (usdPerSecond === undefined) return findings
  const estimatedCostUsd = roundUsd(findings.duration * channels * usdPerSecond)
  return { ...findings, usage: { ...findings.usage, estimatedCostUsd } }
}
