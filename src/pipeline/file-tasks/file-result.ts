// Builds the findings of a recording that was recognised as a whole: text, coverage, usage, warnings.
import { describeError } from '../../domain/errors.ts'
import type { TranscriptionRequest } from '../../domain/job.ts'
import { contextFor } from '../../domain/models/context.ts'
import { estimatedUsd, totalUsd, unknownPrice } from '../../domain/models/price.ts'
import { successorWarning } from '../../domain/models/successors.ts'
import {
  type Alignment,
  type Coverage,
  roundToMs,
  type Segment,
  type Speaker,
  secondsOf,
  type Usage,
} from '../../domain/transcript.ts'
import { mainLanguage } from '../chunks/merge.ts'
import { findUnrecognised, type UnrecognisedSpeech, unrecognisedWarning } from '../chunks/unrecognised.ts'
import type { Findings, PipelinePorts } from '../pipeline.ts'
import type { Source } from '../source/source.ts'
import { titleOf } from '../source/title.ts'
import type { Pass } from './candidates.ts'
import type { PassResult, PassResults } from './passes.ts'

export interface FileText {
  segments: Segment[]
  speakers?: Speaker[]
  alignment?: Alignment
}

export interface FileResultInput {
  request: TranscriptionRequest
  source: Source
  ports: PipelinePorts
  results: PassResults
  /** False while passes are running. */
  isOver: boolean
}

export function fileResult(
  text: FileText,
  { request, source, ports, results, isOver }: FileResultInput,
): Findings {
  const isComplete = !results.lost && results.passes.every(({ recognition }) => recognition)
  return {
    title: titleOf(request, source),
    status: isOver ? (isComplete ? 'completed' : 'partial') : 'running',
    duration: results.duration,
    ...mainLanguage(text.segments.map(segment => ({ ...segment, speech: [segment] }))),
    model: ownResults(results)
      .map(({ recogniser }) => recogniser.model)
      .join(' + '),
    ...text,
    upload: ports.objectStorage.way,
    coverage: coverageOf(results, isOver, unrecognisedIn(results, text.segments)),
    usage: usageOf(results, isOver),
  }
}

/** Warnings about speech without text. */
export function textWarnings(results: PassResults, segments: Segment[]): string[] {
  const unrecognised = unrecognisedIn(results, segments)
  const isSilent = segments.length === 0 && unrecognised.length === 0
  return isSilent
    ? [
        'No speech was found: the recording is silent, contains only music or noise, or its channels cancel each other out.',
      ]
    : unrecognised.map(unrecognisedWarning)
}

/** Without those that another pass has answered too. */
function ownResults({ passes }: PassResults): PassResult[] {
  return passes.filter(({ isShared }) => !isShared)
}

/** Warnings about models: successors, what of the context those of the text do not take, and unknown prices. */
export function modelWarnings([{ context } = {}]: Partial<Pass>[], results: PassResults): string[] {
  const replacing = results.passes.filter(({ recognition, inPlaceOf }) => recognition && inPlaceOf)
  const answering = new Set(replacing.map(({ recogniser }) => recogniser.model))
  const successors = [...answering].map(model =>
    successorWarning(
      model,
      replacing.filter(({ recogniser }) => recogniser.model === model),
    ),
  )
  const ofText = ownResults(results).filter(({ recogniser }) => recogniser.capabilities.text)
  const losses = ofText.flatMap(
    ({ recogniser }) => contextFor(recogniser.model, recogniser.takes, context).losses,
  )
  const unpriced = ownResults(results).filter(({ costUsd }) => costUsd === undefined)
  const prices = unpriced.length > 0 ? [unknownPrice(unpriced.map(({ recogniser }) => recogniser.model))] : []
  return [...successors, ...losses, ...prices]
}

/** Warnings about failed passes; `consequences` has one sentence for each pass. */
export function passFailures({ passes }: PassResults, consequences: string[]): string[] {
  return passes.flatMap(({ error }, i) => (error ? [`${consequences[i]} ${describeError(error)}`] : []))
}

/** Detected speech without recognised words; none before the first recognition. */
function unrecognisedIn({ speech, passes }: PassResults, segments: Segment[]): UnrecognisedSpeech[] {
  return passes.some(({ recognition }) => recognition) ? findUnrecognised(speech, segments) : []
}

function coverageOf(
  { duration, speech, lost, passes }: PassResults,
  isOver: boolean,
  unrecognised: UnrecognisedSpeech[],
): Coverage {
  const detected = roundToMs(secondsOf(speech))
  const missing = unrecognised.reduce((sum, { speechSeconds }) => sum + speechSeconds, 0)
  const isRecognised = passes.some(({ recognition }) => recognition)
  const pending = { start: 0, end: duration, reason: 'not transcribed yet' }
  return {
    speechSeconds: detected,
    transcribedSeconds: isRecognised ? roundToMs(detected - missing) : 0,
    gaps: [
      ...(isRecognised || isOver ? [] : [pending]),
      ...(lost ? [{ ...lost, reason: 'FFMPEG_FAILED: ffmpeg ended before the recording did.' }] : []),
    ],
  }
}

function usageOf(all: PassResults, isOver: boolean): Usage {
  const results = ownResults(all)
  const total = (of: (result: PassResult) => number | undefined) =>
    roundToMs(results.reduce((sum, result) => sum + (of(result) ?? 0), 0))
  const own = (result: PassResult) => (result.sent > 0 ? result.recognition : undefined)
  const inputTokens = total(result => own(result)?.inputTokens)
  const estimates = results.map(({ recogniser }) => estimatedUsd(recogniser.usdPerSecond, all.duration))
  const { costUsd: estimatedCostUsd } = totalUsd(estimates)
  return {
    audioSeconds: total(({ sent }) => sent),
    cachedSeconds: total(({ cached }) => cached),
    ...(inputTokens > 0 && { inputTokens, outputTokens: total(result => own(result)?.outputTokens) }),
    ...totalUsd(results.map(({ costUsd }) => costUsd)),
    ...(!isOver && estimatedCostUsd !== undefined && { estimatedCostUsd }),
  }
}
