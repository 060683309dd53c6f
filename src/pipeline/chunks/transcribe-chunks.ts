// Transcribes a recording in chunks as one stream: decode, cut, encode, recognise; each of its voices for itself.
import type { TranscriptionRequest } from '../../domain/job.ts'
import { languageHint } from '../../domain/languages.ts'
import { contextFor } from '../../domain/models/context.ts'
import type { Recogniser } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import type { Span } from '../../domain/transcript.ts'
import type { FairLimit } from '../../domain/waiting/fair-limit.ts'
import { mergeAsync } from '../async/merge-async.ts'
import type { ChunkEncoders } from '../audio/chunk-encoders.ts'
import { type Chunk, cut } from '../audio/cut/cut.ts'
import { type Decoding, decode } from '../audio/decode.ts'
import { maxVoiceNoteSeconds } from '../audio/encode.ts'
import type { LocateFfmpeg } from '../audio/ffmpeg.ts'
import type { AsrOptions } from '../audio/fingerprint.ts'
import type { Source } from '../source/source.ts'
import { createChunkBudget } from './budget.ts'
import { cutOptions } from './chunk-lengths.ts'
import { type EncodingTools, encodeAll } from './encode-all.ts'
import { type ChunkTranscript, recognise } from './recognise.ts'
import { createRecut } from './recut.ts'

export interface ChunkPorts {
  ffmpeg: LocateFfmpeg
  recogniser: Recogniser
  /** Shared by all jobs of the process. */
  limitEncoding: FairLimit
  /** Loads what the first request needs. Never throws. */
  warmUp?(): void
}

export interface VoiceInput {
  source: Source
  /** The decoder of this source, where it is at work already. */
  decoding?: Decoding
  /** Receives the decoded samples as they pass. */
  onSamples?: (samples: Buffer) => void
}

export interface ChunkRecognition {
  /** In completion order; can be read once. */
  transcripts: AsyncIterable<ChunkTranscript>
  /** Length of the recording by its header, or else the seconds decoded so far. */
  totalSeconds(): number
  decodedSeconds(): number
  /** The part that was not decoded because ffmpeg itself died; known once all transcripts were read. */
  lost(): Span | undefined
}

/** Voices that are decoded at once: a recorder may write 32 tracks. */
const maxDecoders = 4

/**
 * Starts when `transcripts` is first read, and releases `encoders` at its end. Nothing is sent before `confirmed` resolves;
 * all ends where it rejects.
 */
export function transcribeChunks(
  voices: readonly VoiceInput[],
  request: TranscriptionRequest,
  { ffmpeg, recogniser, limitEncoding }: ChunkPorts,
  encoders: ChunkEncoders,
  run: Run,
  confirmed?: Promise<void>,
): ChunkRecognition {
  const { limits } = recogniser
  const options = asrOptions(request, recogniser, run)
  const tools: EncodingTools = { ffmpeg, encoders, limitEncoding, minSeconds: limits.minSeconds, options }
  // A defect of the file is reported once, not for each voice.
  const silentRun = { ...run, warn: () => {} }
  const sources = voices.map(({ source }) => source)
  const audio = voices.map(
    ({ source, decoding }, i) => decoding ?? decode(source, ffmpeg, i === 0 ? run : silentRun),
  )
  const headerSeconds = () => audio.map(each => each.headerSeconds()).find(length => length !== undefined)
  const decodedSeconds = () => Math.max(...audio.map(each => each.decodedSeconds()))
  const totalSeconds = () => headerSeconds() ?? decodedSeconds()

  const reportLength = createLengthReporter(headerSeconds, run)
  const budget = createChunkBudget(sources, audio, recogniser, tools, run)
  const ready = audio.map((decoding, i) => {
    const chunks = cut(tapped(decoding, reportLength, voices[i]!, encoders), cutOptions(decoding, limits))
    return encodeAll(budget.admit(voices.length > 1 ? withChannel(chunks, i) : chunks), tools, run, decoding)
  })
  const context = {
    recogniser,
    options,
    totalSeconds,
    channelCount: voices.length,
    recut: createRecut(sources, tools, run),
    budget,
  }
  return {
    transcripts: recognise(
      held(releasing(encoders, mergeAsync(ready, maxDecoders)), confirmed),
      context,
      run,
    ),
    totalSeconds,
    decodedSeconds,
    lost: () => enclosingSpan(audio.flatMap(each => each.lost() ?? [])),
  }
}

/** Warns of a language that the model takes no hint for, and of a context that it does not take. */
function asrOptions(
  { language, context }: TranscriptionRequest,
  { model, takes }: Recogniser,
  run: Run,
): AsrOptions {
  const hint = languageHint(language)
  if (hint.warning) run.warn(hint.warning)
  for (const loss of contextFor(model, takes, context).losses) run.warn(loss)
  return { model, language: hint.code, context: context?.trim() }
}

/** Reports the length of the recording as soon as it is known: a call waits for a short one. */
function createLengthReporter(headerSeconds: () => number | undefined, run: Run) {
  let isReported = false
  return (decodedSeconds?: number) => {
    const total = headerSeconds() ?? decodedSeconds
    if (isReported || total === undefined) return
    isReported = true
    run.progress({ done: 0, total, message: 'Decoding' })
  }
}

async function* tapped(
  { samples, decodedSeconds }: Decoding,
  reportLength: (decodedSeconds?: number) => void,
  { onSamples }: VoiceInput,
  encoders: ChunkEncoders,
): AsyncGenerator<Buffer> {
  for await (const buffer of samples) {
    reportLength()
    if (decodedSeconds() > maxVoiceNoteSeconds) encoders.prepare()
    onSamples?.(buffer)
    yield buffer
  }
  reportLength(decodedSeconds())
}

/** Ends the encoders behind the last item. */
async function* releasing<Item>(encoders: ChunkEncoders, items: AsyncIterable<Item>): AsyncGenerator<Item> {
  try {
    yield* items
  } finally {
    encoders.release()
  }
}

/** Makes the first items ready meanwhile. */
async function* held<Item>(
  items: AsyncIterable<Item>,
  until: Promise<void> | undefined,
): AsyncGenerator<Item> {
  for await (const item of items) {
    await until
    yield item
  }
  await until
}

async function* withChannel(chunks: AsyncIterable<Chunk>, channel: number): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) yield { ...chunk, channel }
}

function enclosingSpan(spans: Span[]): Span | undefined {
  if (spans.length === 0) return undefined
  return {
    start: Math.min(...spans.map(({ start }) => start)),
    end: Math.max(...spans.map(({ end }) => end)),
  }
}
