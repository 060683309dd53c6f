// Results about a batch: its plan, and the list of its recordings with what became of each.
import {
  type BatchItem,
  type BatchPlan,
  type BatchView,
  isPriceOpen,
  type RecordingEnd,
} from '../../domain/batch/batch.ts'
import { formatTime } from '../../domain/format-time.ts'
import type { JobTool } from '../../domain/job.ts'
import { asLine, plural } from '../../domain/text.ts'
import type { Agreement } from '../orders/agreement.ts'
import type { ToolAnswer } from '../tool.ts'
import { transcriptUri } from '../uris.ts'
import { usd } from './formatting.ts'
import { resourceLink } from './links.ts'

/** Recordings on a page of a batch, or of its plan. */
const pageSize = 100
const maxLinks = 25
const maxNamed = 20

/** For a person: how many, how long, and what it costs at most. */
export function priceQuestion(plan: BatchPlan, mostUsd: number | undefined): string {
  const { recordings, newSeconds, usd: price, unknownLengths } = plan
  const rest = recordings.filter(({ state }) => state !== 'done').length
  const done = recordings.length - rest
  const cost = mostUsd === undefined ? 'at a price that is not known' : `for at most ${usd(mostUsd)}`
  return [
    `Transcribe ${plural(rest, 'recording')}, ${formatTime(newSeconds)} of audio, ${cost}?`,
    ...(done > 0 ? [`${done} more ${done === 1 ? 'is' : 'are'} there already, at no cost.`] : []),
    ...(unknownLengths > 0 ? [`The length of ${plural(unknownLengths, 'recording')} is not known.`] : []),
    ...(isPriceOpen(plan) && price !== undefined
      ? [`The others cost at most ${usd(price)}; the whole amount is a limit, no estimate.`]
      : []),
  ].join(' ')
}

/** The time was up before the plan was made. */
export function planningAnswer(tool: JobTool): ToolAnswer {
  const text = 'The recordings are still being read; nothing was begun or billed.'
  const next = `Repeat the same ${tool} call to wait for the plan.`
  return {
    structured: { status: 'running', duration: 0, text, warnings: [], next_step: next },
    text: ['status: running', text, '', `next step: ${next}`].join('\n'),
  }
}

export function planAnswer(
  { plan, mostUsd }: { plan: BatchPlan; mostUsd: number | undefined },
  tool: JobTool,
  agreement: Agreement,
): ToolAnswer {
  const { recordings, copies, unreadable, seconds, newSeconds } = plan
  const shown = recordings.slice(0, pageSize)
  const more = recordings.length - shown.length
  const next = nextStepOfPlan({ plan, mostUsd }, tool, agreement)
  const warnings = warningsOf(plan)
  const lines = [
    priceQuestion(plan, mostUsd),
    ...shown.map(planLine),
    ...(more > 0 ? [`… and ${plural(more, 'more recording')}`] : []),
  ]
  const text = lines.join('\n')
  return {
    structured: {
      status: 'planned',
      duration: seconds,
      text,
      recordings: shown.map(one => ({
        name: one.name,
        ...(one.seconds !== undefined && { duration: one.seconds }),
        state: one.state,
        ...(one.state === 'done' && { transcript_id: one.id }),
      })),
      counts: { recordings: recordings.length, copies: copies.length, unreadable: unreadable.length },
      new_seconds: newSeconds,
      ...(mostUsd !== undefined && { max_usd: mostUsd }),
      warnings,
      next_step: next,
    },
    text: [
      'status: planned',
      text,
      ...warnings.map(each => `warning: ${each}`),
      '',
      `next step: ${next}`,
    ].join('\n'),
  }
}

function nextStepOfPlan(
  { plan, mostUsd }: { plan: BatchPlan; mostUsd: number | undefined },
  tool: JobTool,
  { canAsk, usd: agreedUsd }: Agreement,
): string {
  if (canAsk)
    return agreedUsd === undefined
      ? 'The user has not agreed, so nothing was begun.'
      : `The amount of the user, ${usd(agreedUsd)}, is too low, so nothing was begun. The same ${tool} call asks again.`
  const { usd: price = 0 } = plan
  const repeat = `repeat the ${tool} call with confirm_usd`
  const begun = 'Nothing was begun or billed.'
  if (mostUsd === undefined)
    return `${begun} Ask the user how many US dollars it may cost at most; then ${repeat} set to that amount, more than ${price}.`
  const lower = isPriceOpen(plan) ? `, or with a lower amount that they name, more than ${price}` : ''
  return `${begun} Tell the user this price; once they agree, ${repeat}=${mostUsd}${lower}.`
}

function planLine({ name, seconds, state, usd: price, id }: BatchPlan['recordings'][number]): string {
  const length = seconds === undefined ? 'length unknown' : formatTime(seconds)
  const cost =
    state === 'done' ? `done, transcript_id: ${id}` : price === undefined ? '' : `at most ${usd(price)}`
  return [asLine(name), length, cost].filter(Boolean).join(' · ')
}

