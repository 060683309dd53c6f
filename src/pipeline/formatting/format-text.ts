// Formats a text: cuts it into pieces, has a model punctuate each, keeps faithful answers, and joins the pieces.
import { createHash } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { describeError, isSpeechError, type SpeechError } from '../../domain/errors.ts'
import { estimateModelTokens } from '../../domain/models/model-tokens.ts'
import { minFormattedChars, noTextModel, type TextModel } from '../../domain/text-model.ts'
import type { FormattedSegments, Formatting, Segment } from '../../domain/transcript.ts'
import { mapConcurrent } from '../async/map-concurrent.ts'
import {
  type FormattedPiece,
  formatPiece,
  type PieceResult,
  requestedText,
  savedAnswerOf,
  unformattedPiece,
} from './format-piece.ts'
import { type JoinedPassage, joinParagraphs, joinPieces } from './join-pieces.ts'
import type { FormatOptions, FormatPorts, FormatRun } from './options.ts'
import { cutPieces, type Piece, pieceCount, sourceOf, sourceOfSegments, type TextSource } from './pieces.ts'
import { emptySummary, summaryOf, textUnchanged, tooShort } from './summary.ts'
import { reserveForTexts, withinBudget } from './text-budget.ts'
import { toSegments } from './to-segments.ts'
import { unwrapLines } from './unwrap-lines.ts'

export type { FormatOptions, FormatPorts, FormatRun } from './options.ts'

export interface FormattedText extends Formatting {
  text: string
}

/**
 * Formats a text into paragraphs separated by empty lines. A piece without an answer keeps its original text, and
 * `warnings` gives the reason. Calls `onText` after each piece with a function that returns the whole text so far.
 * Throws the errors of a budget, `PRICE_UNKNOWN`, or the signal's reason.
 */
export async function formatText(
  text: string,
  options: FormatOptions,
  ports: FormatPorts,
  run: FormatRun,
  onText: (text: () => string) => void = () => {},
): Promise<FormattedText> {
  const source = sourceOf(unwrapLines(text))
  const { passages, ...formatting } = await formatSource(source, options, ports, run, soFar =>
    onText(() => toText(soFar())),
  )
  return { ...formatting, text: passages ? toText(passages) : text }
}

/** Formats the segments of a transcript; words keep their times and speakers. Throws like `formatText`. */
export async function formatSegments(
  segments: Segment[],
  options: FormatOptions,
  ports: FormatPorts,
  run: FormatRun,
): Promise<FormattedSegments> {
  const source = sourceOfSegments(segments)
  const { passages, ...formatting } = await formatSource(source, options, ports, run, () => {})
  return {
    ...formatting,
    segments: passages ? toSegments(source, passages) : segments,
    of: segmentsHash(segments),
  }
}

/** Hashes the text, times and speakers of segments; a formatting is outdated once this hash differs. */
export function segmentsHash(segments: Segment[]): string {
  const facts = segments.map(({ start, end, text, speaker }) => [start, end, text, speaker])
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32)
}

/** Joins passages into paragraphs separated by empty lines. */
function toText(passages: JoinedPassage[]): string {
  return joinParagraphs(passages)
    .map(({ text }) => text)
    .join('\n\n')
}

/** Returns no `passages` where no request was answered. */
async function formatSource(
  source: TextSource,
  options: FormatOptions,
  ports: FormatPorts,
  run: FormatRun,
  onPassages: (soFar: () => JoinedPassage[]) => void,
): Promise<Formatting & { passages?: JoinedPassage[] }> {
  const { text } = source
  const { textModel } = ports
  run.signal.throwIfAborted()
  if ([...text.trim()].length <= minFormattedChars) return emptySummary(options.style, [tooShort])
  if (textModel.models.length === 0)
    return emptySummary(options.style, [`${textUnchanged} ${describeError(noTextModel())}`])
  const pieces = cutPieces(source, pieceCount(estimateModelTokens(text), textModel.concurrency))
  const part = run.budget.open()
  try {
    const context = { ...options, source, ports, run }
    const unsaved = async () => {
      const answers = await Promise.all(pieces.map(piece => savedAnswerOf(piece, context)))
      return pieces.filter((_, i) => !answers[i]!.answer).map(piece => requestedText(piece, source))
    }
    const texts = pieces.map(piece => requestedText(piece, source))
    await reserveForTexts(texts, unsaved, textModel, part, run.budget)
    const charged = { ...ports, textModel: withinBudget(textModel, part, run.budget) }
    return await formatAll(pieces, source, options, charged, run, onPassages)
  } finally {
    part.close()
  }
}

