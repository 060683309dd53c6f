// Has what a job found formatted before the job ends, where somebody wants that; it never costs the job its end.
import { setMaxListeners } from 'node:events'
import { describeError, isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { Run } from '../../domain/run.ts'
import type { Style } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import { type FormatPorts, formatSegments } from '../../pipeline/formatting/format-text.ts'
import type { Findings } from '../../pipeline/transcribe.ts'
import type { Ledger } from '../records/job-repository.ts'
import { isShort, isWorthKeeping, type KeptFormat, tellUnformatted } from '../view/formatted.ts'
import type { Draft } from './draft.ts'
import type { Fence } from './leased-job.ts'

export interface FormatFindingsHouse {
  fence: Fence
  draft: Draft
  ledger: Ledger
  pipeline: FormatPorts
  run: Run
}

/** The job ends without it when it takes longer than so many seconds, or than this share of the recording. */
const longestTime = 300
const longestShare = 0.1

/** What goes wrong becomes a warning. Throws only the signal's reason. */
export async function formatFindings(findings: Findings, house: FormatFindingsHouse): Promise<void> {
  const { fence, draft, ledger, run } = house
  // Somebody may have wished for it while it was under way.
  const { owner, id, order } = await fence.look()
  if (order.format === undefined || isShort(findings)) return
  const soFar: Findings = { ...findings, status: 'running' }
  draft.found(() => soFar)
  await draft.save('running', soFar)

  try {
    const kept = await formatted(findings, order.format, house)
    if (!isWorthKeeping(kept.formatted)) draft.warn(tellUnformatted(kept.formatted.warnings.join(' ')))
    else if (await fence.isOurs()) await ledger.keepFormat(owner, id, kept)
  } catch (error) {
    run.signal.throwIfAborted()
    if (!isSpeechError(error)) log.error('not-formatted', { id, error: (error as Error)?.name })
    draft.warn(tellUnformatted(describeError(error)))
  }
}

async function formatted(
  { segments, language, duration }: Findings,
  style: Style,
  { draft, pipeline, run }: FormatFindingsHouse,
): Promise<KeptFormat> {
  const wish = { style, ...(language !== undefined && { language }) }
  const limit = new AbortController()
  const signal = AbortSignal.any([run.signal, limit.signal])
  // Each request listens to it: many at once are no leak.
  setMaxListeners(0, signal)
  const time = 1000 * Math.max(longestTime, longestShare * duration)
  const timer = setTimeout(() => limit.abort(tooLong()), time)
  const tell = (share: number) =>
    draft.moved({ done: duration, total: duration, message: `Formatting, ${Math.floor(100 * share)} %` })
  tell(0)
  const { checkpoints } = run
  const progress: Run['progress'] = ({ done, total }) => tell(total ? Math.min(1, done / total) : 0)
  try {
    const formatted = await formatSegments(segments, wish, pipeline, { signal, progress, checkpoints })
    return { formatted, ...(language !== undefined && { language }) }
  } finally {
    clearTimeout(timer)
  }
}

function tooLong(): SpeechError {
  return new SpeechError('PROVIDER_TIMEOUT', 'It took too long.', {
    hint: 'Call format_text to go on with it; what is done is kept.',
  })
}