/** Copies, and the sources that cannot be read, each with its reason. */
function warningsOf({ copies, unreadable }: Pick<BatchPlan, 'copies' | 'unreadable'>): string[] {
  const more = (n: number) => (n > maxNamed ? [`And ${n - maxNamed} more.`] : [])
  return [
    ...copies
      .slice(0, maxNamed)
      .map(({ name, of }) => `"${asLine(name)}" is the same recording as "${asLine(of)}".`),
    ...more(copies.length),
    ...unreadable
      .slice(0, maxNamed)
      .map(({ given, error }) => `"${asLine(given)}" cannot be read: ${error.code}, ${error.message}`),
    ...more(unreadable.length),
  ]
}

/** `offset` counts recordings. */
export function batchAnswer(batch: BatchView, offset = 0): ToolAnswer {
  const { id, title, tool, state, items, progress, agreedUsd, error, waitsForModels } = batch
  const status = state === 'queued' ? 'running' : state
  const page = items.slice(offset, offset + pageSize)
  const nextOffset = offset + pageSize < items.length ? offset + pageSize : undefined
  const ends = items.flatMap(({ end }) => end ?? [])
  const spent = ends.reduce((sum, { costUsd = 0 }) => sum + costUsd, 0)
  const seconds = items.reduce((sum, { end, seconds = 0 }) => sum + (end?.seconds ?? seconds), 0)
  const warnings = [
    ...warningsOf(batch),
    ...(error ? [`${error.code}: ${error.message} ${error.hint}`] : []),
    ...(waitsForModels
      ? [`It waits for a server with ${waitsForModels.join(', ')}: its price was agreed to for them.`]
      : []),
  ]
  const next = nextStep(batch, status, nextOffset)
  const text = page.map(itemLine).join('\n')
  const done = progress?.message ?? `${ends.length} of ${plural(items.length, 'recording')} done`
  return {
    structured: {
      status,
      transcript_id: id,
      title,
      duration: seconds,
      text,
      recordings: page.map(recordingOf),
      ...(nextOffset !== undefined && { next_offset: nextOffset }),
      progress: done,
      cost_usd: spent,
      ...(agreedUsd !== undefined && { max_usd: agreedUsd }),
      warnings,
      ...(next && { next_step: next }),
    },
    text: [
      `Batch "${title}" (${tool})`,
      `status: ${status}`,
      `transcript_id: ${id}`,
      done,
      `cost: ${usd(spent)}${agreedUsd === undefined ? '' : ` of at most ${usd(agreedUsd)}`}`,
      ...warnings.map(warning => `warning: ${warning}`),
      '',
      text,
      ...(next ? ['', `next step: ${next}`] : []),
    ].join('\n'),
    links: page
      .filter(({ end }) => hasText(end))
      .slice(0, maxLinks)
      .map(({ id, name }) => resourceLink({ id, title: asLine(name) })),
  }
}

const hasText = (end: RecordingEnd | undefined) => end?.state === 'completed' || end?.state === 'partial'

/** Name, length, speakers, gaps and error on one line. */
function itemLine({ id, name, seconds, end }: BatchItem): string {
  const length = end?.seconds ?? seconds
  const facts = [
    asLine(name),
    end?.state ?? 'waiting',
    ...(length === undefined ? [] : [formatTime(length)]),
    ...(end?.speakers
      ? [end.speakers.length > 0 ? `speakers ${end.speakers.map(asLine).join(', ')}` : 'no speakers']
      : []),
    ...(end?.gaps ? [plural(end.gaps, 'gap')] : []),
    ...(end?.error ? [`${end.error.code}: ${end.error.message}`] : []),
    ...(hasText(end) ? [`transcript_id: ${id}`] : []),
  ]
  return facts.join(' · ')
}

function recordingOf({ id, name, seconds, end }: BatchItem) {
  const duration = end?.seconds ?? seconds
  return {
    name,
    status: end?.state ?? 'waiting',
    ...(duration !== undefined && { duration }),
    ...(hasText(end) && { transcript_id: id, uri: transcriptUri(id) }),
    ...(end?.speakers && { speakers: end.speakers }),
    ...(end?.gaps && { gaps: end.gaps }),
    ...(end?.error && { error: `${end.error.code}: ${end.error.message} ${end.error.hint}` }),
  }
}

function nextStep(
  { id, tool, waitsForModels }: BatchView,
  status: string,
  nextOffset: number | undefined,
): string | undefined {
  const steps = [
    nextOffset !== undefined &&
      `More follow: call get_transcript with transcript_id=${id}, offset=${nextOffset}.`,
    waitsForModels &&
      `If no server has them, set ASR_MODEL, SPEAKER_MODEL or FILE_MODEL as before; or call cancel_transcription with transcript_id=${id} and order the recordings again.`,
    status === 'running' &&
      `The work continues: call get_transcript with transcript_id=${id} to wait for it.`,
    status !== 'running' &&
      status !== 'completed' &&
      `Repeat the same ${tool} call to retry what is missing; what is done is not billed again.`,
  ]
  return steps.filter(Boolean).join(' ') || undefined
}
