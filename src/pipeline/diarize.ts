// The story of one recording with speakers: a call's channels apart, or two passes over one upload, aligned.
import type { TranscriptionRequest } from '../domain/job.ts'
import { languageHint } from '../domain/languages.ts'
import type { Run } from '../domain/run.ts'
import { align } from './diarization/align.ts'
import { countSeparateChannels } from './dual-channel/channels.ts'
import { transcribeDualChannel } from './dual-channel/dual-channel.ts'
import { fileResult, passFailures, textWarnings } from './file-tasks/file-result.ts'
import type { Pass } from './file-tasks/pass-context.ts'
import { type PassResults, runPasses } from './file-tasks/passes.ts'
import type { Pipeline } from './pipeline.ts'
import { openSource, type Source } from './source/source.ts'
import type { Findings, PipelinePorts } from './transcribe.ts'

export const diarize: Pipeline = async (order, ports, run, onFound) => {
  const source = await openSource(order, ports, run)
  if (await isCall(order, source, ports, run)) {
    run.warn('Each of the two channels carries a voice of its own and was taken for one speaker.')
    return transcribeDualChannel(order, source, ports, run, onFound)
  }

  const hint = languageHint(order.language)
  if (hint.warning) run.warn(hint.warning)
  const passes = passesOf(order, ports, hint.code)
  const told = (heards: PassResults, isOver: boolean) => {
    const { warnings, ...text } = align(...hearings(heards), heards.duration)
    const findings = fileResult(text, { order, source, ports, passes, results: heards, isOver })
    return { findings, warnings }
  }
  const onHeard = (soFar: PassResults) => {
    let found: Findings | undefined
    // Hours of words take seconds to align, and every reader asks.
    onFound(() => (found ??= told(soFar, false).findings))
  }
  const heards = await runPasses(passes, { order, source, ports, run, onPassDone: onHeard })

  const { findings, warnings } = told(heards, true)
  const lacks = [
    'Who speaks could not be told.',
    'The words are those of the pass for speakers, which spells worse.',
  ]
  // Where a pass failed, that is why: what else there is to say of it follows from it.
  const failures = passFailures(heards, lacks)
  const doubts = failures.length > 0 ? failures : warnings
  for (const warning of [...textWarnings(heards, findings.segments), ...doubts]) run.warn(warning)
  return findings
}

/** More people than channels cannot have a channel each. */
async function isCall(
  { speakers = 2 }: TranscriptionRequest,
  source: Source,
  { ffmpeg }: PipelinePorts,
  run: Run,
): Promise<boolean> {
  if (speakers > 2) return false
  run.progress({ done: 0, message: 'Comparing the channels' })
  return (await countSeparateChannels(source, ffmpeg, run)) === 2
}

/** One pass where a model tells both who and what. */
function passesOf(
  { speakers }: TranscriptionRequest,
  ports: PipelinePorts,
  language: string | undefined,
): Pass[] {
  const who = ports.speakerRecogniser
  const what = ports.fileRecogniser
  const both = [what, who].find(({ capabilities }) => capabilities.text && capabilities.speakers)
  return (both ? [both] : [who, what]).map(recogniser => ({
    recogniser,
    ...(language && { language }),
    ...(speakers !== undefined && recogniser.capabilities.speakers && { speakers }),
  }))
}

/** Who and what. */
function hearings({ passes: [first, second] }: PassResults) {
  return [first?.recognition, second ? second.recognition : first?.recognition] as const
}
