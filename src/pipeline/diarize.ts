// Transcribes one recording with speakers: voices that are apart already, or two passes over one upload that are aligned.

import { languageHint } from '../domain/languages.ts'
import type { FileRecognition } from '../domain/ports.ts'
import { withSpeexDecoder } from './audio/speex.ts'
import { align } from './diarization/align.ts'
import { fileResult, modelWarnings, passFailures, textWarnings } from './file-tasks/file-result.ts'
import { type PassResults, runPasses } from './file-tasks/passes.ts'
import type { Findings, Pipeline } from './pipeline.ts'
import { openSource } from './source/source.ts'
import { transcribeOpened } from './transcribe.ts'
import { findVoices, ofVoice } from './voices/find-voices.ts'

export const diarize: Pipeline = async (given, ports, run, onFound) => {
  const opened = await withSpeexDecoder(await openSource(given, ports, run), ports.ffmpeg, run)
  run.progress({ done: 0, message: 'Comparing tracks and channels' })
  const hearing = await findVoices(opened, { ...given, isApart: true }, ports.ffmpeg, run)
  if (hearing.voices.length > 1) return transcribeOpened(opened, given, ports, run, onFound, hearing)
  const { source, request } = ofVoice(opened, given, hearing.voices[0])

  const hint = languageHint(request.language)
  if (hint.warning) run.warn(hint.warning)
  const { speakers, context } = request
  const options = { language: hint.code, context, speakers }
  const passes = [ports.speakerRecognisers, ports.fileRecognisers].map(recognisers => ({
    recognisers,
    ...options,
  }))
  const aligned = alignOnce()
  const resultOf = async (results: PassResults, isOver: boolean) => {
    const { warnings, ...text } = await aligned(...recognitionsOf(results), results.duration)
    const findings = fileResult(text, { request, source, ports, results, isOver })
    return { findings, warnings }
  }
  const onPassDone = (soFar: PassResults) => {
    let found: Promise<Findings> | undefined
    // Each reader calls this.
    onFound(() => (found ??= resultOf(soFar, false).then(({ findings }) => findings)))
  }
  const results = await runPasses(passes, { request, source, ports, run, onPassDone })

  const { findings, warnings } = await resultOf(results, true)
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

/** Aligns what it has aligned last only once: hours of words take seconds, and the last pass brings the final result. */
function alignOnce(): typeof align {
  let last: { of: Parameters<typeof align>; aligned: ReturnType<typeof align> } | undefined
  return (...of) => {
    if (!last?.of.every((one, i) => one === of[i])) last = { of, aligned: align(...of) }
    return last.aligned
  }
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
