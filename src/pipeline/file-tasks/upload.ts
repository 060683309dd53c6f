// Uploads a recording for the provider, once for all passes of a job, and deletes it afterwards.
import pLimit from 'p-limit'
import { type Budget, type BudgetPart, isOverLimit, priceUnknown } from '../../domain/costs/budget.ts'
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { FileRecogniser, ObjectStorage, Upload } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import { roundToMs, type Span } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import { type Decoding, decode } from '../audio/decode.ts'
import { ensurePlausibleLength, ensurePlausibleSound } from '../audio/plausibility.ts'
import type { PipelinePorts } from '../pipeline.ts'
import type { Source } from '../source/source.ts'
import { detectSpeech, encodeWhole } from './encode-whole.ts'

/** Facts about the decoded recording; stored, so that another process need not decode it again. */
export interface AudioScan {
  /** Seconds of the whole recording. */
  duration: number
  speech: Span[]
  /** The part that could not be decoded. */
  lost?: Span
  /** Warnings about the file. */
  warnings: string[]
}

export interface UploadCheckpoint extends AudioScan {
  /** Absent where the recording is not uploaded, or deleted again. */
  upload?: Upload
}

export interface UploadSession {
  /**
   * Uploads the recording for these models unless it is there. An upload for other models is lent to them, until
   * the store refuses that. Throws the errors of a budget, `TOO_LARGE` and `IMPLAUSIBLE_LENGTH`.
   */
  ensureUploaded(recognisers: FileRecogniser[]): Promise<AudioScan>
  /** Decodes the recording without an upload, where no pass has to be submitted. */
  scan(): Promise<AudioScan>
  /** A URL for the model, signed now. */
  signedUrl(model: string): Promise<string>
  /** Name of the object for the model; undefined where it is not uploaded. */
  key(model: string): string | undefined
  /** Forgets an upload that the provider could not fetch: one of an earlier process may be gone, a lent one refused. */
  invalidate(model: string): void
  /** Deletes the upload, also after an abort; on failure the next sweep deletes it. */
  delete(): Promise<void>
}

/** The provider gives up a task after three hours. */
const signedUrlSeconds = 4 * 3600
const deleteTimeoutMs = 15_000
const maxAheadSeconds = 600

/** Stores that this process has seen refuse one model the upload of another. */
const storesThatBind = new WeakSet<ObjectStorage>()

export function uploadCheckpointKey(job: string): string {
  return `upload:${job}`
}

/** Validates a checkpoint, which another version may have written. */
export function isUploadCheckpoint(value: unknown): value is UploadCheckpoint {
  const stored = value as Partial<UploadCheckpoint> | null | undefined
  return (
    typeof stored?.duration === 'number' && Array.isArray(stored.speech) && Array.isArray(stored.warnings)
  )
}

