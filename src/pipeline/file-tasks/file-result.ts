// What is found in a recording that was heard as a whole: coverage, usage, and what is missing and why.
import { describeError } from '../../domain/errors.ts'
import type { TranscriptionRequest } from '../../domain/job.ts'
import { roundUsd } from '../../domain/prices.ts'
import {
  type Alignment,
  type Coverage,
  roundToMs,
  type Segment,
  type Speaker,
  type Usage,
} from '../../domain/transcript.ts'
import { majority } from '../chunks/merge.ts'
import { tellUnheard, type Unheard, unheard } from '../chunks/unrecognised.ts'
import type { Source } from '../source/source.ts'
import { titleOf } from '../source/title.ts'
import type { Findings, PipelinePorts } from '../transcribe.ts'
import type { Pass } from './pass-context.ts'
import type { Heards } from './passes.ts'

export interface Text {
  segments: Segment[]
  speakers?: Speaker[]
  alignment?: Alignment
}

export interface Told {
  order: TranscriptionRequest
  source: Source
  ports: PipelinePorts
  passes: Pass[]
  heards: Heards
  /** False while passes are under way. */
  isOver: boolean
}

export function findingsOf(text: Text, { order, source, ports, passes, heards, isOver }: Told): Findings {
  const { lost } = heards
  const isWhole = !lost && heards.passes.every(({ hearing }) => hearing)
  return {
    title: titleOf(order, source),
    status: isOver ? (isWhole ? 'completed' : 'partial') : 'running',
    duration: heards.duration,
    ...majority(text.segments.map(segment => ({ ...segment, speech: [segment] }))),
    model: passes.map(({ recogniser }) => recogniser.model).join(' + '),
    ...text,
    upload: ports.blobs.way,
    coverage: coverageOf(heards, isOver, passedOver(heards, text.segments)),
    usage: usageOf(passes, heards, isOver),
  }
}

/** What the reader is to know of the text: where there is none. */
export function remarks(heards: Heards, segments: Segment[]): string[] {
  const missed = passedOver(heards, segments).map(tellUnheard)
  const isSilent = segments.length === 0 && missed.length === 0
  return isSilent
    ? [
        'No speech was found: the recording is silent, holds music or noise, or its channels cancel each other.',
      ]
    : missed
}

/** Why a pass has told nothing, for the reader; `lacks` says what is missing for want of each. */
export function shortfalls({ passes }: Heards, lacks: string[]): string[] {
  return passes.flatMap(({ error }, i) => (error ? [`${lacks[i]} ${describeError(error)}`] : []))
}

/** Where speech was measured here and the provider heard no word; nothing where it heard nothing at all yet. */
function passedOver({ speech, passes }: Heards, segments: Segment[]): Unheard[] {
  return passes.some(({ hearing }) => hearing) ? unheard(speech, segments) : []
}

function coverageOf(
  { duration, speech, lost, passes }: Heards,
  isOver: boolean,
  missed: Unheard[],
): Coverage {
  const spoken = roundToMs(speech.reduce((sum, { start, end }) => sum + end - start, 0))
  const wordless = missed.reduce((sum, { sounding }) => sum + sounding, 0)
  const isHeard = passes.some(({ hearing }) => hearing)
  const coming = { start: 0, end: duration, reason: 'not transcribed yet' }
  return {
    speechSeconds: spoken,
    transcribedSeconds: isHeard ? roundToMs(spoken - wordless) : 0,
    gaps: [
      ...(isHeard || isOver ? [] : [coming]),
      ...(lost ? [{ ...lost, reason: 'FFMPEG_FAILED: ffmpeg ended before the recording did.' }] : []),
    ],
  }
}

function usageOf(passes: Pass[], { passes: heard, duration }: Heards, isOver: boolean): Usage {
  const price = passes.map(({ recogniser }) => recogniser.usdPerSecond)
  const isKnown = price.every(one => one !== undefined)
  const cost = (lengths: number[]) =>
    roundUsd(lengths.reduce((sum, length, i) => sum + length * price[i]!, 0))
  const sum = (lengths: number[]) => roundToMs(lengths.reduce((all, length) => all + length, 0))
  const sent = heard.map(({ sent }) => sent)
  return {
    audioSeconds: sum(sent),
    cachedSeconds: sum(heard.map(({ cached }) => cached)),
    ...(isKnown && { costUsd: cost(sent) }),
    ...(isKnown && !isOver && { estimatedCostUsd: cost(passes.map(() => duration)) }),
  }
}
