// Puts the pieces together: one text without lost or doubled words, segments with times, and what is missing.
import type { Timestamps } from '../../domain/job.ts'
import { sentences } from '../../domain/sentences.ts'
import { estimateTokens } from '../../domain/token-estimate.ts'
import { tokens } from '../../domain/tokens.ts'
import {
  type Coverage,
  type Gap,
  roundToMs,
  type Segment,
  type Span,
  type Speaker,
} from '../../domain/transcript.ts'
import type { ChunkTranscript } from './recognise.ts'
import { joinOverlap } from './seams.ts'
import { timeTexts, timeWords } from './timing.ts'

export interface MergedTranscript {
  segments: Segment[]
  /** Where it is known who speaks. */
  speakers?: Speaker[]
  language?: string
  coverage: Coverage
  /** Seconds of audio that were sent for this order, and that other orders had paid for. */
  sent: number
  cached: number
}

/** A segment longer than this (tokens) is parted at a comma, so that times and subtitles stay close to the speech. */
const longestSegment = 60

/** Puts together what is there so far; `end` is given while more is to come, as far as the recording's end is known. */
export type Merge = (pieces: readonly ChunkTranscript[], coming?: { end?: number }) => MergedTranscript

/** The pieces may come in any order, and more of them with each call: what was worked out for a piece is kept. */
export function createMerge(timestamps: Timestamps): Merge {
  const known = new Map<string, Segment[]>()
  const segments = (piece: ChunkTranscript) => {
    const key = `${piece.start} ${piece.end} ${piece.text}`
    const found = known.get(key) ?? segmentsOf(piece, timestamps)
    known.set(key, found)
    return found
  }
  return (pieces, coming) => {
    const all = pieces.map(piece => ({ ...piece })).sort((a, b) => a.start - b.start || a.end - b.end)
    dropRepeats(all)
    return {
      segments: all.flatMap(segments),
      ...mainLanguage(all),
      coverage: coverageOf(all, coming ? pendingIn(all, coming.end) : []),
      sent: roundToMs(all.reduce((sum, piece) => sum + piece.sent, 0)),
      cached: roundToMs(all.reduce((sum, piece) => sum + piece.cached, 0)),
    }
  }
}

function dropRepeats(pieces: ChunkTranscript[]): void {
  for (let i = 1; i < pieces.length; i++) {
    const [left, right] = [pieces[i - 1]!, pieces[i]!]
    const neighbours = right.index - left.index <= 1
    if (neighbours && right.overlap > 0 && left.text && right.text)
      [left.text, right.text] = joinOverlap(
        left.text,
        right.text,
        right.overlap,
        wordsIn(right.overlap, right),
      )
  }
}

/** The stretches between pieces, and behind the last, whose chunks have not been heard yet. */
function pendingIn(pieces: ChunkTranscript[], end: number | undefined): Gap[] {
  const reason = 'not transcribed yet'
  const gaps = pieces.flatMap((piece, i) => {
    const before = pieces[i - 1] ?? { index: -1, end: 0 }
    return piece.index - before.index > 1 ? [{ start: before.end, end: piece.start, reason }] : []
  })
  const last = pieces.at(-1)?.end ?? 0
  return end !== undefined && end > last ? [...gaps, { start: last, end: roundToMs(end), reason }] : gaps
}

/** About how many words are said in some seconds of a piece, by its own pace. */
function wordsIn(seconds: number, { text, sent, cached }: ChunkTranscript): number {
  return Math.max(1, (seconds * tokens(text).length) / Math.max(sent + cached, seconds))
}

function segmentsOf(piece: ChunkTranscript, timestamps: Timestamps): Segment[] {
  const texts = sentences(piece.text).flatMap(partLong)
  const speech = piece.speech.length ? piece.speech : [{ start: piece.start, end: piece.end }]
  return timeTexts(texts, speech).map((span, i) => ({
    ...span,
    text: texts[i]!,
    estimated: true,
    ...(piece.language && { language: piece.language }),
    ...(timestamps === 'word' && { words: timeWords(texts[i]!, span, speech) }),
  }))
}

/** Parts a long sentence at its commas, in pieces of about equal length. */
function partLong(sentence: string): string[] {
  const size = estimateTokens(sentence)
  if (size <= longestSegment) return [sentence]
  const wanted = size / Math.ceil(size / longestSegment)
  const parts: string[] = []
  let part = ''
  for (const clause of sentence.split(/(?<=[,;:—–]\s)|(?<=[，、；：])/u).flatMap(partWords)) {
    if (part && estimateTokens(part) + estimateTokens(clause) / 2 > wanted) {
      parts.push(part)
      part = ''
    }
    part += clause
  }
  return [...parts, part].map(text => text.trim()).filter(text => text !== '')
}

/** Where not even a comma is near, between words; in scripts without spaces, between characters. */
function partWords(clause: string): string[] {
  if (estimateTokens(clause) <= longestSegment) return [clause]
  const starts = tokens(clause).map(({ start }) => start)
  return starts.map((start, i) => clause.slice(i === 0 ? 0 : start, starts[i + 1]))
}

/** The language in which most of the time is spoken. */
export function mainLanguage(pieces: readonly Pick<ChunkTranscript, 'language' | 'text' | 'speech'>[]): {
  language?: string
} {
  const seconds = new Map<string, number>()
  for (const { language, text, speech } of pieces)
    if (language && text) seconds.set(language, (seconds.get(language) ?? 0) + lengthOf(speech))
  const [most] = [...seconds].sort((a, b) => b[1] - a[1])
  return most ? { language: most[0] } : {}
}

function coverageOf(pieces: ChunkTranscript[], pending: Gap[]): Coverage {
  const missing = pieces.flatMap((piece, i) => {
    // What the chunk before holds too is no gap.
    const start = Math.max(piece.start, pieces[i - 1]?.end ?? 0)
    return piece.failure ? [{ ...piece, start, failure: piece.failure }] : []
  })
  const speechSeconds = pieces.reduce((sum, piece) => sum + lengthOf(piece.speech), 0)
  const lost = missing.reduce((sum, piece) => sum + lengthOf(piece.speech), 0)
  return {
    speechSeconds: roundToMs(speechSeconds),
    transcribedSeconds: roundToMs(speechSeconds - lost),
    gaps: [
      ...pending,
      ...missing.map(({ start, end, failure }) => ({
        start,
        end,
        reason: `${failure.code}: ${failure.message}`.slice(0, 120),
      })),
    ].sort((a, b) => a.start - b.start),
  }
}

function lengthOf(spans: Span[]): number {
  return spans.reduce((sum, { start, end }) => sum + end - start, 0)
}
