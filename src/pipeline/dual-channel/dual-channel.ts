// Transcribes a dual-channel recording: each channel is recognised separately and is one speaker.
import type { Timestamps, TranscriptionRequest } from '../../domain/job.ts'
import type { Run } from '../../domain/run.ts'
import { type Coverage, type Gap, roundToMs, type Segment, type Speaker } from '../../domain/transcript.ts'
import { createMerge, type Merge, type MergedTranscript, mainLanguage } from '../chunks/merge.ts'
import type { ChunkTranscript } from '../chunks/recognise.ts'
import { type ChunkPorts, transcribeChunks } from '../chunks/transcribe-chunks.ts'
import type { Findings } from '../pipeline.ts'
import type { Source } from '../source/source.ts'
import { titleOf } from '../source/title.ts'
import { collectTranscript, withOwnSignal } from '../transcribe.ts'
import { withoutCrosstalk } from './crosstalk.ts'
import { LevelMeter } from './levels.ts'

/**
 * Resolves with the transcript of a recording with two separate channels (see `countSeparateChannels`). `onFound` and
 * errors are those of `transcribe`.
 */
export async function transcribeDualChannel(
  request: TranscriptionRequest,
  source: Source,
  ports: ChunkPorts,
  outer: Run,
  onFound: (findings: () => Findings) => void,
): Promise<Findings> {
  return withOwnSignal(outer, async run => {
    run.progress({ done: 0, message: 'Decoding' })
    const meters = [new LevelMeter(), new LevelMeter()] as const
    const channels = meters.map((meter, channel) => ({
      channel,
      onSamples: (samples: Buffer) => meter.add(samples),
    }))
    const recognition = transcribeChunks(source, request, ports, run, channels)
    return collectTranscript(recognition, {
      merge: createDualChannelMerge(request.timestamps ?? 'segment', meters),
      title: titleOf(request, source),
      recogniser: ports.recogniser,
      channelCount: channels.length,
      run,
      onFound,
    })
  })
}

/** Merges the segments of both channels in order of time, each with its speaker. */
function createDualChannelMerge(timestamps: Timestamps, meters: readonly [LevelMeter, LevelMeter]): Merge {
  const merges = meters.map(() => createMerge('word'))
  return (transcripts, pending) => {
    const channels = merges.map((_, channel) => transcripts.filter(one => one.channel === channel))
    const merged = channels.map((own, channel) => {
      // A channel without a transcript may be silent, so nothing is announced for it.
      const isPending = pending && (own.length > 0 || transcripts.length === 0)
      return merges[channel]!(own, isPending ? pending : undefined)
    })
    const sides = merged.map(({ segments }, side) => ({ segments, levels: meters[side]!.blocks }))
    const cleaned = withoutCrosstalk([sides[0]!, sides[1]!])
    const ids = speakerIds(cleaned, channels)
    const segments = cleaned.flatMap((own, channel) =>
      own.map(segment => withSpeaker(ids[channel]!, segment, timestamps)),
    )
    segments.sort((a, b) => a.start - b.start || a.end - b.end)
    return {
      segments,
      speakers: speakersOf(segments, ids),
      ...mainLanguage(transcripts),
      coverage: coverageOf(merged),
      sent: roundToMs(sum(merged, ({ sent }) => sent)),
      cached: roundToMs(sum(merged, ({ cached }) => cached)),
    }
  }
}

/** Ids by first appearance. A gap counts too, so that ids stay the same when it is filled later. */
function speakerIds(sides: readonly Segment[][], channels: readonly ChunkTranscript[][]): string[] {
  const first = channels.map((transcripts, channel) => {
    const failed = transcripts.filter(({ failure }) => failure)
    return Math.min(...[...sides[channel]!, ...failed].map(({ start }) => start))
  })
  const isSecondFirst = first[1]! < first[0]!
  return isSecondFirst ? ['S2', 'S1'] : ['S1', 'S2']
}

/** The confidence is 1: a channel has one speaker. */
function withSpeaker(speaker: string, { words, ...segment }: Segment, timestamps: Timestamps): Segment {
  return { ...segment, ...(timestamps === 'word' && words && { words }), speaker, confidence: 1 }
}

/** `ids` has the id of each channel. */
function speakersOf(segments: Segment[], ids: string[]): Speaker[] {
  const length = (of: Segment[]) => sum(of, ({ start, end }) => end - start)
  const total = length(segments)
  return ['S1', 'S2'].flatMap(id => {
    const own = segments.filter(({ speaker }) => speaker === id)
    if (own.length === 0) return []
    const share = total > 0 ? roundToMs(length(own) / total) : 0
    return [{ id, voice: `channel:${ids.indexOf(id)}`, seconds: roundToMs(length(own)), share }]
  })
}

function coverageOf(sides: MergedTranscript[]): Coverage {
  return {
    speechSeconds: roundToMs(sum(sides, ({ coverage }) => coverage.speechSeconds)),
    transcribedSeconds: roundToMs(sum(sides, ({ coverage }) => coverage.transcribedSeconds)),
    gaps: mergeGaps(sides.flatMap(({ coverage }) => coverage.gaps)),
  }
}

/** In order of time; gaps of both channels with the same reason become one. */
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
