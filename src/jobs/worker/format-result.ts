// Formats the text of a job before the job ends, if that was requested. A failure becomes a warning, never a failed job.
import { setMaxListeners } from 'node:events'
import { describeError, isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { Run } from '../../domain/run.ts'
import type { Style } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import { type FormatPorts, formatSegments } from '../../pipeline/formatting/format-text.ts'
import type { Findings } from '../../pipeline/pipeline.ts'
import type { JobContext } from '../context.ts'
import { unformattedWarning } from '../view/format-warnings.ts'
import { isTooShort, isWorthStoring, type StoredFormat } from '../view/formatted.ts'
import type { Draft } from './draft.ts'
import type { LeasedJob } from './leased-job.ts'

export interface FormatResultOptions extends Pick<JobContext, 'repository'> {
  leased: LeasedJob
  draft: Draft
  pipeline: FormatPorts
  run: Run
}

/** The job ends without formatted text after this time, or this share of the recording, whichever is longer. */
const maxFormatSeconds = 300
const maxFormatShare = 0.1

/** Throws only the signal's reason. */
export async function formatResult(findings: Findings, options: FormatResultOptions): Promise<void> {
  const { leased, draft, repository, run } = options
  // The format may have been requested while the job ran.
  const { owner, id, request } = await leased.refresh()
  if (request.format === undefined || isTooShort(findings)) return
  const soFar: Findings = { ...findings, status: 'running' }
  draft.setFindings(() => soFar)
  await draft.save('running', soFar).catch(error => log.error('not-saved', { id, error: error?.name }))

  try {
    const result = await format(findings, request.format, options)
    if (!isWorthStoring(result.formatted)) draft.warn(unformattedWarning(result.formatted.warnings.join(' ')))
    else if (await leased.isHeld()) await repository.saveFormat(owner, id, result)
  } catch (error) {
    run.signal.throwIfAborted()
    if (!isSpeechError(error)) log.error('not-formatted', { id, error: (error as Error)?.name })
    draft.warn(unformattedWarning(describeError(error)))
  }
}

async function format(
  { segments, language, duration }: Findings,
  style: Style,
  { draft, pipeline, run }: FormatResultOptions,
): Promise<StoredFormat> {
  const limit = new AbortController()
  const signal = AbortSignal.any([run.signal, limit.signal])
  // Each request adds a listener: many at once are no leak.
  setMaxListeners(0, signal)
  const maxMs = 1000 * Math.max(maxFormatSeconds, maxFormatShare * duration)
  const timer = setTimeout(() => limit.abort(tooLong()), maxMs)
  const report = (share: number) =>
    draft.report({ done: duration, total: duration, message: `Formatting, ${Math.floor(100 * share)} %` })
  report(0)
  const { owner, checkpoints, budget } = run
  const progress: Run['progress'] = ({ done, total }) => report(total ? Math.min(1, done / total) : 0)
  try {
    const options = { style, language }
    const formatRun = { owner, signal, progress, checkpoints, budget }
    const formatted = await formatSegments(segments, options, pipeline, formatRun)
    return { formatted, language }
  } finally {
    clearTimeout(timer)
  }
}

function tooLong(): SpeechError {
  return new SpeechError('PROVIDER_TIMEOUT', 'Formatting took too long.', {
    hint: 'Call format_text to continue; finished parts are not billed again.',
  })
}
