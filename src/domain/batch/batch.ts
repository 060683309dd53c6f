// A batch: several recordings that are ordered as one, from the plan to the end of each.
import type { ErrorCode } from '../errors.ts'
import type { Job } from '../job.ts'

/** `done` costs nothing; `begun` at most as much as `new`, since its finished parts are not billed again. */
export type PlannedState = 'new' | 'begun' | 'done'

/** A recording of a plan: its content is known, and what it is called here. */
export interface PlannedRecording {
  /** Real path, URL or data: URI. */
  audio: string
  /** Path from the folder that was named, else the name of the file or the address. */
  name: string
  /** Id of its job and transcript. */
  id: string
  /** Equal for equal recordings. */
  content: string
  state: PlannedState
  bytes?: number
  /** Length by its header; absent where that is unknown before it is decoded or downloaded. */
  seconds?: number
  /** US dollars that earlier attempts have paid for one that is begun; absent: none, or unknown. */
  paidUsd?: number
  /** Upper estimate in US dollars, 0 for one that is done; absent where length or price is unknown. */
  usd?: number
}

/** A recording whose content another one of the plan has: it is not transcribed, nor billed, a second time. */
export interface CopiedRecording {
  audio: string
  name: string
  /** Of the transcript, which both have. */
  id: string
  /** Name of the one that stands for it. */
  of: string
}

export interface FailedRecording {
  /** The path or address as given, or a path in a given folder. */
  given: string
  error: NonNullable<Job['error']>
}

export interface BatchPlan {
  recordings: PlannedRecording[]
  copies: CopiedRecording[]
  /** Sources and files that cannot be read. */
  unreadable: FailedRecording[]
  /** Of all recordings whose length is known, and of those that are not done. */
  seconds: number
  newSeconds: number
  /** Upper estimate for what is not done, in US dollars; absent where the price of a model is unknown. */
  usd?: number
  /** Recordings to pay for whose length is unknown, which `usd` leaves out. */
  unknownLengths: number
}

/** True where no estimate covers all of it: the user has to name an amount, which then bounds it. */
export function isPriceOpen({ recordings, usd }: Pick<BatchPlan, 'recordings' | 'usd'>): boolean {
  return usd === undefined || recordings.some(one => one.state !== 'done' && one.usd === undefined)
}

/** The part of a limit, in US dollars, that one recording has where nothing holds the limit of all any more. */
export function shareOf(
  { usd }: Pick<PlannedRecording, 'usd'>,
  recordings: readonly PlannedRecording[],
  limitUsd: number,
): number {
  if (usd !== undefined) return usd
  const knownUsd = recordings.reduce((sum, one) => sum + (one.usd ?? 0), 0)
  return Math.max(0, limitUsd - knownUsd) / recordings.filter(one => one.usd === undefined).length
}

/** The end of one recording. */
export interface RecordingEnd {
  state: 'completed' | 'partial' | 'failed' | 'cancelled'
  /** Length of the recording. */
  seconds?: number
  speakers?: string[]
  gaps?: number
  /** US dollars that this batch paid for it; absent where the price is unknown. */
  costUsd?: number
  error?: { code: ErrorCode; message: string; hint: string }
}

export interface BatchItem extends PlannedRecording {
  /** Absent while it waits or runs. */
  end?: RecordingEnd
}

/** A batch as its readers see it. */
export interface BatchView extends Pick<BatchPlan, 'copies' | 'unreadable'> {
  id: string
  title: string
  createdAt: string
  tool: Job['tool']
  state: Job['state']
  items: BatchItem[]
  progress?: Job['progress']
  /** Most that it may cost, in US dollars; absent where the price is unknown. */
  agreedUsd?: number
  error?: Job['error']
  /** Models that it was ordered with, where it waits for a process that has them and this one has others. */
  waitsForModels?: string[]
}

/** Ids of batches, which all methods for transcripts tell apart by their first letters. */
export function isBatchId(id: string): boolean {
  return id.startsWith('ba_')
}
