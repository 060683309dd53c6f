// Merges the transcripts of voices that were heard apart: each voice is one speaker.
import type { Timestamps } from '../../domain/job.ts'
import { type Coverage, type Gap, roundToMs, type Segment, type Speaker } from '../../domain/transcript.ts'
import { createMerge, type Merge, type MergedTranscript, mainLanguage } from '../chunks/merge.ts'
import type { ChunkTranscript } from '../chunks/recognise.ts'
import { withoutCrosstalk } from './crosstalk.ts'
import type { LevelMeter } from './levels.ts'
import type { HeardVoice } from './voice.ts'

/** Merges the segments of all voices in order of time, each with its speaker; one voice alone has no speaker. */
export function createVoicesMerge(
  timestamps: Timestamps,
  voices: readonly HeardVoice[],
  meters: readonly LevelMeter[],
): Merge {
  if (voices.length === 1) return createMerge(timestamps)
  const merges = voices.map(() => createMerge('word'))
  return (transcripts, pending) => {
    const parts = voices.map((_, voice) => transcripts.filter(one => one.channel === voice))
    const merged = parts.map((own, voice) => {
      // A voice without a transcript may be silent, so nothing is announced for it.
      const isPending = pending && (own.length > 0 || transcripts.length === 0)
      return merges[voice]!(own, isPending ? pending : undefined)
    })
    const cleaned = withoutCrosstalk(
      merged.map(({ segments }, voice) => ({ segments, levels: meters[voice]!.blocks })),
    )
    const ids = speakerIds(cleaned, parts)
    const segments = cleaned.flatMap((own, voice) =>
      own.map(segment => withSpeaker(ids[voice]!, segment, timestamps)),
    )
    segments.sort((a, b) => a.start - b.start || a.end - b.end)
    return {
      segments,
      speakers: speakersOf(segments, voices, ids),
      ...mainLanguage(transcripts),
      coverage: coverageOf(merged),
      sent: roundToMs(sum(merged, ({ sent }) => sent)),
      cached: roundToMs(sum(merged, ({ cached }) => cached)),
    }
  }
}

/** Ids by first appearance. A gap counts too, so that ids stay the same when it is filled later. */
function speakerIds(texts: readonly Segment[][], parts: readonly ChunkTranscript[][]): string[] {
  const first = parts.map((transcripts, voice) => {
    const failed = transcripts.filter(({ failure }) => failure)
    return Math.min(...[...texts[voice]!, ...failed].map(({ start }) => start))
  })
  const order = [...first.keys()].sort((a, b) => (first[a]! === first[b]! ? a - b : first[a]! - first[b]!))
  return first.map((_, voice) => `S${order.indexOf(voice) + 1}`)
}

/** The confidence is 1: a voice has one speaker. */
function withSpeaker(speaker: string, { words, ...segment }: Segment, timestamps: Timestamps): Segment {
  return { ...segment, ...(timestamps === 'word' && words && { words }), speaker, confidence: 1 }
}

/** `ids` has the id of each voice. */
function speakersOf(segments: Segment[], voices: readonly HeardVoice[], ids: string[]): Speaker[] {
  const length = (of: Segment[]) => sum(of, ({ start, end }) => end - start)
  const total = length(segments)
  const speakers = voices.flatMap(({ key, title }, i): Speaker[] => {
    const own = segments.filter(({ speaker }) => speaker === ids[i])
    if (own.length === 0) return []
    const share = total > 0 ? roundToMs(length(own) / total) : 0
    const facts = { id: ids[i]!, voice: key, seconds: roundToMs(length(own)), share }
    return [{ ...facts, ...(title && { track: title }) }]
  })
  return speakers.sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)))
}

function coverageOf(voices: MergedTranscript[]): Coverage {
  const unspokenSeconds = roundToMs(sum(voices, ({ coverage }) => coverage.unspokenSeconds ?? 0))
  return {
    speechSeconds: roundToMs(sum(voices, ({ coverage }) => coverage.speechSeconds)),
    ...(unspokenSeconds > 0 && { unspokenSeconds }),
    transcribedSeconds: roundToMs(sum(voices, ({ coverage }) => coverage.transcribedSeconds)),
    gaps: mergeGaps(voices.flatMap(({ coverage }) => coverage.gaps)),
  }
}

/** In order of time; gaps of several voices with the same reason become one. */
function mergeGaps(gaps: Gap[]): Gap[] {
  const found: Gap[] = []
  for (const gap of gaps.toSorted((a, b) => a.start - b.start)) {
    const same = found.find(({ end, reason }) => reason === gap.reason && end > gap.start)
    if (same) same.end = Math.max(same.end, gap.end)
    else found.push({ ...gap })
  }
  return found
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
