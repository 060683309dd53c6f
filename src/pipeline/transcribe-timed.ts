// The story of one recording with measured times: one pass over an upload, and chunks where that is not to be had.
import { describeError, isSpeechError } from '../domain/errors.ts'
import { languageHint } from '../domain/languages.ts'
import type { FileRecognition } from '../domain/ports.ts'
import type { Segment } from '../domain/transcript.ts'
import { fileResult, textWarnings } from './file-tasks/file-result.ts'
import { type PassResults, runPasses } from './file-tasks/passes.ts'
import type { Pipeline } from './pipeline.ts'
import { openSource } from './source/source.ts'
import { transcribeOpened } from './transcribe.ts'

/** With these chunks would not fare better, or nobody would want them. */
const endsAll = new Set([
  ...[
    'CANCELLED',
    'KEY_MISSING',
    'KEY_REFUSED',
    'ACCOUNT_IN_ARREARS',
    'COST_TOO_HIGH',
    'RECORDING_CHANGED',
    'TASK_TIMEOUT',
    'SUBMIT_UNCLEAR',
  ],
  ...['NOT_AUDIO', 'NO_AUDIO_TRACK', 'UNSUPPORTED_CODEC', 'PLAYLIST_REFUSED', 'FILE_UNREADABLE'],
])

export const transcribeTimed: Pipeline = async (order, ports, run, onFound) => {
  const hint = languageHint(order.language)
  const passes = [{ recogniser: ports.fileRecogniser, ...(hint.code && { language: hint.code }) }]
  const source = await openSource(order, ports, run)
  const told = (heards: PassResults, isOver: boolean) => {
    const segments = segmentsOf(heards.passes[0]?.recognition, order.timestamps === 'word')
    return fileResult({ segments }, { order, source, ports, passes, results: heards, isOver })
  }
  try {
    const heards = await runPasses(passes, { order, source, ports, run, onPassDone: () => {} })
    if (hint.warning) run.warn(hint.warning)
    const findings = told(heards, true)
    onFound(() => findings)
    for (const remark of textWarnings(heards, findings.segments)) run.warn(remark)
    return findings
  } catch (error) {
    run.signal.throwIfAborted()
    if (!isSpeechError(error) || endsAll.has(error.code)) throw error
    run.warn(`Times could not be measured and are estimated. ${describeError(error)}`)
    // The same order again tries to measure them, and finds the text in what was kept.
    return { ...(await transcribeOpened(source, order, ports, run, onFound)), status: 'partial' }
  }
}

function segmentsOf(hearing: FileRecognition | undefined, withWords: boolean): Segment[] {
  return (hearing?.sentences ?? []).map(({ start, end, text, language, words }) => ({
    start,
    end,
    text: text.trim(),
    estimated: false,
    ...(language && { language }),
    ...(withWords && words && { words: words.map(word => ({ ...word, text: word.text.trim() })) }),
  }))
}
