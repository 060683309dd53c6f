// Text is made readable on behalf of a call: a transcript's, kept beside it, or one that was given.
import { SpeechError } from '../../domain/errors.ts'
import { isOver, type Job } from '../../domain/job.ts'
import type { Store } from '../../domain/ports.ts'
import type { Transcript } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import {
  type FormatOptions,
  type FormatPorts,
  type FormattedText,
  formatSegments,
  segmentsHash,
} from '../../pipeline/formatting/format-text.ts'
import type { Changes } from '../records/changes.ts'
import { createCheckpoints } from '../records/checkpoints.ts'
import { type Ledger, notFound } from '../records/job-repository.ts'
import { isCurrent, isWorthKeeping, type KeptFormat, toldUnformatted } from '../view/formatted.ts'
import type { WatchOptions } from '../watch.ts'
import { createErrands, type ErrandRun } from './single-flight.ts'
import { createGivenTexts } from './text-formatting.ts'

/** Either the id of a transcript, or a text. */
export type FormatRequest = FormatOptions & ({ transcriptId: string } | { text: string })

export interface FormatResult {
  /** `running`: the time was up; the same order again goes on with it. */
  status: 'completed' | 'running'
  /** Of a text that was given: what there is of it. */
  text?: FormattedText
  /** True when nothing was left to do: this call has cost nothing. */
  answered: boolean
  /** Why a transcript has not been formatted, where nothing of it could be; otherwise its `formatted` tells. */
  warnings: string[]
}

export interface Formatter {
  format(order: FormatRequest, watch: WatchOptions): Promise<FormatResult>
  /** Stops what is under way for a transcript, and resolves when nothing more of it is written. */
  stop(owner: string, id: string): Promise<void>
  close(): Promise<void>
}

export interface FormatHouse {
  store: Store
  ledger: Ledger
  changes: Changes
  pipeline: FormatPorts
  /** Aborted when the process stops: whoever waits is answered with what is there. */
  closing: AbortSignal
  /** Waits for a job like any other call. */
  watchJob(id: string, watch: WatchOptions): Promise<Job>
}

/** Texts up to this length, in characters (UTF-16 units), are answered within the call. */
const brief = 4_000
/** Many clients give up after a minute. In seconds. */
const longestWait = 50

const running: FormatResult = { status: 'running', answered: false, warnings: [] }
const done: FormatResult = { status: 'completed', answered: false, warnings: [] }

