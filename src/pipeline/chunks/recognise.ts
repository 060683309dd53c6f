// Recognises chunks concurrently; a chunk that fails permanently leaves a gap.
import { isSpeechError, type SpeechError } from '../../domain/errors.ts'
import { formatTime } from '../../domain/format-time.ts'
import type { Recogniser } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import { withoutControls } from '../../domain/text.ts'
import { tokens } from '../../domain/tokens.ts'
import { type Span, secondsOf } from '../../domain/transcript.ts'
import { mapConcurrent } from '../async/map-concurrent.ts'
import { delaySeconds } from '../audio/encode.ts'
import type { AsrOptions } from '../audio/fingerprint.ts'
import { answerOf } from './answer.ts'
import type { ChunkBudget } from './budget.ts'
import { echoWarning, isEcho } from './echo.ts'
import type { ReadyChunk } from './encode-all.ts'
import { findLoop } from './loops.ts'
import { type MeasuredTimes, measuredTimes } from './measured-times.ts'
import type { Recut } from './recut.ts'
import { minUnrecognisedSeconds, unrecognisedWarning } from './unrecognised.ts'

/** The text of one chunk, or of a part of it that was cut again; or its failure. */
export interface ChunkTranscript extends Span {
  /** Index of the chunk: consecutive for neighbours, equal for parts of one chunk. */
  index: number
  speech: Span[]
  heard?: Span[]
  voiced?: Span[]
  overlap: number
  channel?: number
  /** Seconds of audio that this job sent for it. */
  sent: number
  /** Seconds that came from the cache and were paid for by another job. */
  cached: number
  text: string
  /** Absent where times have to be estimated. */
  times?: MeasuredTimes
  language?: string
  /** The model that answered, where a list of models was asked. */
  model?: string
  /** US dollars that this job paid for it; absent if unknown. */
  costUsd?: number
  /** True where the answer was cut: words are missing before the end of the text. */
  isCut?: boolean
  /** Set when the chunk has no text because its recognition failed. */
  failure?: SpeechError
}

export interface RecognitionContext {
  recogniser: Recogniser
  options: AsrOptions
  /** Length of the recording, once it is known. */
  totalSeconds(): number | undefined
  /** Number of channels that are recognised separately. Default: 1. */
  channelCount?: number
  recut: Recut
  /** Closed once all chunks are recognised. */
  budget: ChunkBudget
}

/** A chunk whose text loops or is cut is halved and recognised again, and its halves once more. */
const maxRecutDepth = 2
/** One that is too long for the model is halved more often: 170 seconds become 5. */
const maxSplitDepth = 5
/** Words (or Chinese characters) a second; the fastest auctioneers reach 8. */
const maxWordsPerSecond = 9
/** The halves replace the whole if they have at least this share of its words. */
const minHalvesShare = 0.8

/** Yields transcripts in completion order. Throws on an account-wide error, or when every chunk failed. */
export async function* recognise(
  chunks: AsyncIterable<ReadyChunk>,
  context: RecognitionContext,
  run: Run,
): AsyncGenerator<ChunkTranscript> {
  try {
    yield* recogniseAll(chunks, context, run)
  } finally {
    context.budget.close()
  }
}

async function* recogniseAll(
  chunks: AsyncIterable<ReadyChunk>,
  context: RecognitionContext,
  run: Run,
): AsyncGenerator<ChunkTranscript> {
  let done = 0
  let failure: SpeechError | undefined
  let succeeded = false
  const { concurrency } = context.recogniser.limits
  for await (const transcripts of mapConcurrent(chunks, concurrency, chunk =>
    recogniseChunk(chunk, context, run, 0),
  )) {
    for (const transcript of transcripts) {
      failure ??= transcript.failure
      succeeded ||= !transcript.failure
      done += (transcript.end - transcript.start - transcript.overlap) / (context.channelCount ?? 1)
      yield transcript
    }
    const total = context.totalSeconds()
    const of = total === undefined ? '' : ` of ${formatTime(total)}`
    run.progress({
      done,
      ...(total !== undefined && { total }),
      message: `Transcribed ${formatTime(done)}${of}`,
    })
  }
  if (failure && !succeeded) throw failure
}

