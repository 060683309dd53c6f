// Transcribes one recording with measured times: one pass over an upload, or chunks where the pass fails.

import { describeError, type ErrorCode, isSpeechError } from '../domain/errors.ts'
import { languageHint } from '../domain/languages.ts'
import type { FileRecognition } from '../domain/ports.ts'
import type { Segment } from '../domain/transcript.ts'
import { withSpeexDecoder } from './audio/speex.ts'
import { fileResult, modelWarnings, textWarnings } from './file-tasks/file-result.ts'
import { type PassResults, runPasses } from './file-tasks/passes.ts'
import type { Pipeline } from './pipeline.ts'
import { openSource } from './source/source.ts'
import { transcribeOpened } from './transcribe.ts'
import { findVoices, ofVoice } from './voices/find-voices.ts'

/** After these errors chunks would fail as well, or must not be tried. */
const noFallbackCodes = new Set<ErrorCode>([
  'CANCELLED',
  'KEY_MISSING',
  'KEY_REFUSED',
  'ACCOUNT_IN_ARREARS',
  'COST_TOO_HIGH',
  'DAY_LIMIT_REACHED',
  'PRICE_UNKNOWN',
  'RECORDING_CHANGED',
  'TASK_TIMEOUT',
  'SUBMIT_UNCLEAR',
  'NOT_AUDIO',
  'IMPLAUSIBLE_LENGTH',
  'NO_AUDIO_TRACK',
  'UNSUPPORTED_CODEC',
  'TRACK_NOT_FOUND',
  'PLAYLIST_REFUSED',
  'FILE_UNREADABLE',
])

export const transcribeTimed: Pipeline = async (given, ports, run, onFound) => {
  const opened = await withSpeexDecoder(await openSource(given, ports, run), ports.ffmpeg, run)
  const hearing = await findVoices(opened, given, ports.ffmpeg, run)
  if (hearing.voices.length > 1) {
    run.warn('Times are estimated, as they are not measured in several tracks at once.')
    return transcribeOpened(opened, given, ports, run, onFound, hearing)
  }
  const { source, request } = ofVoice(opened, given, hearing.voices[0])
  const hint = languageHint(request.language)
  const passes = [{ recognisers: ports.fileRecognisers, language: hint.code, context: request.context }]
  const resultOf = (results: PassResults) => {
    const segments = segmentsOf(results.passes[0]?.recognition, request.timestamps === 'word')
    return fileResult({ segments }, { request, source, ports, results, isOver: true })
  }
  try {
    const results = await runPasses(passes, { request, source, ports, run, onPassDone: () => {} })
    if (hint.warning) run.warn(hint.warning)
    const findings = resultOf(results)
    onFound(() => findings)
    for (const warning of [...textWarnings(results, findings.segments), ...modelWarnings(passes, results)])
      run.warn(warning)
    return findings
  } catch (error) {
    run.signal.throwIfAborted()
    if (!isSpeechError(error) || noFallbackCodes.has(error.code)) throw error
    run.warn(`Times could not be measured and are estimated. ${describeError(error)}`)
    // `partial`: the same request again retries the measurement, and takes the text from the cache.
    return { ...(await transcribeOpened(opened, given, ports, run, onFound, hearing)), status: 'partial' }
  }
}

function segmentsOf(recognition: FileRecognition | undefined, withWords: boolean): Segment[] {
  return (recognition?.sentences ?? []).map(({ start, end, text, language, words }) => ({
    start,
    end,
    text: text.trim(),
    estimated: false,
    ...(language && { language }),
    ...(withWords && words && { words: words.map(word => ({ ...word, text: word.text.trim() })) }),
  }))
}
