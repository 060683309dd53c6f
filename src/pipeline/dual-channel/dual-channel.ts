// The story of a recorded call: each channel is a speaker, heard apart from the other; nobody's voice has to be guessed.
import type { Timestamps, TranscriptionRequest } from '../../domain/job.ts'
import type { Run } from '../../domain/run.ts'
import { type Coverage, type Gap, roundToMs, type Segment, type Speaker } from '../../domain/transcript.ts'
import { createMerge, type Merge, type MergedTranscript, mainLanguage } from '../chunks/merge.ts'
import type { ChunkTranscript } from '../chunks/recognise.ts'
import { type ChunkPorts, transcribeChunks } from '../chunks/transcribe-chunks.ts'
import type { Source } from '../source/source.ts'
import { titleOf } from '../source/title.ts'
import { collectTranscript, type Findings, withOwnSignal } from '../transcribe.ts'
import { withoutCrosstalk } from './crosstalk.ts'
import { LevelMeter } from './levels.ts'

/**
 * Resolves with the transcript of a recording whose two channels carry a voice each (see `channelsApart`); `onFound` as
 * in `transcribe`, and it throws the same.
 */
export async function transcribeDualChannel(
  order: TranscriptionRequest,
  source: Source,
  ports: ChunkPorts,
  outer: Run,
  onFound: (findings: () => Findings) => void,
): Promise<Findings> {
  return withOwnSignal(outer, async run => {
    run.progress({ done: 0, message: 'Decoding' })
    const meters = [new LevelMeter(), new LevelMeter()] as const
    const ears = meters.map((meter, channel) => ({
      channel,
      onSamples: (samples: Buffer) => meter.add(samples),
    }))
    const hearing = transcribeChunks(source, order, ports, run, ears)
    const merge = createCallMerge(order.timestamps ?? 'segment', meters)
    const told = { merge, title: titleOf(order, source), recogniser: ports.recogniser, run, onFound }
    return collectTranscript(hearing, { ...told, channelCount: ears.length })
  })
}

/** Both channels' segments in order of time, each with its speaker. */
function createCallMerge(timestamps: Timestamps, meters: readonly [LevelMeter, LevelMeter]): Merge {
  const merges = meters.map(() => createMerge('word'))
  return (pieces, coming) => {
    const channels = merges.map((_, channel) => pieces.filter(piece => piece.channel === channel))
    const sides = channels.map((own, channel) => {
      // Of a channel without a piece nobody knows whether anything will come of it: it may be silent.
      const hasMore = coming && (own.length > 0 || pieces.length === 0)
      return merges[channel]!(own, hasMore ? coming : undefined)
    })
    const heard = sides.map(({ segments }, side) => ({ segments, levels: meters[side]!.blocks }))
    const said = withoutCrosstalk([heard[0]!, heard[1]!])
    const ids = numbered(said, channels)
    const segments = said.flatMap((own, channel) => own.map(one => spokenBy(ids[channel]!, one, timestamps)))
    segments.sort((a, b) => a.start - b.start || a.end - b.end)
    return {
      segments,
      speakers: speakersIn(segments, ids),
      ...mainLanguage(pieces),
      coverage: coverageOf(sides),
      sent: roundToMs(sum(sides, ({ sent }) => sent)),
      cached: roundToMs(sum(sides, ({ cached }) => cached)),
    }
  }
}

/** Ids by first appearance. A gap counts too: when it is filled later, nobody must change names. */
function numbered(said: readonly Segment[][], channels: readonly ChunkTranscript[][]): string[] {
  const first = channels.map((pieces, channel) => {
    const failed = pieces.filter(({ failure }) => failure)
    return Math.min(...[...said[channel]!, ...failed].map(({ start }) => start))
  })
  const isSecondFirst = first[1]! < first[0]!
  return isSecondFirst ? ['S2', 'S1'] : ['S1', 'S2']
}

/** A channel has one voice, so there is no doubt about who speaks. */
function spokenBy(speaker: string, { words, ...segment }: Segment, timestamps: Timestamps): Segment {
  return { ...segment, ...(timestamps === 'word' && words && { words }), speaker, confidence: 1 }
}

/** `ids` has the one of each channel. */
function speakersIn(segments: Segment[], ids: string[]): Speaker[] {
  const length = (of: Segment[]) => sum(of, ({ start, end }) => end - start)
  const all = length(segments)
  return ['S1', 'S2'].flatMap(id => {
    const own = segments.filter(({ speaker }) => speaker === id)
    if (own.length === 0) return []
    const share = all > 0 ? roundToMs(length(own) / all) : 0
    return [{ id, voice: `channel:${ids.indexOf(id)}`, seconds: roundToMs(length(own)), share }]
  })
}

function coverageOf(sides: MergedTranscript[]): Coverage {
  return {
    speechSeconds: roundToMs(sum(sides, ({ coverage }) => coverage.speechSeconds)),
    transcribedSeconds: roundToMs(sum(sides, ({ coverage }) => coverage.transcribedSeconds)),
    gaps: joined(sides.flatMap(({ coverage }) => coverage.gaps)),
  }
}

/** In order of time; what is missing in both channels for one reason is one gap. */
function joined(gaps: Gap[]): Gap[] {
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
