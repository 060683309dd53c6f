// Merges chunk transcripts: one text without lost or doubled words, timed segments, and the gaps.
import type { Timestamps } from '../../domain/job.ts'
import { estimateModelTokens } from '../../domain/models/model-tokens.ts'
import { sentences } from '../../domain/text.ts'
import { tokens } from '../../domain/tokens.ts'
import {
  type Coverage,
  type Gap,
  roundToMs,
  type Segment,
  type Span,
  type Speaker,
  secondsOf,
} from '../../domain/transcript.ts'
import { measuredSegments, withoutStart } from './measured-times.ts'
import type { ChunkTranscript } from './recognise.ts'
import { joinOverlap } from './seams.ts'
import { clausesOf, timeAfter, timeTexts, timeWords, within } from './timing.ts'

export interface MergedTranscript {
  segments: Segment[]
  /** Absent where speakers are not identified. */
  speakers?: Speaker[]
  language?: string
  coverage: Coverage
  /** Seconds of audio that this job sent, and that other jobs have paid for. */
  sent: number
  cached: number
}

/** A longer segment is split at a comma, so that times and subtitles stay close to the speech. */
const maxSegmentTokens = 60
const maxReasonChars = 120

/** Merges the transcripts so far; `pending` is given while more will follow, with the recording's end if known. */
export type Merge = (transcripts: readonly ChunkTranscript[], pending?: { end?: number }) => MergedTranscript

/** Transcripts may come in any order, and more of them with each call: segments of a transcript are cached. */
export function createMerge(timestamps: Timestamps): Merge {
  const cache = new Map<string, Segment[]>()
  const segments = (transcript: ChunkTranscript) => {
    const key = `${transcript.start} ${transcript.end} ${transcript.text}`
    const found = cache.get(key) ?? segmentsOf(transcript, timestamps)
    cache.set(key, found)
    return found
  }
  return (transcripts, pending) => {
    const all = transcripts
      .map(transcript => ({ ...transcript }))
      .sort((a, b) => a.start - b.start || a.end - b.end)
    removeOverlaps(all)
    return {
      segments: inOrder(all.flatMap(segments)),
      ...mainLanguage(all),
      coverage: coverageOf(all, pending ? pendingGaps(all, pending.end) : []),
      sent: roundToMs(all.reduce((sum, { sent }) => sum + sent, 0)),
      cached: roundToMs(all.reduce((sum, { cached }) => sum + cached, 0)),
    }
  }
}

function removeOverlaps(transcripts: ChunkTranscript[]): void {
  for (let i = 1; i < transcripts.length; i++) {
    const [left, right] = [transcripts[i - 1]!, transcripts[i]!]
    const areNeighbours = right.index - left.index <= 1
    if (!areNeighbours || right.overlap === 0 || !right.text) continue
    if (!left.text) {
      moveSpeech(left, right, 0)
      continue
    }
    const [before, whole] = [left.text.length, right.text]
    const expected = expectedWords(right.overlap, right)
    ;[left.text, right.text] = joinOverlap(left.text, whole, right.overlap, expected)
    const [leftOut, taken] = [before - left.text.length, whole.length - right.text.length]
    if (right.times) right.times = withoutStart(right.times, taken)
    if (leftOut > 0) moveSpeech(left, right, taken / (taken + leftOut))
  }
}

/** The words of the overlap after the seam are those of the right text, and so is the time of saying them. */
function moveSpeech(left: ChunkTranscript, right: ChunkTranscript, share: number): void {
  const all = spokenIn(left)
  const common = within(all, right.start, left.end)
  if (common.length === 0) return
  const seam = timeAfter(share * secondsOf(common), common)
  right.voiced = [...within(common, seam, left.end), ...spokenIn(right)]
  left.voiced = within(all, left.start, seam)
}

/** Where the words of a transcript may lie; never in its overlap, which the chunk before it has timed. */
function spokenIn({ start, end, overlap, speech, heard, voiced = heard }: ChunkTranscript): Span[] {
  return [voiced, speech].find(spans => spans?.length) ?? [{ start: Math.min(start + overlap, end), end }]
}

/** Two models, or a measured and an estimated time, may differ about a seam; no time goes back for it. */
function inOrder(segments: Segment[]): Segment[] {
  let earliest = 0
  return segments.map(segment => {
    const { words } = segment
    const moved = segment.start < earliest
    const found = moved
      ? {
          ...notBefore(segment, earliest),
          ...(words && { words: words.map(word => notBefore(word, earliest)) }),
        }
      : segment
    earliest = found.end
    return found
  })
}

function notBefore<Timed extends Span>(timed: Timed, time: number): Timed {
  return { ...timed, start: Math.max(timed.start, time), end: Math.max(timed.end, time) }
}

