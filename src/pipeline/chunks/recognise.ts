// Asks the recogniser for each chunk's text, several at once; a chunk that fails for good leaves a gap.
import { isSpeechError, type SpeechError } from '../../domain/errors.ts'
import { formatTime } from '../../domain/format-time.ts'
import type { Recogniser } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import { tokens } from '../../domain/tokens.ts'
import type { Span } from '../../domain/transcript.ts'
import { mapConcurrent } from '../async/map-concurrent.ts'
import { encodedMime } from '../audio/encode.ts'
import type { AsrOptions } from '../audio/fingerprint.ts'
import type { ReadyChunk } from './encode-all.ts'
import { findLoop } from './loops.ts'
import type { Recut } from './recut.ts'
import { minUnrecognisedSeconds, unrecognisedWarning } from './unrecognised.ts'

/** What became of one chunk. */
export interface ChunkTranscript extends Span {
  /** Of its chunk: pieces of neighbouring chunks have neighbouring numbers, those of one chunk the same. */
  index: number
  speech: Span[]
  overlap: number
  /** Of its chunk. */
  channel?: number
  /** Seconds of audio that were sent for it, for this order. */
  sent: number
  /** Seconds that another order had paid for. */
  cached: number
  text: string
  language?: string
  /** Set when the chunk has no text because asking for it failed. */
  failure?: SpeechError
}

export interface RecognitionContext {
  recogniser: Recogniser
  options: AsrOptions
  /** Length of the recording, as far as it is known. */
  totalSeconds(): number | undefined
  /** How many channels the chunks are of, where they are heard apart. */
  channelCount?: number
  recut: Recut
  /** Throws when these seconds more would cost more than is allowed. */
  charge(seconds: number): void
}

/** A chunk whose text loops is asked again in halves, and those once more. */
const deepestCut = 2
/** Nobody speaks more than this many words (or Chinese characters) a second; the fastest auctioneers reach 8. */
const fastestSpeech = 9

/** Yields pieces as they come. Throws when the account itself is refused, or when every chunk failed. */
export async function* recognise(
  chunks: AsyncIterable<ReadyChunk>,
  asking: RecognitionContext,
  run: Run,
): AsyncGenerator<ChunkTranscript> {
  let done = 0
  let failure: SpeechError | undefined
  let succeeded = false
  for await (const pieces of mapConcurrent(chunks, asking.recogniser.limits.concurrency, chunk =>
    ask(chunk, asking, run, 0),
  )) {
    for (const piece of pieces) {
      failure ??= piece.failure
      succeeded ||= !piece.failure
      done += (piece.end - piece.start - piece.overlap) / (asking.channelCount ?? 1)
      yield piece
    }
    const total = asking.totalSeconds()
    const of = total === undefined ? '' : ` of ${formatTime(total)}`
    run.progress({
      done,
      ...(total !== undefined && { total }),
      message: `Transcribed ${formatTime(done)}${of}`,
    })
  }
  if (failure && !succeeded) throw failure
}

async function ask(
  chunk: ReadyChunk,
  asking: RecognitionContext,
  run: Run,
  depth: number,
): Promise<ChunkTranscript[]> {
  const { index, start, end, speech, overlap, channel } = chunk
  const place = { index, start, end, speech, overlap, ...(channel !== undefined && { channel }) }
  try {
    const heard = 'heard' in chunk ? fromEarlier(chunk) : await fromProvider(chunk, asking, run)
    const piece = { ...place, ...heard, text: clean(heard.text) }
    if (piece.text === '') warnOfEmptiness(piece, run)
    const loop = findLoop(piece.text)
    if (!loop) return [piece]
    const halves = depth < deepestCut ? await askInHalves(piece, asking, run, depth) : []
    if (saysAsMuch(halves, loop.collapsed)) return halves
    const length = piece.sent + piece.cached
    const text = loop.tokens > length * fastestSpeech ? loop.collapsed : piece.text
    const spent = halves.length > 0 ? paid(halves) : piece
    return [withoutLoop({ ...piece, sent: spent.sent, cached: spent.cached }, text, run)]
  } catch (error) {
    run.signal.throwIfAborted()
    if (!isSpeechError(error) || error.scope === 'account') throw error
    return [{ ...place, sent: 0, cached: 0, text: '', failure: error }]
  }
}