export async function createUploadSession(
  source: Source,
  ports: PipelinePorts,
  run: Run,
  part: BudgetPart,
): Promise<UploadSession> {
  const { objectStorage, ffmpeg } = ports
  const stored = await run.checkpoints.get(uploadCheckpointKey(run.job))
  // A recording that was decoded in part may be whole now.
  let current = isUploadCheckpoint(stored) && !stored.lost ? stored : undefined
  // The earlier process may have used the other upload method.
  if (current?.upload && current.upload.way !== objectStorage.way) current = withoutUpload(current)
  let isUploadedHere = false
  /** Two passes that miss the upload at once need only one. */
  const inTurn = pLimit(1)
  /** Models that use the upload of another one: the temporary store may bind an upload to its model. */
  const borrowers = new Set<string>()
  for (const warning of current?.warnings ?? []) run.warn(warning)

  async function save(changed: UploadCheckpoint): Promise<void> {
    current = changed
    await run.checkpoints.put(uploadCheckpointKey(run.job), changed)
  }

  async function scan(onSpeech?: () => never): Promise<void> {
    const { recordingRun, warnings } = recordWarnings(run)
    const decoding = decode(source, ffmpeg, recordingRun)
    const speech: Span[] = []
    await detectSpeech(decoding.samples, speech, onSpeech)
    await save(scanOf(decoding, speech, warnings))
  }

  async function upload(recognisers: FileRecogniser[]): Promise<void> {
    try {
      await uploadOnce(recognisers)
    } catch (error) {
      if (!isOverLimit(error)) throw error
      // A silent recording is not sent, so it costs nothing.
      return scan(() => {
        throw error
      })
    }
    // ffmpeg was killed from outside, which may be temporary: a part of the recording should not be billed.
    if (current?.lost) await uploadOnce(recognisers)
  }

  async function uploadOnce(recognisers: FileRecogniser[]): Promise<void> {
    const { recordingRun, warnings } = recordWarnings(run)
    const decoding = decode(source, ffmpeg, recordingRun)
    const reserve = createReservation(recognisers, part, run.budget)
    let [spans, sound] = [0, 0]
    const check = async () => {
      const total = decoding.headerSeconds()
      const expected = Math.max(total ?? 0, decoding.decodedSeconds())
      for (; spans < speech.length; spans++) sound += speech[spans]!.end - speech[spans]!.start
      ensurePlausibleSound(sound, source.bytes)
      ensureWithinLimit(recognisers, expected)
      await reserve(expected, expected === total)
      const done = decoding.decodedSeconds() / 2
      run.progress({ done, ...(total !== undefined && { total }), message: 'Uploading' })
    }
    const { audio, speech } = encodeWhole(decoding, { ffmpeg, onSamples: check }, recordingRun)
    const { owner, job, scratch } = run
    const models = recognisers.map(({ model }) => model)
    const uploaded = await objectStorage.upload(audio, { owner, job, scratch, models }, run.signal)
    const keys = { ...current?.upload?.keys, ...uploaded.keys }
    isUploadedHere = true
    await save({ upload: { ...uploaded, keys }, ...scanOf(decoding, speech, warnings) })
    if (speech.length > 0) ensurePlausibleLength(decoding.decodedSeconds(), source.bytes)
  }

  /** Those without an upload, after the others have been lent the one that is there. */
  function missing(recognisers: FileRecogniser[]): FileRecogniser[] {
    const keys = current?.upload?.keys ?? {}
    const [lent] = Object.values(keys)
    return recognisers.filter(({ model }) => {
      if (keys[model] !== undefined) return false
      if (lent === undefined || storesThatBind.has(objectStorage)) return true
      keys[model] = lent
      borrowers.add(model)
      return false
    })
  }

  return {
    ensureUploaded: recognisers =>
      inTurn(async () => {
        const toUpload = missing(recognisers)
        if (toUpload.length > 0) await upload(toUpload)
        return current!
      }),
    async scan() {
      if (!current) await scan()
      return current!
    },
    signedUrl: model => objectStorage.signedUrl(current!.upload!, model, signedUrlSeconds, run.signal),
    key: model => current?.upload?.keys[model],
    invalidate(model) {
      if (!current?.upload) return
      if (!isUploadedHere) current = withoutUpload(current)
      else if (borrowers.delete(model) && objectStorage.way === 'temporary') {
        delete current.upload.keys[model]
        storesThatBind.add(objectStorage)
      }
    },
    async delete() {
      if (!current?.upload) return
      try {
        await objectStorage.delete(current.upload, AbortSignal.timeout(deleteTimeoutMs))
        await save(withoutUpload(current))
      } catch (error) {
        const code = isSpeechError(error) ? error.code : 'INTERNAL'
        log.warn('upload-not-deleted', { id: run.job, code })
      }
    },
  }
}

function withoutUpload({ upload: _, ...scan }: UploadCheckpoint): UploadCheckpoint {
  return scan
}

/** A run whose warnings are also stored, so that a later process repeats them. */
function recordWarnings(run: Run): { recordingRun: Run; warnings: string[] } {
  const warnings: string[] = []
  const warn = (sentence: string) => {
    warnings.push(sentence)
    run.warn(sentence)
  }
  return { recordingRun: { ...run, warn }, warnings }
}

function scanOf(decoding: Decoding, speech: Span[], warnings: string[]): AudioScan {
  const lost = decoding.lost()
  return { duration: roundToMs(decoding.decodedSeconds()), speech, warnings, ...(lost && { lost }) }
}

/** Reserves what these models cost for so many seconds. Throws the errors of a budget, and `PRICE_UNKNOWN`. */
export async function reserveFor(
  recognisers: FileRecogniser[],
  seconds: number,
  part: BudgetPart,
  { needsPrices }: Budget,
): Promise<void> {
  const unpriced = recognisers.find(({ usdPerSecond }) => usdPerSecond === undefined)
  if (unpriced && needsPrices) throw priceUnknown(unpriced.model)
  await part.reserve(seconds * recognisers.reduce((sum, { usdPerSecond = 0 }) => sum + usdPerSecond, 0))
}

/** Reserves for a length that grows unless it is known: some minutes ahead, as each reservation may be a write of the store. */
function createReservation(recognisers: FileRecogniser[], part: BudgetPart, budget: Budget) {
  let reservedSeconds = 0
  let aheadSeconds = maxAheadSeconds
  return async (seconds: number, isKnown: boolean): Promise<void> => {
    if (seconds <= reservedSeconds) return
    // A limit may leave room for the recording, but not for that much more.
    for (; aheadSeconds > 1 && !isKnown; aheadSeconds /= 2) {
      const longer = seconds + aheadSeconds * Math.max(1, seconds / (10 * maxAheadSeconds))
      try {
        await reserveFor(recognisers, longer, part, budget)
        reservedSeconds = longer
        return
      } catch (error) {
        if (!isOverLimit(error)) throw error
      }
    }
    await reserveFor(recognisers, seconds, part, budget)
    reservedSeconds = seconds
  }
}

function ensureWithinLimit(recognisers: FileRecogniser[], duration: number): void {
  const maxSeconds = Math.min(...recognisers.map(({ limits }) => limits.maxSeconds))
  if (duration <= maxSeconds) return
  const hours = Math.floor(maxSeconds / 3600)
  throw new SpeechError('TOO_LARGE', `The recording is longer than ${hours} hours.`, {
    hint: `Split the recording; the provider accepts at most ${hours} hours.`,
  })
}
