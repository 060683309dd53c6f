// Transcribes one recording: opens it, finds its voices, recognises them in chunks, merges the texts.

import { setMaxListeners } from 'node:events'
import type { PipelineRequest, TranscriptionRequest } from '../domain/job.ts'
import type { Run } from '../domain/run.ts'
import { createChunkEncoders } from './audio/chunk-encoders.ts'
import { maxVoiceNoteBytes } from './audio/encode.ts'
import { withSpeexDecoder } from './audio/speex.ts'
import { type ChunkPorts, transcribeChunks } from './chunks/transcribe-chunks.ts'
import { collectTranscript } from './collect-transcript.ts'
import type { Findings, PipelinePorts } from './pipeline.ts'
import { openSource, type Source } from './source/source.ts'
import { titleOf } from './source/title.ts'
import { type Hearing, openVoices } from './voices/find-voices.ts'
import { LevelMeter } from './voices/levels.ts'
import { createVoicesMerge } from './voices/merge-voices.ts'

/**
 * Resolves with the transcript of a recording; `onFound` receives a view of the findings so far after each chunk.
 * Throws `SpeechError`, or the signal's reason when it is cancelled.
 */
export async function transcribe(
  request: PipelineRequest,
  ports: PipelinePorts,
  outer: Run,
  onFound: (findings: () => Findings) => void,
): Promise<Findings> {
  const source = await withSpeexDecoder(await openSource(request, ports, outer), ports.ffmpeg, outer)
  return transcribeOpened(source, request, ports, outer, onFound)
}

/** Transcribes a recording that is already open; its voices are found unless they are `known`. */
export async function transcribeOpened(
  source: Source,
  request: TranscriptionRequest,
  ports: ChunkPorts,
  outer: Run,
  onFound: (findings: () => Findings) => void,
  known?: Hearing,
): Promise<Findings> {
  const outcome = await withOwnSignal(outer, async (run, stop): Promise<Findings | Hearing> => {
    run.progress({ done: 0, message: 'Decoding' })
    const encoders = createChunkEncoders(ports.ffmpeg, run.signal)
    // Beside the decoder: to start them one after the other takes twice the time.
    if (source.bytes > maxVoiceNoteBytes) encoders.prepare()
    const { voices, decoding, others } = known ?? (await openVoices(source, request, ports, run))
    const meters = voices.map(() => new LevelMeter())
    const inputs = voices.map((voice, i) => ({
      source: { ...source, voice },
      decoding,
      ...(voices.length > 1 && { onSamples: (samples: Buffer) => meters[i]!.add(samples) }),
    }))
    // Until the look is over, chunks are made ready, and none is sent.
    const confirmed = others?.then(voicesInstead => {
      if (voicesInstead) stop()
      run.signal.throwIfAborted()
    })
    confirmed?.catch(() => {})
    const findings = collectTranscript(transcribeChunks(inputs, request, ports, encoders, run, confirmed), {
      merge: createVoicesMerge(request.timestamps ?? 'segment', voices, meters),
      title: titleOf(request, source),
      recogniser: ports.recogniser,
      channelCount: voices.length,
      run,
      onFound,
    })
    findings.catch(() => {})
    const voicesInstead = await others
    if (!voicesInstead) return findings
    await findings.catch(() => {})
    return { voices: voicesInstead }
  })
  return 'voices' in outcome ? transcribeOpened(source, request, ports, outer, onFound, outcome) : outcome
}

/** Does the work with a signal of its own, so that all processes and requests it starts end with it. */
async function withOwnSignal<Result>(
  outer: Run,
  work: (run: Run, stop: () => void) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController()
  const run: Run = { ...outer, signal: AbortSignal.any([outer.signal, stop.signal]) }
  // Each process and request listens to it: many listeners are no leak.
  setMaxListeners(0, run.signal)
  try {
    return await work(run, () => stop.abort())
  } finally {
    stop.abort()
  }
}
