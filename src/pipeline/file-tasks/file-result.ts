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
import { mainLanguage } from '../chunks/merge.ts'
import { findUnrecognised, type UnrecognisedSpeech, unrecognisedWarning } from '../chunks/unrecognised.ts'
import type { Source } from '../source/source.ts'
import { titleOf } from '../source/title.ts'
import type { Findings, PipelinePorts } from '../transcribe.ts'
import type { Pass } from './pass-context.ts'
import type { PassResults } from './passes.ts'

export interface Text {
  segments: Segment[]
  speakers?: Speaker[]
  alignment?: Alignment
}

export interface FileResultInput {
  order: TranscriptionRequest
  source: Source
  ports: PipelinePorts
  passes: Pass[]
  results: PassResults
  /** False while passes are under way. */
  isOver: boolean
}

export function fileResult(
  text: Text,
  { order, source, ports, passes, results, isOver }: FileResultInput,
): Findings {
  const { lost } = results
  const isWhole = !lost && results.passes.every(({ recognition }) => recognition)
  return {
    title: titleOf(order, source),
    status: isOver ? (isWhole ? 'completed' : 'partial') : 'running',
    duration: results.duration,
    ...mainLanguage(text.segments.map(segment => ({ ...segment, speech: [segment] }))),
    model: passes.map(({ recogniser }) => recogniser.model).join(' + '),
    ...text,
    upload: ports.blobs.way,
    coverage: coverageOf(results, isOver, passedOver(results, text.segments)),
    usage: usageOf(passes, results, isOver),
  }
}

/** What the reader is to know of the text: where there is none. */
export function textWarnings(heards: PassResults, segments: Segment[]): string[] {
  const missed = passedOver(heards, segments).map(unrecognisedWarning)
  const isSilent = segments.length === 0 && missed.length === 0
  return isSilent
    ? [
        'No speech was found: the recording is silent, holds music or noise, or its channels cancel each other.',
      ]
    : missed
}

/** Why a pass has told nothing, for the reader; `lacks` says what is missing for want of each. */
export function passFailures({ passes }: PassResults, lacks: string[]): string[] {
  return passes.flatMap(({ error }, i) => (error ? [`${lacks[i]} ${describeError(error)}`] : []))
}

/** Where speech was measured here and the provider heard no word; nothing where it heard nothing at all yet. */
function passedOver({ speech, passes }: PassResults, segments: Segment[]): UnrecognisedSpeech[] {
  return passes.some(({ recognition }) => recognition) ? findUnrecognised(speech, segments) : []
}

function coverageOf(
  { duration, speech, lost, passes }: PassResults,
  isOver: boolean,
  missed: UnrecognisedSpeech[],
): Coverage {
  const spoken = roundToMs(speech.reduce((sum, { start, end }) => sum + end - start, 0))
  const wordless = missed.reduce((sum, { speechSeconds }) => sum + speechSeconds, 0)
  const isHeard = passes.some(({ recognition }) => recognition)
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

function usageOf(passes: Pass[], { passes: heard, duration }: PassResults, isOver: boolean): Usage {
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
