// Transcribes one recording with speakers: two separate channels, or two passes over one upload that are aligned.
import type { TranscriptionRequest } from '../domain/job.ts'
import { languageHint } from '../domain/languages.ts'
import type { FileRecognition } from '../domain/ports.ts'
import type { Run } from '../domain/run.ts'
import { align } from './diarization/align.ts'
import { countSeparateChannels } from './dual-channel/channels.ts'
import { transcribeDualChannel } from './dual-channel/dual-channel.ts'
import { fileResult, modelWarnings, passFailures, textWarnings } from './file-tasks/file-result.ts'
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
  const { speakers, context } = request
  const options = { language: hint.code, context, speakers }
  const passes = [ports.speakerRecognisers, ports.fileRecognisers].map(recognisers => ({
    recognisers,
    ...options,
  }))
  const resultOf = (results: PassResults, isOver: boolean) => {
    const { warnings, ...text } = align(...recognitionsOf(results), results.duration)
    const findings = fileResult(text, { request, source, ports, results, isOver })
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
  const lost = modelWarnings(passes, results)
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

type Recognitions = readonly [
  speakerRecognition: FileRecognition | undefined,
  textRecognition: FileRecognition | undefined,
]

/** The same one twice where one task was for both. */
function recognitionsOf({ passes: [speakers, words] }: PassResults): Recognitions {
  const [first, second] = [speakers?.recognition, words?.recognition]
  return [speakers?.isShared ? second : first, words?.isShared ? first : second]
}
