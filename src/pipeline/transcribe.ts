// The story of one recording: source, decode, cut, encode, recognise, merge, as one stream from end to end.

import type { Order, Run } from '../domain/job.ts'
import { languageHint } from '../domain/languages.ts'
import type { Recogniser } from '../domain/ports.ts'
import { type Span, seconds, type Transcript } from '../domain/transcript.ts'
import { type Chunk, cut } from './cut.ts'
import { decode } from './decode.ts'
import { createEncoder, type EncodedChunk, type Encoder, shortRecording } from './encode.ts'
import type { LocateFfmpeg } from './ffmpeg.ts'
import { merge } from './merge.ts'
import { parallel } from './parallel.ts'
import { recognise } from './recognise.ts'
import { openSource, type SourcePorts } from './source.ts'

export interface PipelinePorts extends SourcePorts {
  ffmpeg: LocateFfmpeg
  recogniser: Recogniser
}

/** A transcript but for what the job knows: its id, when it was made, and what the run warned of. */
export type Findings = Omit<Transcript, 'id' | 'createdAt' | 'warnings'>

/** Two encoders keep two cores busy; the decoder and the network fill what they leave. */
const encoders = 2
/** Files up to this size may be voice notes, whose encoder is worth starting before their length is known. */
const perhapsShort = 2_000_000

/** Resolves with the transcript of a recording. Throws `SpeechError`, or the signal's reason when it is cancelled. */
export async function transcribe(order: Order, ports: PipelinePorts, outer: Run): Promise<Findings> {
  const stop = new AbortController()
  const run: Run = { ...outer, signal: AbortSignal.any([outer.signal, stop.signal]) }
  const { recogniser, ffmpeg } = ports
  const hint = languageHint(order.language)
  if (hint.warning) run.warn(hint.warning)
  const encoder = createEncoder(ffmpeg, recogniser.limits.minSeconds, run)
  try {
    const source = await openSource(order.audio, ports, run)
    if (source.bytes <= perhapsShort) encoder.warm('short')
    run.progress({ done: 0, message: 'Decoding' })

    const audio = decode(source, ffmpeg, run)
    const chunks = cut(audio.samples, recogniser.limits)
    const encoded = encodeAll(chunks, encoder, () => audio.decoded() <= shortRecording)
    const total = () => audio.expected() ?? audio.decoded()
    const again = (span: Span, maxSeconds: number) =>
      encodeAll(later(cut(decode(source, ffmpeg, run, span).samples, { maxSeconds }), span.start), encoder)
    const pieces = recognise(encoded, { recogniser, ...spoken(hint.code, order.context), total, again }, run)
    const { sent, ...merged } = await merge(pieces, order.timestamps ?? 'segment')

    return {
      title: order.title?.trim() || source.name.replace(/\.[^.\s]{1,5}$/, ''),
      status: merged.coverage.gaps.length > 0 ? 'partial' : 'completed',
      duration: seconds(audio.decoded()),
      model: recogniser.model,
      usage: { audioSeconds: sent, cachedSeconds: 0, ...cost(recogniser, sent) },
      ...merged,
    }
  } finally {
    encoder.close()
    stop.abort()
  }
}

function encodeAll(
  chunks: AsyncIterable<Chunk>,
  encoder: Encoder,
  short: () => boolean = () => false,
): AsyncGenerator<EncodedChunk> {
  return parallel(chunks, encoders, chunk => encoder.encode(chunk, short() ? 'short' : 'long'))
}

/** Moves chunks that were cut from a part of the recording to their place in the whole. */
async function* later(chunks: AsyncIterable<Chunk>, offset: number): AsyncGenerator<Chunk> {
  const move = ({ start, end }: Span) => ({ start: seconds(start + offset), end: seconds(end + offset) })
  for await (const chunk of chunks) yield { ...chunk, ...move(chunk), speech: chunk.speech.map(move) }
}

function spoken(language: string | undefined, context: string | undefined) {
  const given = context?.trim()
  return { ...(language && { language }), ...(given && { context: given }) }
}

function cost({ usdPerSecond }: Recogniser, sent: number): { costUsd?: number } {
  return usdPerSecond === undefined ? {} : { costUsd: Math.round(sent * usdPerSecond * 1e6) / 1e6 }
}