/** The stretches between transcripts, and after the last, whose chunks are not recognised yet. */
function pendingGaps(transcripts: ChunkTranscript[], end: number | undefined): Gap[] {
  const reason = 'not transcribed yet'
  const gaps = transcripts.flatMap((transcript, i) => {
    const before = transcripts[i - 1] ?? { index: -1, end: 0 }
    return transcript.index - before.index > 1 ? [{ start: before.end, end: transcript.start, reason }] : []
  })
  const last = transcripts.at(-1)?.end ?? 0
  return end !== undefined && end > last ? [...gaps, { start: last, end: roundToMs(end), reason }] : gaps
}

/** Estimates the number of words in some seconds of a transcript by its own pace. */
function expectedWords(seconds: number, { text, sent, cached }: ChunkTranscript): number {
  return Math.max(1, (seconds * tokens(text).length) / Math.max(sent + cached, seconds))
}

function segmentsOf(transcript: ChunkTranscript, timestamps: Timestamps): Segment[] {
  const { language, times } = transcript
  const texts = sentences(transcript.text).flatMap(splitLong)
  const speech = spokenIn(transcript)
  const segments = times?.stretches.length
    ? measuredSegments(texts, transcript.text, times, timestamps)
    : timeTexts(texts, speech).map((span, i) => ({
        ...span,
        text: texts[i]!,
        estimated: true,
        ...(timestamps === 'word' && { words: timeWords(texts[i]!, span, speech) }),
      }))
  return language ? segments.map(segment => ({ ...segment, language })) : segments
}

/** Splits a long sentence at its commas, into parts of about equal length. */
function splitLong(sentence: string): string[] {
  const size = estimateModelTokens(sentence)
  if (size <= maxSegmentTokens) return [sentence]
  const targetTokens = size / Math.ceil(size / maxSegmentTokens)
  const parts: string[] = []
  let part = ''
  for (const clause of clausesOf(sentence).flatMap(splitWords)) {
    if (part && estimateModelTokens(part) + estimateModelTokens(clause) / 2 > targetTokens) {
      parts.push(part)
      part = ''
    }
    part += clause
  }
  return [...parts, part].map(text => text.trim()).filter(text => text !== '')
}

/** Splits a clause that is too long between words; in scripts without spaces, between characters. */
function splitWords(clause: string): string[] {
  if (estimateModelTokens(clause) <= maxSegmentTokens) return [clause]
  const starts = tokens(clause).map(({ start }) => start)
  return starts.map((start, i) => clause.slice(i === 0 ? 0 : start, starts[i + 1]))
}

/** The language of most of the speech. */
export function mainLanguage(transcripts: readonly Pick<ChunkTranscript, 'language' | 'text' | 'speech'>[]): {
  language?: string
} {
  const seconds = new Map<string, number>()
  for (const { language, text, speech } of transcripts)
    if (language && text) seconds.set(language, (seconds.get(language) ?? 0) + secondsOf(speech))
  const [longest] = [...seconds].sort((a, b) => b[1] - a[1])
  return longest ? { language: longest[0] } : {}
}

/** It is not known where in the chunk the words are missing. */
const cutAnswer = { code: 'PROVIDER_FAILED', message: 'The model’s answer was cut: words are missing.' }

function coverageOf(transcripts: ChunkTranscript[], pending: Gap[]): Coverage {
  const incomplete = transcripts.flatMap((transcript, i) => {
    // The overlap with the previous chunk is no gap.
    const start = Math.max(transcript.start, transcripts[i - 1]?.end ?? 0)
    const failure = transcript.failure ?? (transcript.isCut ? cutAnswer : undefined)
    return failure ? [{ ...transcript, start, failure }] : []
  })
  const failed = transcripts.filter(({ failure }) => failure)
  const speechSeconds = transcripts.reduce((sum, { speech }) => sum + secondsOf(speech), 0)
  const failedSeconds = failed.reduce((sum, { speech }) => sum + secondsOf(speech), 0)
  const unspokenSeconds = roundToMs(transcripts.reduce((sum, each) => sum + unspokenIn(each), 0))
  return {
    speechSeconds: roundToMs(speechSeconds),
    ...(unspokenSeconds > 0 && { unspokenSeconds }),
    transcribedSeconds: roundToMs(speechSeconds - failedSeconds),
    gaps: [
      ...pending,
      ...incomplete.map(({ start, end, failure }) => ({
        start,
        end,
        reason: `${failure.code}: ${failure.message}`.slice(0, maxReasonChars),
      })),
    ].sort((a, b) => a.start - b.start),
  }
}

/** Seconds in which the level found speech and none was heard, where these are most of a chunk's. */
function unspokenIn({ speech, heard }: ChunkTranscript): number {
  const found = secondsOf(speech)
  const unspoken = heard ? found - secondsOf(heard) : 0
  return unspoken > found / 2 ? unspoken : 0
}
