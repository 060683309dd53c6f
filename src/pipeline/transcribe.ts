// The story of one recording: source, decode, cut, encode, recognise, merge, as one stream from end to end.

import { setMaxListeners } from 'node:events'
import type { Order, Run } from '../domain/job.ts'
import { languageHint } from '../domain/languages.ts'
import type { Recogniser } from '../domain/ports.ts'
import { type Span, seconds, type Transcript } from '../domain/transcript.ts'
import { sampleRate } from './activity.ts'
import { type Chunk, cut } from './cut.ts'
import { type Decoding, decode } from './decode.ts'
import { type EncodedChunk, encode, longestVoiceNote } from './encode.ts'
import type { LocateFfmpeg } from './ffmpeg.ts'
import { merge } from './merge.ts'
import { parallel } from './parallel.ts'
import { recognise } from './recognise.ts'
import { openSource, type Source, type SourcePorts } from './source.ts'

export interface PipelinePorts extends SourcePorts {
  ffmpeg: LocateFfmpeg
  recogniser: Recogniser
}

/** A transcript but for what the job knows: its id, when it was made, and what the run warned of. */
export type Findings = Omit<Transcript, 'id' | 'createdAt' | 'warnings'>

/** Two encoders keep two cores busy; the decoder and the network fill what they leave. */
const encoders = 2
/** Files up to this size may be voice notes, whose encoding is worth starting before their length is known. */
const perhapsVoiceNote = 2_000_000

/** Resolves with the transcript of a recording. Throws `SpeechError`, or the signal's reason when it is cancelled. */
export async function transcribe(order: Order, ports: PipelinePorts, outer: Run): Promise<Findings> {
  const stop = new AbortController()
  const run: Run = { ...outer, signal: AbortSignal.any([outer.signal, stop.signal]) }
  // Each process and request listens to it: many at once are no leak.
  setMaxListeners(0, run.signal)
  const { recogniser, ffmpeg } = ports
  const hint = languageHint(order.language)
  if (hint.warning) run.warn(hint.warning)
  try {
    const source = await openSource(order.audio, ports, run)
    run.progress({ done: 0, message: 'Decoding' })

    const audio = decode(source, ffmpeg, run, { voiceNote: source.bytes <= perhapsVoiceNote })
    const chunks = cut(audio.samples, recogniser.limits)
    const encoded = encodeAll(chunks, ports, run, audio)
    const total = () => audio.expected() ?? audio.decoded()
    const again = (part: Span, maxSeconds: number) =>
      encodeAll(
        later(cut(decode(source, ffmpeg, run, { part }).samples, { maxSeconds }), part.start),
        ports,
        run,
      )
    const pieces = recognise(encoded, { recogniser, ...spoken(hint.code, order.context), total, again }, run)
    const { sent, ...merged } = await merge(pieces, order.timestamps ?? 'segment')

    return {
      title: titleOf(order, source),
      status: merged.coverage.gaps.length > 0 ? 'partial' : 'completed',
      duration: seconds(audio.decoded()),
      model: recogniser.model,
      usage: { audioSeconds: sent, cachedSeconds: 0, ...cost(recogniser, sent) },
      ...merged,
    }
  } finally {
    stop.abort()
  }
}

/** With the whole recording at hand, one that is short is sent as a voice note. */
function encodeAll(
  chunks: AsyncIterable<Chunk>,
  { ffmpeg, recogniser }: PipelinePorts,
  run: Run,
  whole?: Decoding,
): AsyncGenerator<EncodedChunk> {
  const { minSeconds } = recogniser.limits
  return parallel(chunks, encoders, async chunk => {
    const short = whole !== undefined && whole.decoded() <= longestVoiceNote
    const ready = short ? await encodedAlready(chunk, whole, minSeconds) : undefined
    return (
      ready ?? (await encode(chunk, { ffmpeg, profile: short ? 'voiceNote' : 'recording', minSeconds }, run))
    )
  })
}

/** The decoder's own MP3, when the chunk is all of the recording and long enough to be sent as it is. */
async function encodedAlready(
  chunk: Chunk,
  whole: Decoding,
  minSeconds: number,
): Promise<EncodedChunk | undefined> {
  const { samples, release, ...place } = chunk
  const seconds = whole.decoded()
  if (seconds < minSeconds || samples.length < seconds * sampleRate) return undefined
  const audio = await whole.voiceNote()
  return audio?.length ? { ...place, audio, seconds } : undefined
}

/** Moves chunks that were cut from a part of the recording to their place in the whole. */
async function* later(chunks: AsyncIterable<Chunk>, offset: number): AsyncGenerator<Chunk> {
  const move = ({ start, end }: Span) => ({ start: seconds(start + offset), end: seconds(end + offset) })
  for await (const chunk of chunks) yield { ...chunk, ...move(chunk), speech: chunk.speech.map(move) }
}

/** One line, also where a file name holds line breaks: it stands between facts in a text that a model reads. */
function titleOf({ title }: Order, { name }: Source): string {
  const line = (text: string) =>
    text
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim()
      .slice(0, 200)
  return line(title ?? '') || line(name.replace(/\.[^.\s]{1,5}$/, '')) || 'recording'
}

function spoken(language: string | undefined, context: string | undefined) {
  const given = context?.trim()
  return { ...(language && { language }), ...(given && { context: given }) }
}

function cost({ usdPerSecond }: Recogniser, sent: number): { costUsd?: number } {
  return usdPerSecond === undefined ? {} : { costUsd: Math.round(sent * usdPerSecond * 1e6) / 1e6 }
}
