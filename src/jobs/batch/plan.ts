// Plans a batch: which recordings there are, how long they are, what they cost, and what cannot be read.
import { randomUUID } from 'node:crypto'
import pLimit from 'p-limit'
import type {
  BatchPlan,
  CopiedRecording,
  FailedRecording,
  PlannedRecording,
} from '../../domain/batch/batch.ts'
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { Job, JobTool, Progress, TranscriptionRequest } from '../../domain/job.ts'
import { oneLine } from '../../domain/text.ts'
import { costOf, roundToMs } from '../../domain/transcript.ts'
import { estimateUsd } from '../../pipeline/estimate.ts'
import { modelsOf } from '../../pipeline/select-pipeline.ts'
import { type ListedRecording, listRecordings } from '../../pipeline/source/folders/list-recordings.ts'
import { type Identity, identify, localFile, uploadsOf } from '../../pipeline/source/source.ts'
import { type RecordingLength, readLength } from '../../pipeline/voices/recording-length.ts'
import type { JobBasis } from '../context.ts'
import { createCheckpoints } from '../records/checkpoints.ts'
import { toJobError } from '../records/transitions.ts'
import { jobId } from '../submit/job-id.ts'
import { createScratch } from '../worker/scratch.ts'

/** Options of all recordings of a batch. */
export type BatchRequest = Omit<TranscriptionRequest, 'audio' | 'title'>

export interface PlanRequest {
  /** Paths of files and folders, URLs. */
  sources: string[]
  options: BatchRequest
  /** False: only the files that are directly in a folder. Default: true. */
  recursive?: boolean
  /** Throws `TOO_LARGE` beyond this. Default: no limit. */
  maxRecordings?: number
}

export interface PlanCaller {
  tool: JobTool
  owner: string
  signal: AbortSignal
  /** Counts recordings, not seconds. */
  onProgress?: (progress: Progress) => void
}

interface LookedAt extends PlannedRecording {
  /** False where a model that it needs has no known price, whatever the length. */
  isPriceKnown: boolean
}

type PlanContext = Pick<JobBasis, 'store' | 'repository' | 'pipeline' | 'scratchDir' | 'workerId'>

/** Of an address, which is not downloaded for it. */
const unknownLength: RecordingLength = { tracks: 1, channels: 1 }
/** Files that are read, and hashed, at once. */
const concurrency = 4

/**
 * Reads each recording once, to know its content and its length; a second plan reads only what has changed since.
 * Nothing is sent. Throws what `listRecordings` throws, or the signal's reason.
 */
export async function planBatch(
  { sources, options, ...limits }: PlanRequest,
  { tool, owner, signal, onProgress }: PlanCaller,
  { store, repository, pipeline, scratchDir, workerId }: PlanContext,
): Promise<BatchPlan> {
  const { allowedDirs, ffmpeg } = pipeline
  const upload = (id: string) => uploadsOf(pipeline).find(owner, id)
  const list = await listRecordings(sources, { allowedDirs, signal, upload, ...limits })
  const checkpoints = createCheckpoints(store, owner, '')
  const unreadable: FailedRecording[] = list.unreadable.map(({ given, error }) => failed(given, error))
  let looked = 0

  async function look(listed: ListedRecording): Promise<LookedAt | undefined> {
    try {
      const identity = await identify(listed.audio, pipeline, { owner, signal, checkpoints })
      const request = { ...options, audio: identity.audio }
      const id = jobId({ tool, owner, request, models: modelsOf(tool, request, pipeline) }, identity)
      const state = stateOf(await repository.get(owner, id), identity)
      const begun = state === 'begun' ? await repository.getTranscript(owner, id) : undefined
      const stored = begun && options.format && (await repository.getFormat(owner, id))
      const paidUsd = begun && costOf({ ...begun, formatted: stored?.formatted })
      const length = await lengthOf(identity)
      const seconds = length?.seconds
      const { audio, content, bytes } = identity
      const planned = { audio, name: listed.name, id, content, state, bytes, seconds, paidUsd }
      if (state === 'done') return { ...planned, usd: 0, isPriceKnown: true }
      const priceOf = (length: RecordingLength) => estimateUsd(tool, request, length, pipeline)
      const usd = priceOf(length ?? unknownLength)
      // A price that is unknown is so for any length.
      const isPriceKnown =
        usd !== undefined || priceOf({ ...unknownLength, ...length, seconds: 1 }) !== undefined
      return { ...planned, usd, isPriceKnown }
    } catch (error) {
      signal.throwIfAborted()
      // One store or one ffmpeg serves them all.
      if (!isSpeechError(error) || /^(?:STORE_|FFMPEG_MISSING|DISK_)/.test(error.code)) throw error
      unreadable.push(failed(listed.given, error))
      return undefined
    } finally {
      looked++
      const total = list.recordings.length
      onProgress?.({ done: looked, total, message: `Looked at ${looked} of ${total} recordings` })
    }
  }

  /** Of a file; an address is not downloaded for it. */
  async function lengthOf({ audio, hash }: Identity): Promise<RecordingLength | undefined> {
    if (hash === undefined) return undefined
    const key = `length:${hash}`
    const known = await checkpoints.get(key)
    if (isLength(known)) return known
    const scratch = createScratch(scratchDir, `plan-${randomUUID()}`, workerId)
    try {
      const file = await localFile(audio, pipeline, { owner, signal, scratch: scratch.folder })
      const length = await readLength(file, ffmpeg, { signal, scratch: scratch.folder })
      await checkpoints.put(key, length)
      return length
    } finally {
      await scratch.remove()
    }
  }

  const found = await pLimit(concurrency).map(list.recordings, look)
  return planOf(
    found.flatMap(one => one ?? []),
    unreadable,
  )
}

