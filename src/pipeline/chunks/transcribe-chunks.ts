// Hears a recording in chunks: decode, cut, encode, recognise, as one stream from end to end; for each channel, if need be.

import type { LimitFunction } from 'p-limit'
import type { TranscriptionRequest } from '../../domain/job.ts'
import { languageHint } from '../../domain/languages.ts'
import type { Recogniser } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import type { Span } from '../../domain/transcript.ts'
import { mergeAsync } from '../async/merge-async.ts'
import { type Chunk, cut } from '../audio/cut.ts'
import { type Decoding, decode } from '../audio/decode.ts'
import type { LocateFfmpeg } from '../audio/ffmpeg.ts'
import type { Source } from '../source/source.ts'
import { createBudget } from './budget.ts'
import { type EncodingTools, encodeAll } from './encode-all.ts'
import { type ChunkTranscript, recognise } from './recognise.ts'
import { recut } from './recut.ts'

export interface ChunkPorts {
  ffmpeg: LocateFfmpeg
  recogniser: Recogniser
  /** Shared by all orders of the process. */
  limitEncoding: LimitFunction
  /** US dollars that one order may cost. */
  maxCostUsd?: number
}

/** How a channel is heard. */
export interface ChannelOptions {
  /** Its number, from 0; absent: the mix of all. */
  channel?: number
  /** Sees its samples as they pass. */
  onSamples?: (samples: Buffer) => void
}

export interface ChunkRecognition {
  /** In no fixed order; can be read once. */
  transcripts: AsyncIterable<ChunkTranscript>
  /** Seconds of the recording, as far as they are known. */
  totalSeconds(): number
  /** Seconds that were decoded. */
  decodedSeconds(): number
  /** What was not decoded because ffmpeg itself died; known once all pieces were read. */
  lost(): Span | undefined
}

/** Files up to this size may be voice notes, whose encoding is worth starting before their length is known. */
export const maxVoiceNoteBytes = 2_000_000

/** Nothing is done before `pieces` is read. */
export function transcribeChunks(
  source: Source,
  order: TranscriptionRequest,
  { ffmpeg, recogniser, limitEncoding, maxCostUsd }: ChunkPorts,
  run: Run,
  ears: readonly ChannelOptions[] = [{}],
): ChunkRecognition {
  const { limits } = recogniser
  const asked = { model: recogniser.model, ...wishes(order, run) }
  const tools: EncodingTools = { ffmpeg, limitEncoding, minSeconds: limits.minSeconds, options: asked }
  const audio = ears.map((ear, i) => decode(source, ffmpeg, i === 0 ? run : quiet(run), options(ear, source)))
  const length = () => audio.map(each => each.headerSeconds()).find(known => known !== undefined)
  const decodedSeconds = () => Math.max(...audio.map(each => each.decodedSeconds()))
  const totalSeconds = () => length() ?? decodedSeconds()

  const tell = announcer(length, run)
  const budget = createBudget(
    source,
    audio,
    { recogniser, ...(maxCostUsd !== undefined && { maxCostUsd }) },
    tools,
    run,
  )
  const ready = audio.map((each, i) => {
    const samples = passing(each, tell, ears[i]!)
    return encodeAll(budget.admit(labelled(cut(samples, limits), ears[i]!)), tools, run, each)
  })
  const again = recut(source, tools, run)
  const asking = {
    recogniser,
    options: asked,
    totalSeconds,
    channelCount: ears.length,
    recut: again,
    charge: budget.charge,
  }
  return {
    transcripts: recognise(mergeAsync(ready), asking, run),
    totalSeconds,
    decodedSeconds,
    lost: () => around(audio.flatMap(each => each.lost() ?? [])),
  }
}

/** The language and context to ask with; warns of a language that cannot be asked for. */
function wishes(
  { language, context }: TranscriptionRequest,
  run: Run,
): { language?: string; context?: string } {
  const hint = languageHint(language)
  if (hint.warning) run.warn(hint.warning)
  const given = context?.trim()
  return { ...(hint.code && { language: hint.code }), ...(given && { context: given }) }
}

/** What is wrong with the file is said once, not for each channel. */
function quiet(run: Run): Run {
  return { ...run, warn: () => {} }
}

function options({ channel }: ChannelOptions, { bytes }: Source) {
  // The voice note that is encoded on the side is a mix of all channels.
  return channel === undefined ? { voiceNote: bytes <= maxVoiceNoteBytes } : { channel }
}

/** Tells how long the recording is as soon as that is known: a call waits for a short one. */
function announcer(length: () => number | undefined, run: Run): (decoded?: number) => void {
  let told = false
  return decoded => {
    const total = length() ?? decoded
    if (told || total === undefined) return
    told = true
    run.progress({ done: 0, total, message: 'Decoding' })
  }
}

async function* passing(
  { samples, decodedSeconds }: Decoding,
  tell: (decoded?: number) => void,
  { onSamples }: ChannelOptions,
): AsyncGenerator<Buffer> {
  for await (const buffer of samples) {
    tell()
    onSamples?.(buffer)
    yield buffer
  }
  tell(decodedSeconds())
}

async function* labelled(chunks: AsyncIterable<Chunk>, { channel }: ChannelOptions): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) yield channel === undefined ? chunk : { ...chunk, channel }
}

function around(spans: Span[]): Span | undefined {
  if (spans.length === 0) return undefined
  return {
    start: Math.min(...spans.map(({ start }) => start)),
    end: Math.max(...spans.map(({ end }) => end)),
  }
}
