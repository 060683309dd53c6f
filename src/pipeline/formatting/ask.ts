// One piece is asked for, or remembered: what a model made of it, judged.
import { createHash } from 'node:crypto'
import * as z from 'zod/v4'
import { isSpeechError, type SpeechError } from '../../domain/errors.ts'
import type { TextAnswer } from '../../domain/text-model.ts'
import { judge, type Passage, type Removal } from '../faithfulness/judge.ts'
import type { FormatOptions, FormatPorts, FormatRun } from './options.ts'
import { cutPieces, type Piece, type Source } from './pieces.ts'
import { promptFor, promptVersion } from './prompt.ts'

/** A piece and what has become of it; its passages lie in the whole text. */
export interface Formatted {
  piece: Piece
  passages: Passage[]
  removals: Removal[]
  /** What it took: more answers than one where the first was cut off. */
  answers: TextAnswer[]
}

export interface Asking extends FormatOptions {
  source: Source
  ports: FormatPorts
  run: FormatRun
  /** Hears how many characters of the piece's answer are there. */
  onText(written: number): void
}

/** The share of a piece that may be missing at its end where an answer was cut off: for more it is asked again, in halves. */
const bearable = 0.1

/** What has become of a piece, and the error for which some of it got no answer. */
export interface Attempt {
  formatted: Formatted[]
  failure?: SpeechError
}

/** The piece, or its two halves. Throws what the model throws. */
export async function formatPiece(piece: Piece, asking: Asking): Promise<Attempt> {
  const formatted = await askOnce(piece, asking)
  const [answer] = formatted.answers
  if (answer!.whole || missing(formatted) <= bearable) return { formatted: [formatted] }
  const halves = cutPieces(asking.source, 2, piece.from, piece.to)
  if (halves.length < 2) return { formatted: [formatted] }
  const asked = await Promise.allSettled(halves.map(half => askOnce(withEdges(half, piece), asking)))
  const failed = asked.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined
  const done = asked.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  if (!failed) {
    done[0]!.answers.unshift(answer!)
    return { formatted: done }
  }
  asking.run.signal.throwIfAborted()
  if (!isSpeechError(failed.reason)) throw failed.reason
  // What the first answer has is better than nothing; what else was answered is paid for, and kept for the next run.
  formatted.answers.push(...done.flatMap(({ answers }) => answers))
  return { formatted: [formatted], failure: failed.reason }
}

/** Where the piece reaches into its neighbours, its halves do too. */
function withEdges(half: Piece, { from, to, askFrom, askTo, before, opens }: Piece): Piece {
  const left = half.from === from ? { askFrom, before, opens } : {}
  return { ...half, ...left, ...(half.to === to && { askTo }) }
}

/** How much at the end of what was asked for has found no words in the answer. */
function missing({ piece, passages }: Formatted): number {
  const last = passages.findLast(({ kept }) => !kept)
  return (piece.askTo - (last?.to ?? piece.askFrom)) / (piece.askTo - piece.askFrom)
}

async function askOnce(piece: Piece, { source, ports, run, onText, ...wish }: Asking): Promise<Formatted> {
  const text = source.text.slice(piece.askFrom, piece.askTo)
  const { before } = piece
  const key = keyOf({ ...wish, text, before }, ports.textModel.models)
  const kept = keptAnswer.safeParse(await run.checkpoints.get(key))
  const known = kept.success ? (kept.data as TextAnswer) : undefined
  const answer =
    known ??
    (await ports.textModel.generate(promptFor({ ...wish, text, before }), { signal: run.signal, onText }))
  if (!known && answer.text.trim() !== '') await run.checkpoints.put(key, answer)
  const { passages, removals } = judge(text, answer.text, { ...wish, ...(before && { before }) })
  return {
    piece,
    answers: [answer],
    removals: removals.map(removal => ({ ...removal, at: removal.at + piece.askFrom })),
    passages: passages.map(passage => moved(passage, piece.askFrom)),
  }
}

/** As a model has given it: whoever judges better may judge it anew. */
const keptAnswer = z.object({
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

function moved({ from, to, part, ...rest }: Passage, by: number): Passage {
  return { ...rest, from: from + by, to: to + by, part: (a, b) => part(a - by, b - by) }
}

/** What a piece looks like that nobody has formatted. */
export function untouched(piece: Piece, { text }: Source): Formatted {
  const { from, to, opens } = piece
  const part = (a: number, b: number) => text.slice(Math.max(a, from), Math.min(b, to)).trim()
  const passage: Passage = { from, to, text: part(from, to), kept: true, opens, part }
  return { piece: { ...piece, askFrom: from, askTo: to }, passages: [passage], removals: [], answers: [] }
}
