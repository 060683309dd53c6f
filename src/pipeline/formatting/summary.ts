// Summary of a formatting: figures, and warnings for the reader.
import { describeError, type SpeechError } from '../../domain/errors.ts'
import { roundUsd, unknownPrice } from '../../domain/models/price.ts'
import { minFormattedChars, type TextAnswer } from '../../domain/text-model.ts'
import { tokens } from '../../domain/tokens.ts'
import type { Formatting, Style } from '../../domain/transcript.ts'
import type { Passage } from '../faithfulness/judge.ts'
import type { FormattedPiece } from './format-piece.ts'

/** Warning for a text that no model formatted; the reason follows. */
export const textUnchanged = 'The text is unchanged.'
/** Warning for a text that is too short to be sent. */
export const tooShort = `A text of at most ${minFormattedChars} characters is not formatted.`

export interface SummaryInput {
  style: Style
  text: string
  passages: Passage[]
  pieces: FormattedPiece[]
  /** Errors of the pieces without an answer. */
  failures: SpeechError[]
}

export function summaryOf({ style, text, passages, pieces, failures }: SummaryInput): Formatting {
  const answers = pieces.flatMap(piece => piece.answers)
  const unpriced = answers.filter(({ costUsd }) => costUsd === undefined)
  const paragraphs = paragraphsIn(passagesOfAnswers(passages, pieces))
  const kept = paragraphs.filter(runs => runs.some(run => run.kept)).length
  return {
    style,
    models: modelsOf(answers),
    changed: changedShare(text, passages),
    paragraphs: paragraphs.length,
    kept,
    pieces: pieces.length,
    failed: failures.length,
    removed: removedFrom(pieces, passages),
    usage: usageOf(answers),
    warnings: [
      ...failureWarnings(failures, pieces.length, answers.length > 0),
      ...keptWarnings(kept, paragraphs.length),
      ...(unpriced.length > 0 ? [unknownPrice(modelsOf(unpriced))] : []),
    ],
  }
}

export function emptySummary(style: Style, warnings: string[]): Formatting {
  const usage = { inputTokens: 0, outputTokens: 0 }
  return {
    style,
    models: [],
    changed: 0,
    paragraphs: 0,
    kept: 0,
    pieces: 0,
    failed: 0,
    removed: {},
    usage,
    warnings,
  }
}

/** Groups passages into the paragraphs a reader sees; a long one was judged in several passages. */
function paragraphsIn(passages: Passage[]): Passage[][] {
  const paragraphs: Passage[][] = []
  for (const passage of passages) {
    const open = paragraphs.at(-1)
    if (passage.opens || !open) paragraphs.push([passage])
    else open.push(passage)
  }
  return paragraphs
}

/** Above this share of kept paragraphs, a warning explains why little has changed. */
const maxKeptShare = 0.5

function keptWarnings(kept: number, paragraphs: number): string[] {
  if (kept <= maxKeptShare * paragraphs) return []
  return [
    `The model changed words in ${kept} of ${paragraphs} paragraphs, which keep the original text. Another model in FORMAT_MODELS may do better.`,
  ]
}

/** Returns the passages of pieces with an answer; passages and pieces are both in order. */
function passagesOfAnswers(passages: Passage[], pieces: FormattedPiece[]): Passage[] {
  const answered = pieces.filter(({ answers }) => answers.length > 0).map(({ piece }) => piece)
  let first = 0
  return passages.filter(({ from, to }) => {
    while (answered[first] && answered[first]!.askTo < to) first++
    return answered[first] !== undefined && answered[first]!.askFrom <= from
  })
}

function modelsOf(answers: TextAnswer[]): string[] {
  const counts = new Map<string, number>()
  for (const { model } of answers) counts.set(model, (counts.get(model) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a).map(([model]) => model)
}

/** Returns the passage at an offset, by binary search. */
function passageAt(passages: Passage[], at: number): Passage | undefined {
  let [low, high] = [0, passages.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (passages[middle]!.to <= at) low = middle + 1
    else high = middle
  }
  return passages[low]
}

/** Counts removed fillers; where pieces overlap, only those of the piece whose text is used. */
function removedFrom(pieces: FormattedPiece[], passages: Passage[]): Record<string, number> {
  const counts = new Map<string, number>()
  const seen = new Set<number>()
  for (const { removals } of pieces)
    for (const { at, name, length } of removals) {
      const passage = passageAt(passages, at)
      if (seen.has(at) || !passage || passage.part(at, at + length) !== '') continue
      seen.add(at)
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a))
}

/** Returns the share of words that changed in appearance. */
function changedShare(text: string, passages: Passage[]): number {
  let [all, changed] = [0, 0]
  for (const passage of passages) {
    const original = text.slice(passage.from, passage.to)
    for (const { start, end } of tokens(original)) {
      const word = original.slice(start, end).trim()
      all++
      if (!passage.kept && passage.part(passage.from + start, passage.from + end) !== word) changed++
    }
  }
  return all === 0 ? 0 : Math.round((1000 * changed) / all) / 1000
}

function usageOf(answers: TextAnswer[]): Formatting['usage'] {
  const inputTokens = answers.reduce((sum, { usage }) => sum + usage.inputTokens, 0)
  const outputTokens = answers.reduce((sum, { usage }) => sum + usage.outputTokens, 0)
  const isPriced = answers.length > 0 && answers.every(({ costUsd }) => costUsd !== undefined)
  const costUsd = roundUsd(answers.reduce((sum, answer) => sum + (answer.costUsd ?? 0), 0))
  return { inputTokens, outputTokens, ...(isPriced && { costUsd }) }
}

function failureWarnings(failures: SpeechError[], pieces: number, isAnswered: boolean): string[] {
  const reasons = new Map<string, number>()
  for (const error of failures) {
    const reason = describeError(error)
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  return [...reasons].map(([reason, count]) =>
    count === pieces && !isAnswered
      ? `${textUnchanged} ${reason}`
      : `${count} of ${pieces} parts of the text are unchanged. ${reason}`,
  )
}
