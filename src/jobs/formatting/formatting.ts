// Formats text on behalf of a call: the text of a transcript, stored beside it, or a text that is passed.
import { randomUUID } from 'node:crypto'
import { SpeechError } from '../../domain/errors.ts'
import { isOver, type Job } from '../../domain/job.ts'
import type { Transcript } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import {
  type FormatOptions,
  type FormattedText,
  formatSegments,
  segmentsHash,
} from '../../pipeline/formatting/format-text.ts'
import type { JobBasis } from '../context.ts'
import { createCheckpoints } from '../records/checkpoints.ts'
import { notFound } from '../records/job-repository.ts'
import { timeLeft } from '../time-left.ts'
import { unformattedWarnings } from '../view/format-warnings.ts'
import { isCurrent, isWorthStoring, type StoredFormat } from '../view/formatted.ts'
import type { WatchOptions } from '../watch.ts'
import { createSingleFlight, type FlightKey, type FlightRun } from './single-flight.ts'
import { createTextFormatting } from './text-formatting.ts'

/** Either the id of a transcript, or a text. */
export type FormatRequest = FormatOptions & ({ transcriptId: string } | { text: string })

export interface FormatResult {
  /** `running`: the time was up; the same request again continues. */
  status: 'completed' | 'running'
  /** For a text that was passed: the text so far. */
  text?: FormattedText
  /** True when nothing was left to do: this call has cost nothing. */
  cached: boolean
  /** Why no part of a transcript could be formatted; otherwise its `formatted` has the warnings. */
  warnings: string[]
}

/** Waits for a job like any other call. */
type WatchJob = (id: string, watch: WatchOptions) => Promise<Job>

/** Texts up to this length, in characters (UTF-16 units), are answered within the call. */
const shortTextChars = 4_000
const maxTextsPerOwner = 100
const outcomeMs = 600_000

const running: FormatResult = { status: 'running', cached: false, warnings: [] }
const done: FormatResult = { status: 'completed', cached: false, warnings: [] }

