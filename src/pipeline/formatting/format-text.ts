// The story of a text: cut it into pieces, have them formatted, keep what is faithful, and put it together again.
import { createHash } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { describeError, isSpeechError, type SpeechError } from '../../domain/errors.ts'
import { usdPerMillionTokens } from '../../domain/prices.ts'
import { minFormattedChars, noTextModel, type TextModel } from '../../domain/text-model.ts'
import { estimateTokens } from '../../domain/token-estimate.ts'
import type { FormattedSegments, Formatting, Segment } from '../../domain/transcript.ts'
import { mapConcurrent } from '../async/map-concurrent.ts'
import { costTooHigh } from '../chunks/budget.ts'
import { type Attempt, type Formatted, formatPiece, untouched } from './ask.ts'
import { type Joined, join, paragraphsOf } from './join.ts'
import type { FormatOptions, FormatPorts, FormatRun } from './options.ts'
import { cutPieces, type Piece, pieceCount, type Source, sourceOf, sourceOfSegments } from './pieces.ts'
import { segmentsOf } from './segments.ts'
import { accountOf, nothingDone, textUnchanged, tooShort } from './summary.ts'
import { unwrapped } from './wrapped.ts'

export type { FormatOptions, FormatPorts, FormatRun } from './options.ts'

export interface FormattedText extends Formatting {
  text: string
}

/**
 * Formats a text; paragraphs are parted by an empty line. Where a piece gets no answer its words stand as they came, and
 * `warnings` says why. `onText` may ask for the whole text with what is formatted so far, whenever a piece is done.
 * Throws `COST_TOO_HIGH`, or the signal's reason.
 */
export async function formatText(
  text: string,
  wish: FormatOptions,
  ports: FormatPorts,
  run: FormatRun,
  onText: (text: () => string) => void = () => {},
): Promise<FormattedText> {
  const source = sourceOf(unwrapped(text))
  const { passages, ...formatting } = await formatSource(source, wish, ports, run, soFar =>
    onText(() => readingOf(soFar())),
  )
  return { ...formatting, text: passages ? readingOf(passages) : text }
}

/** The same for what was spoken: times and speakers stay with their words. */
export async function formatSegments(
  segments: Segment[],
  wish: FormatOptions,
  ports: FormatPorts,
  run: FormatRun,
): Promise<FormattedSegments> {
  const source = sourceOfSegments(segments)
  const { passages, ...formatting } = await formatSource(source, wish, ports, run, () => {})
  return {
    ...formatting,
    segments: passages ? segmentsOf(source, passages) : segments,
    of: segmentsHash(segments),
  }
}

/** By this a formatting knows the words that it is of. */
export function segmentsHash(segments: Segment[]): string {
  const facts = segments.map(({ start, end, text, speaker }) => [start, end, text, speaker])
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32)
}

/** Paragraphs, an empty line between two of them. */
function readingOf(passages: Joined[]): string {
  return paragraphsOf(passages)
    .map(({ text }) => text)
    .join('\n\n')
}

/** Without passages where nothing was asked. */
async function formatSource(
  source: Source,
  wish: FormatOptions,
  ports: FormatPorts,
  run: FormatRun,
  onPassages: (soFar: () => Joined[]) => void,
): Promise<Formatting & { passages?: Joined[] }> {
  const { text } = source
  const { textModel } = ports
  run.signal.throwIfAborted()
  if ([...text.trim()].length <= minFormattedChars) return nothingDone(wish.style, [tooShort])
  if (textModel.models.length === 0)
    return nothingDone(wish.style, [`${textUnchanged} ${describeError(noTextModel())}`])
  ensureAffordable(text, ports)

  const pieces = cutPieces(source, pieceCount(estimateTokens(text), textModel.concurrency))
  const done = new Map<Piece, Formatted[]>()
  const failures: SpeechError[] = []
  const all = () => pieces.flatMap(piece => done.get(piece) ?? [untouched(piece, source)])
  for await (const { piece, formatted, failure } of heardAll(pieces, source, wish, ports, run)) {
    done.set(piece, formatted)
    if (failure) failures.push(failure)
    onPassages(() => join(all(), source))
  }
  const passages = join(all(), source)
  const account = accountOf({ style: wish.style, text, passages, pieces: all(), failures })
  // Nothing was answered: not even its blanks are touched.
  if (all().every(({ answers }) => answers.length === 0)) return account
  return { ...account, passages }
}