function fromEarlier({ heard, own }: Extract<ReadyChunk, { heard: unknown }>) {
  const { text, language, seconds } = heard
  return { text, ...(language && { language }), sent: own ? seconds : 0, cached: own ? 0 : seconds }
}

/** What is heard is kept before anything else is done with it: from here on it is paid for. */
async function fromProvider(
  { key, audio, seconds }: Extract<ReadyChunk, { audio: unknown }>,
  { recogniser, options, charge }: RecognitionContext,
  run: Run,
) {
  charge(seconds)
  const { language, context } = options
  const wishes = { ...(language && { language }), ...(context && { context }) }
  const heard = await recogniser.recognise({ audio, mime: encodedMime, seconds, ...wishes }, run.signal)
  await run.checkpoints.put(key, { ...heard, seconds })
  return { ...heard, sent: seconds, cached: 0 }
}

function paid(pieces: ChunkTranscript[]): { sent: number; cached: number } {
  const sum = (of: 'sent' | 'cached') => pieces.reduce((total, piece) => total + piece[of], 0)
  return { sent: sum('sent'), cached: sum('cached') }
}

/** Without control characters; a text of marks alone holds no word. */
function clean(text: string): string {
  const plain = text.replace(/[^\P{Cc}\n\t]+/gu, ' ').trim()
  return tokens(plain).length > 0 ? plain : ''
}

/** The halves take the place of the whole only if nothing of it is missing in them. */
function saysAsMuch(halves: ChunkTranscript[], collapsed: string): boolean {
  const words = halves.reduce((sum, half) => sum + tokens(half.text).length, 0)
  return halves.length > 0 && !halves.some(half => half.failure) && words >= 0.8 * tokens(collapsed).length
}

/** Music is one reason for sound without words; the reader may know another. */
function warnOfEmptiness({ start, end, speech }: ChunkTranscript, run: Run): void {
  const sounding = speech.reduce((sum, span) => sum + span.end - span.start, 0)
  if (sounding < minUnrecognisedSeconds) return
  run.warn(unrecognisedWarning({ start, end }))
}

/** The pieces of a chunk that is cut anew; what the first attempt cost is added to the first of them. */
async function askInHalves(
  chunk: ChunkTranscript,
  asking: RecognitionContext,
  run: Run,
  depth: number,
): Promise<ChunkTranscript[]> {
  const pieces: ChunkTranscript[] = []
  for await (const half of asking.recut(chunk, (chunk.sent + chunk.cached) / 2))
    pieces.push(...(await ask({ ...half, index: chunk.index }, asking, run, depth + 1)))
  const [first] = pieces
  if (!first) return []
  // The seam with the chunk before stays what it was.
  const fresh = chunk.speech[0]?.start ?? chunk.start
  const speech = first.speech.flatMap(({ start, end }) =>
    end > fresh ? [{ start: Math.max(start, fresh), end }] : [],
  )
  const cost = { sent: first.sent + chunk.sent, cached: first.cached + chunk.cached }
  pieces[0] = { ...first, ...cost, speech, overlap: chunk.overlap }
  return pieces
}

/** The loop is still there after other cuts: words faster than anyone speaks are struck out, all else is kept. */
function withoutLoop(piece: ChunkTranscript, text: string, run: Run): ChunkTranscript {
  run.warn(
    `The model repeats itself between ${formatTime(piece.start)} and ${formatTime(piece.end)}; check that stretch.`,
  )
  return { ...piece, text }
}