export function createFormatter(context: JobBasis, watchJob: WatchJob) {
  const { store, repository, changes, pipeline, openBudget } = context
  const flights = createSingleFlight<FormatResult>(context, {
    maxPerOwner: maxTextsPerOwner,
    busy: `${maxTextsPerOwner} texts are being formatted already.`,
    outcomeMs,
  })
  const texts = createTextFormatting(pipeline, openBudget)

  async function formatPassedText(text: string, options: FormatOptions, watch: WatchOptions) {
    const key = texts.keyOf(watch.owner, text, options)
    const cached = flights.has(key) ? undefined : texts.cached(key)
    if (cached) return { ...done, text: cached, cached: true }
    const work = async (run: FlightRun<FormatResult>) => {
      const onText = (now: () => FormattedText) => run.setPartial(() => ({ ...running, text: now() }))
      return { ...done, text: await texts.format(text, options, key, run, onText) }
    }
    const result = await flights.join(key, work, waitingForShort(watch, text.length))
    return result ?? { ...running, text: texts.unformatted(text, options.style) }
  }

  async function formatTranscript(id: string, options: FormatOptions, watch: WatchOptions) {
    const { owner } = watch
    const started = performance.now()
    const job = await repository.get(owner, id).catch(() => undefined)
    const wasUnderWay = job !== undefined && !isOver(job.state)
    if (wasUnderWay && !(await awaitJob(id, options, watch))) return running

    const { style, language = '' } = options
    const key: FlightKey = { owner, subject: id, options: JSON.stringify([style, language]) }
    const transcript = await repository.getTranscript(owner, id)
    if (!transcript && !job) throw notFound()
    if (!transcript || transcript.segments.length === 0)
      return { ...done, cached: true, warnings: ['There is no text to format.'] }
    if (!flights.has(key)) {
      const found = await cachedResult(transcript, options, owner, wasUnderWay)
      if (found) return found
    }
    const work = (run: FlightRun<FormatResult>) => formatAndStore(transcript, options, owner, run)
    const chars = transcript.segments.reduce((sum, { text }) => sum + text.length, 0)
    const rest = waitingForShort(timeLeft(watch, started), chars)
    const result = (await flights.join(key, work, rest)) ?? running
    // An outcome that waited for its reader may have other words by now, or another style was formatted since.
    const isStale =
      result.status === 'completed' &&
      result.warnings.length === 0 &&
      !(await isStored(transcript, options, owner))
    return isStale ? ((await flights.join(key, work, rest)) ?? running) : result
  }

  async function isStored(transcript: Transcript, { style }: FormatOptions, owner: string): Promise<boolean> {
    const [stored, now] = await Promise.all([
      repository.getFormat(owner, transcript.id),
      repository.getTranscript(owner, transcript.id),
    ])
    return isCurrent(stored, now ?? transcript, style)
  }

  /** The job's worker formats the text at the end. Resolves with false when the time is up before that. */
  async function awaitJob(id: string, { style }: FormatOptions, watch: WatchOptions): Promise<boolean> {
    const { owner, signal, disconnectReason = () => 'cancelled' as const } = watch
    const withdraw = await requestFormat(owner, id, style)
    // The caller that submitted the job still wants its transcript.
    const end = await watchJob(id, { ...watch, disconnectReason: () => 'detached' }).catch(async error => {
      if (signal.aborted && disconnectReason() === 'cancelled') await withdraw().catch(() => {})
      throw error
    })
    if (end.state === 'cancelled')
      throw new SpeechError('CANCELLED', 'The transcription was cancelled while it was under way.', {
        hint: 'Call format_text again to format what there is.',
      })
    return isOver(end.state)
  }

  /** Adds the format to an unfinished job. The returned function withdraws it, unless another one was requested since. */
  async function requestFormat(owner: string, id: string, style: FormatOptions['style']) {
    let before: Job['request'] | undefined
    await repository.update(owner, id, ({ state, request }) => {
      before = isOver(state) || request.format === style ? undefined : request
      return before && { request: { ...request, format: style } }
    })
    return async () => {
      if (!before) return
      const { format } = before
      await repository.update(owner, id, ({ state, request: { format: now, ...request } }) =>
        isOver(state) || now !== style ? undefined : { request: { ...request, ...(format && { format }) } },
      )
    }
  }

  /** Undefined where something is left to do. */
  async function cachedResult(
    transcript: Transcript,
    { style, language }: FormatOptions,
    owner: string,
    wasUnderWay: boolean,
  ): Promise<FormatResult | undefined> {
    const stored = await repository.getFormat(owner, transcript.id)
    if (isCurrent(stored, transcript, style)) {
      if (language !== undefined && language !== stored.language) return undefined
      // Formatting that the job's worker has just tried is not repeated.
      if (wasUnderWay) return done
      return stored.formatted.failed === 0 ? { ...done, cached: true } : undefined
    }
    const warnings = wasUnderWay ? unformattedWarnings(transcript) : []
    return warnings.length > 0 ? { ...done, warnings } : undefined
  }

  async function formatAndStore(
    { id, segments, language: recognised }: Transcript,
    { style, language = recognised }: FormatOptions,
    owner: string,
    { signal, progress }: FlightRun<FormatResult>,
  ): Promise<FormatResult> {
    const started = performance.now()
    const checkpoints = createCheckpoints(store, owner, id)
    const budget = openBudget(owner, randomUUID())
    try {
      const options = { style, language }
      const run = { owner, signal, progress, checkpoints, budget }
      const formatted = await formatSegments(segments, options, pipeline, run)
      if (!isWorthStoring(formatted)) return { ...done, warnings: formatted.warnings }
      const { pieces, failed } = formatted
      log.info('formatted', { id, pieces, failed, took: Math.round(performance.now() - started) })
      return await save(owner, id, { formatted, language })
    } finally {
      await budget.close()
      // A process that removes the transcript elsewhere cannot know what this one was writing.
      if (await wasRemoved(owner, id)) await store.deleteCheckpoints(owner, id).catch(() => {})
    }
  }

  async function save(owner: string, id: string, format: StoredFormat): Promise<FormatResult> {
    const now = await repository.getTranscript(owner, id)
    if (!now) throw notFound()
    // It must not replace a format of the new words.
    if (segmentsHash(now.segments) !== format.formatted.of)
      return { ...done, warnings: ['The words changed while they were formatted. Call format_text again.'] }
    await repository.saveFormat(owner, id, format)
    changes.publish({ owner, id, listChanged: false })
    return done
  }

  async function wasRemoved(owner: string, id: string): Promise<boolean> {
    try {
      return !(await repository.getTranscript(owner, id)) && !(await repository.get(owner, id))
    } catch {
      return false
    }
  }

  return {
    format({ style, language, ...of }: FormatRequest, watch: WatchOptions): Promise<FormatResult> {
      const options = { style, language }
      return 'text' in of
        ? formatPassedText(of.text, options, watch)
        : formatTranscript(of.transcriptId, options, watch)
    },
    /** Stops the formatting of a transcript, and resolves when nothing more of it is written. */
    stop: flights.stop,
    close: flights.close,
  }
}

function waitingForShort(watch: WatchOptions, characters: number): WatchOptions {
  const { seconds, shortSeconds = seconds } = watch
  return { ...watch, seconds: characters > shortTextChars ? seconds : shortSeconds }
}