interface Told extends Attempt {
  piece: Piece
}

/** Asks for all pieces at once, as far as the model takes them; after an error of the account for no more of them. */
async function* heardAll(
  pieces: Piece[],
  source: Source,
  wish: FormatOptions,
  outer: FormatPorts,
  outerRun: FormatRun,
): AsyncGenerator<Told> {
  const stop = new AbortController()
  const run = { ...outerRun, signal: AbortSignal.any([outerRun.signal, stop.signal]) }
  // Each request listens to it: many at once are no leak.
  setMaxListeners(0, run.signal)
  const ports = { ...outer, textModel: untilRefused(outer.textModel) }
  const report = reporter(pieces, source, outerRun)

  async function ask(piece: Piece): Promise<Told> {
    const onText = (written: number) => report(piece, written)
    try {
      const attempt = await formatPiece(piece, { ...wish, source, ports, run, onText })
      report(piece, Number.POSITIVE_INFINITY)
      return { piece, ...attempt }
    } catch (error) {
      run.signal.throwIfAborted()
      if (!isSpeechError(error)) throw error
      report(piece, Number.POSITIVE_INFINITY)
      return { piece, formatted: [untouched(piece, source)], failure: error }
    }
  }

  try {
    yield* mapConcurrent(itemsOf(pieces), ports.textModel.concurrency, ask)
  } finally {
    stop.abort()
  }
}

/** After an error of the account it is asked for nothing more; what is remembered needs no asking. */
function untilRefused(textModel: TextModel): TextModel {
  let refusal: SpeechError | undefined
  return {
    ...textModel,
    async generate(request, listener) {
      if (refusal) throw refusal
      try {
        return await textModel.generate(request, listener)
      } catch (error) {
        if (isSpeechError(error) && error.scope === 'account') refusal = error
        throw error
      }
    },
  }
}

async function* itemsOf<T>(items: T[]): AsyncGenerator<T> {
  yield* items
}

/** How much of the text is done: what is written counts as it comes. */
function reporter(pieces: Piece[], { text }: Source, { progress }: FormatRun) {
  const written = new Map<Piece, number>()
  let most = 0
  const tell = () => {
    const ready = pieces.filter(piece => (written.get(piece) ?? 0) >= sizeOf(piece)).length
    const sum = [...written.values()].reduce((a, b) => a + b, 0)
    most = Math.max(most, sum)
    progress({ done: most, total: text.length, message: `Formatting, ${ready} of ${pieces.length} parts` })
  }
  tell()
  return (piece: Piece, characters: number) => {
    // An answer is a little longer than its text; the piece is done when it is judged.
    const share =
      characters === Number.POSITIVE_INFINITY ? sizeOf(piece) : Math.min(characters, sizeOf(piece) - 1)
    written.set(piece, Math.max(0, share))
    tell()
  }
}

function sizeOf({ from, to }: Piece): number {
  return to - from
}

/** What is around a piece in a request, in tokens: what to do, and what stands before it. */
const around = 450

/** Throws `COST_TOO_HIGH` where even the first model would take it over the limit. A model without a known price is let through. */
function ensureAffordable(text: string, { textModel, maxCostUsd }: FormatPorts): void {
  const price = usdPerMillionTokens(textModel.models[0]!)
  if (maxCostUsd === undefined || !price) return
  const size = estimateTokens(text)
  const pieces = pieceCount(size, textModel.concurrency)
  const cost = ((size + pieces * around) * price.input + 1.3 * size * price.output) / 1e6
  if (cost > maxCostUsd) throw costTooHigh(cost, maxCostUsd)
}