async function recogniseChunk(
  chunk: ReadyChunk,
  context: RecognitionContext,
  run: Run,
  depth: number,
): Promise<ChunkTranscript[]> {
  const { index, start, end, speech, heard, voiced, overlap, channel } = chunk
  const info = {
    index,
    start,
    end,
    speech,
    ...(heard && { heard }),
    ...(voiced && { voiced }),
    overlap,
    channel,
  }
  try {
    const found = await answerOf(chunk, context, run)
    const { words, segments, isCut, ...recognition } = found
    const cleaned = clean(found.text)
    const isEchoed = isEcho(cleaned, context.options.context, speech)
    if (isEchoed) run.warn(echoWarning([speech[0]?.start ?? start]))
    const text = isEchoed ? '' : cleaned
    const times = measuredTimes(text, found, chunk.parts, delaySeconds(chunk.profile))
    const transcript = { ...info, ...recognition, text, ...(times && { times }) }
    if (transcript.text === '') warnOfEmptyText(transcript, run)
    const loop = findLoop(transcript.text)
    if (!loop && !isCut) return [transcript]
    const halves =
      depth < maxRecutDepth
        ? await recogniseParts(transcript, (transcript.sent + transcript.cached) / 2, context, run, depth)
        : []
    if (areComplete(halves, loop?.collapsed ?? text)) return halves
    if (isCut) run.warn(`The model’s answer was cut: words are missing before ${formatTime(end)}.`)
    if (loop) warnOfLoop(transcript, run)
    const seconds = transcript.sent + transcript.cached
    const { times: _, ...untimed } = transcript
    const isCollapsed = loop && loop.tokens > seconds * maxWordsPerSecond
    const kept = isCollapsed ? { ...untimed, text: loop.collapsed } : transcript
    const bill = billOf(halves.length > 0 ? halves : [transcript])
    return [{ ...kept, ...bill, ...(isCut && { isCut }) }]
  } catch (error) {
    run.signal.throwIfAborted()
    if (!isSpeechError(error) || error.scope !== 'request') throw error
    const unsent = { ...info, text: '', sent: 0, cached: 0, costUsd: 0 }
    if (error.code === 'TOO_LARGE' && depth < maxSplitDepth) {
      // The recogniser may have learned its limit from the refusal.
      const maxSeconds = Math.min((end - start) / 2, context.recogniser.limits.maxSeconds)
      const halves = await recogniseParts(unsent, maxSeconds, context, run, depth)
      if (halves.length > 0) return halves
    }
    return [{ ...unsent, failure: error }]
  }
}

function billOf(transcripts: ChunkTranscript[]): Pick<ChunkTranscript, 'sent' | 'cached' | 'costUsd'> {
  const sum = (of: 'sent' | 'cached') => transcripts.reduce((total, transcript) => total + transcript[of], 0)
  const costs = transcripts.map(({ costUsd }) => costUsd)
  const costUsd = costs.includes(undefined) ? undefined : costs.reduce<number>((all, one) => all + one!, 0)
  return { sent: sum('sent'), cached: sum('cached'), costUsd }
}

/** Removes control characters; a text of punctuation alone becomes empty. */
function clean(text: string): string {
  const plain = withoutControls(text).trim()
  return tokens(plain).length > 0 ? plain : ''
}

/** True where the halves may replace the whole: none failed, and they have about as many words. */
function areComplete(halves: ChunkTranscript[], collapsed: string): boolean {
  if (halves.length === 0 || halves.some(half => half.failure)) return false
  const words = halves.reduce((sum, half) => sum + tokens(half.text).length, 0)
  return words >= minHalvesShare * tokens(collapsed).length
}

/** Music is one cause of sound without words; the reader may know another. */
function warnOfEmptyText({ start, end, speech }: ChunkTranscript, run: Run): void {
  if (secondsOf(speech) >= minUnrecognisedSeconds) run.warn(unrecognisedWarning({ start, end }))
}

/** Cuts a chunk again and recognises the parts; the cost of an attempt that was answered is added to the first part. */
async function recogniseParts(
  chunk: ChunkTranscript,
  maxSeconds: number,
  context: RecognitionContext,
  run: Run,
  depth: number,
): Promise<ChunkTranscript[]> {
  const transcripts: ChunkTranscript[] = []
  for await (const part of context.recut(chunk, maxSeconds))
    transcripts.push(...(await recogniseChunk({ ...part, index: chunk.index }, context, run, depth + 1)))
  // Parts come as their encoding ends, which for a short last one may be early.
  transcripts.sort((a, b) => a.start - b.start)
  const [first] = transcripts
  if (!first) return []
  // The seam with the previous chunk stays the same.
  const newFrom = chunk.speech[0]?.start ?? chunk.start
  const fromThere = (spans: Span[]) =>
    spans.flatMap(({ start, end }) => (end > newFrom ? [{ start: Math.max(start, newFrom), end }] : []))
  const { speech, heard, voiced } = first
  const ears = {
    speech: fromThere(speech),
    ...(heard && { heard: fromThere(heard) }),
    ...(voiced && { voiced: fromThere(voiced) }),
  }
  transcripts[0] = { ...first, ...billOf([first, chunk]), ...ears, overlap: chunk.overlap }
  return transcripts
}

/** The loop remains after other cuts: words faster than speech are removed, all others are kept. */
function warnOfLoop({ start, end }: ChunkTranscript, run: Run): void {
  run.warn(
    `The model repeats itself between ${formatTime(start)} and ${formatTime(end)}; check that passage.`,
  )
}