function planOf(found: LookedAt[], unreadable: FailedRecording[]): BatchPlan {
  const byContent = new Map<string, PlannedRecording>()
  const copies: CopiedRecording[] = []
  const isPriceKnown = found.every(one => one.isPriceKnown)
  for (const { isPriceKnown: _, ...recording } of found) {
    const first = byContent.get(recording.id)
    const { audio, name, id } = recording
    if (first) copies.push({ audio, name, id, of: first.name })
    else byContent.set(id, recording)
  }
  const recordings = [...byContent.values()]
  const toPay = recordings.filter(({ state }) => state !== 'done')
  return {
    recordings,
    copies,
    unreadable,
    seconds: lengthOf(recordings),
    newSeconds: lengthOf(toPay),
    usd: isPriceKnown ? roundedUp(sum(toPay.map(({ usd }) => usd))) : undefined,
    unknownLengths: toPay.filter(({ seconds }) => seconds === undefined).length,
  }
}

function stateOf(job: Job | undefined, { certain }: Identity): PlannedRecording['state'] {
  if (!job) return 'new'
  return job.state === 'completed' && certain ? 'done' : 'begun'
}

function failed(given: string, error: unknown): FailedRecording {
  return { given: /^data:/i.test(given) ? 'data:' : given, error: toJobError(error) }
}

function isLength(value: unknown): value is RecordingLength {
  const { tracks, channels, seconds } = (value ?? {}) as Partial<RecordingLength>
  return typeof tracks === 'number' && typeof channels === 'number' && typeof (seconds ?? 0) === 'number'
}

/** To a hundredth of a cent: a person reads it, and a model repeats it. */
function roundedUp(usd: number): number {
  return Math.max(0, Math.ceil(usd * 1e4 - 1e-6)) / 1e4
}

function sum(numbers: (number | undefined)[]): number {
  return numbers.reduce<number>((total, one) => total + (one ?? 0), 0)
}

/** In seconds; without the last digits of a sum of fractions. */
function lengthOf(recordings: Pick<PlannedRecording, 'seconds'>[]): number {
  return roundToMs(sum(recordings.map(({ seconds }) => seconds)))
}

/** Name of the only source, else the number of recordings. */
export function titleOf({ recordings }: BatchPlan, [source = '', ...more]: string[]): string {
  const name = more.length === 0 ? source.trim().split(/[/\\]/).filter(Boolean).at(-1) : undefined
  return name ? oneLine(name) : `${recordings.length} recordings`
}

const maxNamed = 10

/** Says which of several sources failed, and why. */
export function nothingReadable({ unreadable }: BatchPlan): SpeechError {
  const named = unreadable
    .slice(0, maxNamed)
    .map(({ given, error }) => `"${given}": ${error.code}, ${error.message}`)
  const more = unreadable.length > maxNamed ? ` And ${unreadable.length - maxNamed} more.` : ''
  const [first] = unreadable
  return new SpeechError(
    first?.error.code ?? 'FILE_NOT_FOUND',
    `None of the ${unreadable.length} recordings can be read. ${named.join(' ')}${more}`,
    { hint: first?.error.hint ?? 'Give other recordings.' },
  )
}
