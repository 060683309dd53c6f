// Transcribes one recording with speakers: two separate channels, or two passes over one upload that are aligned.
import type { TranscriptionRequest } from '../domain/job.ts'
import { languageHint } from '../domain/languages.ts'
import type { FileRecognition } from '../domain/ports.ts'
import type { Run } from '../domain/run.ts'
import { align } from './diarization/align.ts'
import { countSeparateChannels } from './dual-channel/channels.ts'
import { transcribeDualChannel } from './dual-channel/dual-channel.ts'
import {
  contextWarnings,
  fileResult,
  passFailures,
  priceWarnings,
  textWarnings,
} from './file-tasks/file-result.ts'
import type { Pass } from './file-tasks/pass-context.ts'
import { type PassResults, runPasses } from './file-tasks/passes.ts'
import type { Findings, Pipeline, PipelinePorts } from './pipeline.ts'
import { openSource, type Source } from './source/source.ts'

export const diarize: Pipeline = async (request, ports, run, onFound) => {
  const source = await openSource(request, ports, run)
  if (await isDualChannel(request, source, ports, run)) {
    run.warn('Each of the two channels carries its own voice; each was taken as one speaker.')
    return transcribeDualChannel(request, source, ports, run, onFound)
  }

  const hint = languageHint(request.language)
  if (hint.warning) run.warn(hint.warning)
  const passes = passesOf(request, ports, hint.code)
  const resultOf = (results: PassResults, isOver: boolean) => {
    const { warnings, ...text } = align(...recognitionsOf(results), results.duration)
    const findings = fileResult(text, { request, source, ports, passes, results, isOver })
    return { findings, warnings }
  }
  const onPassDone = (soFar: PassResults) => {
    let found: Findings | undefined
    // Cached: hours of words take seconds to align, and each reader calls this.
    onFound(() => (found ??= resultOf(soFar, false).findings))
  }
  const results = await runPasses(passes, { request, source, ports, run, onPassDone })

  const { findings, warnings } = resultOf(results, true)
  const consequences = [
    'The speakers could not be identified.',
    'The text comes from the speaker model, which makes more spelling errors.',
  ]
  // A failed pass explains the other warnings, so it replaces them.
  const failures = passFailures(results, consequences)
  const doubts = failures.length > 0 ? failures : warnings
  const lost = [...contextWarnings(passes), ...priceWarnings(passes, results)]
  for (const warning of [...textWarnings(results, findings.segments), ...lost, ...doubts]) run.warn(warning)
  return findings
}

/** More speakers than channels cannot have one channel each. */
async function isDualChannel(
  { speakers = 2 }: TranscriptionRequest,
  source: Source,
  { ffmpeg }: PipelinePorts,
  run: Run,
): Promise<boolean> {
  if (speakers > 2) return false
  run.progress({ done: 0, message: 'Comparing the channels' })
  return (await countSeparateChannels(source, ffmpeg, run)) === 2
}

/** A pass for the speakers and a pass for the text; one pass where a model does both. */
function passesOf(
  { speakers, context }: TranscriptionRequest,
  ports: PipelinePorts,
  language: string | undefined,
): Pass[] {
  const { speakerRecogniser, fileRecogniser } = ports
  const both = [fileRecogniser, speakerRecogniser].find(
    ({ capabilities }) => capabilities.text && capabilities.speakers,
  )
  return (both ? [both] : [speakerRecogniser, fileRecogniser]).map(recogniser => ({
    recogniser,
    language,
    context,
    speakers: recogniser.capabilities.speakers ? speakers : undefined,
  }))
}

type Recognitions = readonly [
  speakerRecognition: FileRecognition | undefined,
  textRecognition: FileRecognition | undefined,
]

function recognitionsOf({ passes: [first, second] }: PassResults): Recognitions {
  return [first?.recognition, second ? second.recognition : first?.recognition]
}