export function createFormatter(house: FormatHouse): Formatter {
  const { store, ledger, changes, pipeline, watchJob } = house
  const errands = createErrands<FormatResult>(house)
  const texts = createGivenTexts(pipeline)

  async function formatText(text: string, wish: FormatOptions, watch: WatchOptions): Promise<FormatResult> {
    const name = texts.nameOf(watch.owner, text, wish)
    const known = errands.has(name) ? undefined : texts.known(name)
    if (known) return { ...done, text: known, answered: true }
    const work = async (run: ErrandRun<FormatResult>) => {
      const onText = (now: () => FormattedText) => run.soFar(() => ({ ...running, text: now() }))
      return { ...done, text: await texts.format(text, wish, name, run, onText) }
    }
    const state = await errands.attend(name, work, patient(watch, text.length))
    return state ?? { ...running, text: texts.untouched(text, wish.style) }
  }

  async function formatTranscript(
    id: string,
    wish: FormatOptions,
    watch: WatchOptions,
  ): Promise<FormatResult> {
    const { owner } = watch
    const began = performance.now()
    const job = await ledger.job(owner, id).catch(() => undefined)
    const wasUnderWay = job !== undefined && !isOver(job.state)
    if (wasUnderWay && !(await awaitJob(id, wish, watch))) return running

    const left = watch.seconds && Math.max(0, watch.seconds - (performance.now() - began) / 1000)
    const rest = { ...watch, ...(left !== undefined && { seconds: left }) }
    const name = { owner, subject: id, wish: JSON.stringify([wish.style, wish.language ?? '']) }
    const transcript = await ledger.transcript(owner, id)
    if (!transcript && !job) throw notFound()
    if (!transcript || transcript.segments.length === 0)
      return { ...done, answered: true, warnings: ['There is no text to format.'] }
    if (!errands.has(name)) {
      const found = await answerFrom(transcript, wish, owner, wasUnderWay)
      if (found) return found
    }
    const work = (run: ErrandRun<FormatResult>) => carryOut(transcript, wish, owner, run)
    const size = transcript.segments.reduce((sum, { text }) => sum + text.length, 0)
    const state = (await errands.attend(name, work, patient(rest, size))) ?? running
    // An outcome that waited for its reader may be of other words, or have given way to another style.
    const isStale =
      state.status === 'completed' && state.warnings.length === 0 && !(await isKept(transcript, wish, owner))
    return isStale ? ((await errands.attend(name, work, patient(rest, size))) ?? running) : state
  }

  async function isKept(transcript: Transcript, { style }: FormatOptions, owner: string): Promise<boolean> {
    const [kept, now] = await Promise.all([
      ledger.format(owner, transcript.id),
      ledger.transcript(owner, transcript.id),
    ])
    return isCurrent(kept, now ?? transcript, style)
  }

  /** The job's worker heeds the wish at the end. Resolves with false when the time is up before that. */
  async function awaitJob(id: string, { style }: FormatOptions, watch: WatchOptions): Promise<boolean> {
    const { owner, signal, disconnectReason = () => 'cancelled' as const } = watch
    const withdraw = await leaveWish(owner, id, style)
    // Whoever has ordered the recording still wants it.
    const end = await watchJob(id, { ...watch, disconnectReason: () => 'gone' }).catch(async error => {
      if (signal.aborted && disconnectReason() === 'cancelled') await withdraw().catch(() => {})
      throw error
    })
    if (end.state === 'cancelled')
      throw new SpeechError('CANCELLED', 'Somebody cancelled the transcription while it was under way.', {
        hint: 'Call format_text again to have formatted what there is.',
      })
    return isOver(end.state)
  }

  /** The answer takes the wish away, unless there has been another one since. */
  async function leaveWish(owner: string, id: string, style: FormatOptions['style']) {
    let before: Job['order'] | undefined
    await ledger.update(owner, id, ({ state, order }) => {
      before = isOver(state) || order.format === style ? undefined : order
      return before && { order: { ...order, format: style } }
    })
    return async () => {
      if (!before) return
      const { format } = before
      await ledger.update(owner, id, ({ state, order: { format: now, ...order } }) =>
        isOver(state) || now !== style ? undefined : { order: { ...order, ...(format && { format }) } },
      )
    }
  }

  /** Undefined where there is something left to do. */
  async function answerFrom(
    transcript: Transcript,
    { style, language }: FormatOptions,
    owner: string,
    wasUnderWay: boolean,
  ): Promise<FormatResult | undefined> {
    const kept = await ledger.format(owner, transcript.id)
    if (isCurrent(kept, transcript, style)) {
      if (language !== undefined && language !== kept.language) return undefined
      // What the job's worker has tried a moment ago is not tried once more.
      if (wasUnderWay) return done
      return kept.formatted.failed === 0 ? { ...done, answered: true } : undefined
    }
    const told = wasUnderWay ? toldUnformatted(transcript) : []
    return told.length > 0 ? { ...done, warnings: told } : undefined
  }

  async function carryOut(
    { id, segments, language: heard }: Transcript,
    { style, language = heard }: FormatOptions,
    owner: string,
    { signal, progress }: ErrandRun<FormatResult>,
  ): Promise<FormatResult> {
    const began = performance.now()
    const wish = { style, ...(language !== undefined && { language }) }
    const checkpoints = createCheckpoints(store, owner, id)
    try {
      const formatted = await formatSegments(segments, wish, pipeline, { signal, progress, checkpoints })
      if (!isWorthKeeping(formatted)) return { ...done, warnings: formatted.warnings }
      const { pieces, failed } = formatted
      log.info('formatted', { id, pieces, failed, took: Math.round(performance.now() - began) })
      return await keep(owner, id, { formatted, ...(language !== undefined && { language }) })
    } finally {
      // Whoever removes it elsewhere could not know what was being written here.
      if (await isGone(owner, id)) await store.deleteCheckpoints(owner, id).catch(() => {})
    }
  }

  async function keep(owner: string, id: string, kept: KeptFormat): Promise<FormatResult> {
    const now = await ledger.transcript(owner, id)
    if (!now) throw notFound()
    // What was made of the new words meanwhile must not give way to this.
    if (segmentsHash(now.segments) !== kept.formatted.of)
      return {
        ...done,
        warnings: ['The words changed while they were formatted. Call format_text again.'],
      }
    await ledger.keepFormat(owner, id, kept)
    changes.tell({ owner, id, listChanged: false })
    return done
  }

  async function isGone(owner: string, id: string): Promise<boolean> {
    try {
      return !(await ledger.transcript(owner, id)) && !(await ledger.job(owner, id))
    } catch {
      return false
    }
  }

  return {
    format({ style, language, ...of }, watch) {
      const wish = { style, ...(language !== undefined && { language }) }
      return 'text' in of ? formatText(of.text, wish, watch) : formatTranscript(of.transcriptId, wish, watch)
    },
    stop: errands.stop,
    close: errands.close,
  }
}

function patient(watch: WatchOptions, characters: number): WatchOptions {
  const { seconds } = watch
  if (seconds === undefined || characters > brief) return watch
  return { ...watch, seconds: Math.max(seconds, longestWait) }
}