async function formatAll(
  pieces: Piece[],
  source: TextSource,
  options: FormatOptions,
  ports: FormatPorts,
  run: FormatRun,
  onPassages: (soFar: () => JoinedPassage[]) => void,
): Promise<Formatting & { passages?: JoinedPassage[] }> {
  const { text } = source
  const done = new Map<Piece, FormattedPiece[]>()
  const failures: SpeechError[] = []
  const all = () => pieces.flatMap(piece => done.get(piece) ?? [unformattedPiece(piece, source)])
  for await (const { piece, formatted, failure } of formatPieces(pieces, source, options, ports, run)) {
    done.set(piece, formatted)
    if (failure) failures.push(failure)
    onPassages(() => joinPieces(all(), source))
  }
  const passages = joinPieces(all(), source)
  const summary = summaryOf({ style: options.style, text, passages, pieces: all(), failures })
  // Without any answer even the whitespace stays.
  if (all().every(({ answers }) => answers.length === 0)) return summary
  return { ...summary, passages }
}

interface PieceOutcome extends PieceResult {
  piece: Piece
}

/** Formats all pieces with the model's concurrency. Sends no more requests after an account error. */
async function* formatPieces(
  pieces: Piece[],
  source: TextSource,
  options: FormatOptions,
  { textModel, ...ports }: FormatPorts,
  outerRun: FormatRun,
): AsyncGenerator<PieceOutcome> {
  const stop = new AbortController()
  const run = { ...outerRun, signal: AbortSignal.any([outerRun.signal, stop.signal]) }
  // Each request adds a listener; their number is no leak.
  setMaxListeners(0, run.signal)
  const innerPorts = { ...ports, textModel: stopAfterAccountError(textModel) }
  const report = createReporter(pieces, source, outerRun)

  async function attempt(piece: Piece): Promise<PieceOutcome> {
    const onText = (written: number) => report(piece, written)
    try {
      const result = await formatPiece(piece, { ...options, source, ports: innerPorts, run, onText })
      report(piece, Number.POSITIVE_INFINITY)
      return { piece, ...result }
    } catch (error) {
      run.signal.throwIfAborted()
      if (!isSpeechError(error)) throw error
      report(piece, Number.POSITIVE_INFINITY)
      return { piece, formatted: [unformattedPiece(piece, source)], failure: error }
    }
  }

  try {
    yield* mapConcurrent(itemsOf(pieces), textModel.concurrency, attempt)
  } finally {
    stop.abort()
  }
}

/** Wraps a model to reject all requests after its first account error. Cached answers need no request. */
function stopAfterAccountError(textModel: TextModel): TextModel {
  let accountError: SpeechError | undefined
  return {
    ...textModel,
    async generate(request, options) {
      if (accountError) throw accountError
      try {
        return await textModel.generate(request, options)
      } catch (error) {
        if (isSpeechError(error) && error.scope !== 'request') accountError = error
        throw error
      }
    },
  }
}

async function* itemsOf<T>(items: T[]): AsyncGenerator<T> {
  yield* items
}

/** Reports the progress of all pieces in characters, including those of unfinished answers. */
function createReporter(pieces: Piece[], { text }: TextSource, { progress }: FormatRun) {
  const written = new Map<Piece, number>()
  let reached = 0
  const report = () => {
    const ready = pieces.filter(piece => (written.get(piece) ?? 0) >= sizeOf(piece)).length
    const sum = [...written.values()].reduce((a, b) => a + b, 0)
    reached = Math.max(reached, sum)
    progress({ done: reached, total: text.length, message: `Formatting, ${ready} of ${pieces.length} parts` })
  }
  report()
  return (piece: Piece, characters: number) => {
    // An answer is longer than its text, and the piece is done only once the answer is judged.
    const share =
      characters === Number.POSITIVE_INFINITY ? sizeOf(piece) : Math.min(characters, sizeOf(piece) - 1)
    written.set(piece, Math.max(0, share))
    report()
  }
}

function sizeOf({ from, to }: Piece): number {
  return to - from
}
