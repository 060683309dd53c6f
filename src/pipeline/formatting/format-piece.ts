// Formats one piece: requests an answer or takes it from a checkpoint, and judges it.
import { createHash } from 'node:crypto'
import * as z from 'zod/v4'
import { isSpeechError, type SpeechError } from '../../domain/errors.ts'
import type { TextAnswer } from '../../domain/text-model.ts'
import { judge, type Passage, type Removal } from '../faithfulness/judge.ts'
import type { FormatOptions, FormatPorts, FormatRun } from './options.ts'
import { cutPieces, type Piece, type TextSource } from './pieces.ts'
import { promptFor, promptVersion } from './prompt.ts'

/** A formatted piece; the offsets of its passages count from the start of the whole text. */
export interface FormattedPiece {
  piece: Piece
  passages: Passage[]
  removals: Removal[]
  /** Several where the first answer was cut off. */
  answers: TextAnswer[]
}

export interface PieceContext extends FormatOptions {
  source: TextSource
  ports: FormatPorts
  run: FormatRun
  /** Called with the number of characters of the answer so far. */
  onText(written: number): void
}

/** If a cut-off answer lacks a larger share of the piece than this, the halves of the piece are requested. */
const maxMissingShare = 0.1

/** The formatted piece or its halves, and the error if a part got no answer. */
export interface PieceResult {
  formatted: FormattedPiece[]
  failure?: SpeechError
}

/** Formats a piece, or its two halves where the answer is cut off. Throws the model's errors. */
export async function formatPiece(piece: Piece, context: PieceContext): Promise<PieceResult> {
  const formatted = await requestOnce(piece, context)
  const [answer] = formatted.answers
  if (answer!.whole || missingShare(formatted) <= maxMissingShare) return { formatted: [formatted] }
  const halves = cutPieces(context.source, 2, piece.from, piece.to)
  if (halves.length < 2) return { formatted: [formatted] }
  const results = await Promise.allSettled(halves.map(half => requestOnce(withEdges(half, piece), context)))
  const rejected = results.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined
  const done = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  if (!rejected) {
    done[0]!.answers.unshift(answer!)
    return { formatted: done }
  }
  context.run.signal.throwIfAborted()
  if (!isSpeechError(rejected.reason)) throw rejected.reason
  // The cut-off answer is better than none. The other half's answer counts as usage, and is saved for the next run.
  formatted.answers.push(...done.flatMap(({ answers }) => answers))
  return { formatted: [formatted], failure: rejected.reason }
}

/** Gives the halves the overlaps of the piece with its neighbours. */
function withEdges(half: Piece, { from, to, askFrom, askTo, before, opens }: Piece): Piece {
  const left = half.from === from ? { askFrom, before, opens } : {}
  return { ...half, ...left, ...(half.to === to && { askTo }) }
}

/** Returns the share of the requested range after the last passage of the answer. */
function missingShare({ piece, passages }: FormattedPiece): number {
  const last = passages.findLast(({ kept }) => !kept)
  return (piece.askTo - (last?.to ?? piece.askFrom)) / (piece.askTo - piece.askFrom)
}

export function requestedText({ askFrom, askTo }: Piece, { text }: TextSource): string {
  return text.slice(askFrom, askTo)
}

/** The answer of an earlier request for the piece, if there is one, and the key of its checkpoint. */
export async function savedAnswerOf(
  piece: Piece,
  { source, ports, run, style, language }: Omit<PieceContext, 'onText'>,
): Promise<{ key: string; answer: TextAnswer | undefined }> {
  const facts = { style, language, text: requestedText(piece, source), before: piece.before }
  const key = keyOf(facts, ports.textModel.models)
  const saved = savedAnswer.safeParse(await run.checkpoints.get(key))
  return { key, answer: saved.success ? (saved.data as TextAnswer) : undefined }
}

async function requestOnce(
  piece: Piece,
  { source, ports, run, onText, ...options }: PieceContext,
): Promise<FormattedPiece> {
  const text = requestedText(piece, source)
  const { before } = piece
  const { key, answer: known } = await savedAnswerOf(piece, { source, ports, run, ...options })
  const answer =
    known ??
    (await ports.textModel.generate(promptFor({ ...options, text, before }), {
      signal: run.signal,
      owner: run.owner,
      onText,
    }))
  if (!known && answer.text.trim() !== '') await run.checkpoints.put(key, answer)
  const { passages, removals } = judge(text, answer.text, { ...options, ...(before && { before }) })
  return {
    piece,
    answers: [answer],
    removals: removals.map(removal => ({ ...removal, at: removal.at + piece.askFrom })),
    passages: passages.map(passage => shifted(passage, piece.askFrom)),
  }
}

/** Saved unjudged, so that a better judge can judge it again. */
const savedAnswer = z.object({
  text: z.string(),
  whole: z.boolean(),
  model: z.string(),
  usage: z.object({ inputTokens: z.number(), outputTokens: z.number() }),
  costUsd: z.number().optional(),
})

function keyOf(facts: FormatOptions & { text: string; before: string }, models: string[]): string {
  const { style, language = '', text, before } = facts
  const all = JSON.stringify([promptVersion, style, language, models, before, text])
  return `format:${createHash('sha256').update(all).digest('hex')}`
}

function shifted({ from, to, part, ...rest }: Passage, by: number): Passage {
  return { ...rest, from: from + by, to: to + by, part: (a, b) => part(a - by, b - by) }
}

/** Returns a piece with its original text. */
export function unformattedPiece(piece: Piece, { text }: TextSource): FormattedPiece {
  const { from, to, opens } = piece
  const part = (a: number, b: number) => text.slice(Math.max(a, from), Math.min(b, to)).trim()
  const passage: Passage = { from, to, text: part(from, to), kept: true, opens, part }
  return { piece: { ...piece, askFrom: from, askTo: to }, passages: [passage], removals: [], answers: [] }
}
