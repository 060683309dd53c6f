// The story of one recording with speakers: a call's channels apart, or two passes over one upload, aligned.
import type { Order } from '../domain/job.ts'
import { languageHint } from '../domain/languages.ts'
import { align } from './align.ts'
import { transcribeCall } from './call.ts'
import { channelsApart } from './channels.ts'
import { findingsOf, shortfalls } from './file-findings.ts'
import { type Heards, hear } from './passes.ts'
import { openSource } from './source.ts'
import type { Story } from './story.ts'
import type { Pass } from './task.ts'
import type { PipelinePorts } from './transcribe.ts'

export const diarize: Story = async (order, ports, run, onFound) => {
  const source = await openSource(order, ports, run)
  run.progress({ done: 0, message: 'Comparing the channels' })
  if ((await channelsApart(source, ports.ffmpeg, run)) === 2)
    return transcribeCall(order, source, ports, run, onFound)

  const hint = languageHint(order.language)
  if (hint.warning) run.warn(hint.warning)
  const passes = passesOf(order, ports, hint.code)
  const told = (heards: Heards, isOver: boolean) => {
    const { warnings, ...text } = align(...hearings(heards), heards.duration)
    const findings = findingsOf(text, { order, source, ports, passes, heards, isOver })
    return { findings, warnings }
  }
  const onHeard = (soFar: Heards) => onFound(() => told(soFar, false).findings)
  const heards = await hear(passes, { order, source, ports, run, onHeard })

  const { findings, warnings } = told(heards, true)
  const lacks = [
    'Who speaks could not be told.',
    'The words are those of the pass for speakers, which spells worse.',
  ]
  if (findings.segments.length === 0)
    run.warn('No speech was found: the recording is silent, or holds music or noise.')
  for (const warning of [...shortfalls(heards, lacks), ...warnings]) run.warn(warning)
  return findings
}

/** One pass where a model tells both who and what. */
function passesOf({ speakers }: Order, ports: PipelinePorts, language: string | undefined): Pass[] {
  const who = ports.speakerRecogniser
  const what = ports.fileRecogniser
  const both = [what, who].find(({ tells }) => tells.text && tells.speakers)
  return (both ? [both] : [who, what]).map(recogniser => ({
    recogniser,
    ...(language && { language }),
    ...(speakers !== undefined && recogniser.tells.speakers && { speakers }),
  }))
}

/** Who and what. */
function hearings({ passes: [first, second] }: Heards) {
  return [first?.hearing, second ? second.hearing : first?.hearing] as const
}
