// Lays a recording where the provider can fetch it, once for all passes of a job, and takes it away again.
import { SpeechError } from '../../domain/errors.ts'
import type { FileRecogniser, Upload } from '../../domain/ports.ts'
import type { Run } from '../../domain/run.ts'
import { roundToMs, type Span } from '../../domain/transcript.ts'
import { log } from '../../log.ts'
import { cut } from '../audio/cut.ts'
import { decode } from '../audio/decode.ts'
import { costTooHigh } from '../chunks/budget.ts'
import type { Source } from '../source/source.ts'
import type { PipelinePorts } from '../transcribe.ts'
import { encodeWhole, scanChunkSeconds } from './encode-whole.ts'

/** What listening to the recording has shown: a job that goes on in another process need not decode it again. */
export interface AudioScan {
  /** Seconds of the whole recording. */
  duration: number
  /** Where someone speaks. */
  speech: Span[]
  /** What could not be decoded. */
  lost?: Span
  /** What there was to say about the file. */
  warnings: string[]
}

export interface UploadCheckpoint extends AudioScan {
  /** Absent where the recording does not lie there, or no more. */
  upload?: Upload
}

export interface UploadSession {
  /** Sees to it that the recording lies there for these models. Throws `COST_TOO_HIGH` and `TOO_LARGE` on the way. */
  ensureUploaded(recognisers: FileRecogniser[]): Promise<AudioScan>
  /** Listens to the recording, where nothing has to be heard by the provider. */
  scan(): Promise<AudioScan>
  /** Where the model finds it; the address is signed now. */
  signedUrl(model: string): Promise<string>
  /** The name under which the model finds it; undefined where it does not lie there. */
  key(model: string): string | undefined
  /** Called when the provider could not fetch it: what an earlier process has laid there may be gone. */
  invalidate(): void
  /** Takes it away, also when the run was stopped; what cannot be taken away now goes by the next sweep. */
  delete(): Promise<void>
}

/** The provider gives up a task after three hours. */
const addressSeconds = 4 * 3600
/** Time for taking something away in the cloud when the run itself is over already, in milliseconds. */
const tidyingTime = 15_000

export function uploadCheckpointKey(job: string): string {
  return `upload:${job}`
}

/** What another version may have kept is looked at before it is believed. */
export function isUploadCheckpoint(value: unknown): value is UploadCheckpoint {
  const kept = value as Partial<UploadCheckpoint> | null | undefined
  return typeof kept?.duration === 'number' && Array.isArray(kept.speech) && Array.isArray(kept.warnings)
}

export async function createUploadSession(
  source: Source,
  ports: PipelinePorts,
  run: Run,
): Promise<UploadSession> {
  const { blobs, ffmpeg, maxCostUsd } = ports
  const found = await run.checkpoints.get(uploadCheckpointKey(run.job))
  // One that was cut short here may be whole now.
  let kept = isUploadCheckpoint(found) && !found.lost ? found : undefined
  // Laid there by a process that had a bucket, or had none.
  if (kept?.upload && kept.upload.way !== blobs.way) kept = withoutUpload(kept)
  let isFresh = false
  let last: Promise<unknown> = Promise.resolve()
  for (const warning of kept?.warnings ?? []) run.warn(warning)

  async function keep(changed: UploadCheckpoint): Promise<void> {
    kept = changed
    await run.checkpoints.put(uploadCheckpointKey(run.job), changed)
  }

  async function put(recognisers: FileRecogniser[]): Promise<void> {
    await lay(recognisers)
    // ffmpeg was killed from outside, which may pass: nobody should pay for a part.
    if (kept?.lost) await lay(recognisers)
  }

  async function lay(recognisers: FileRecogniser[]): Promise<void> {
    const { listening, warnings } = attentive(run)
    const decoding = decode(source, ffmpeg, listening)
    const check = () => {
      const expected = Math.max(decoding.headerSeconds() ?? 0, decoding.decodedSeconds())
      ensureAffordable(recognisers, expected, maxCostUsd)
      ensureShort(recognisers, expected)
      run.progress({
        done: decoding.decodedSeconds() / 2,
        ...total(decoding.headerSeconds()),
        message: 'Uploading',
      })
    }
    const { audio, speech } = encodeWhole(decoding, { ffmpeg, onSamples: check }, listening)
    const { owner, job, scratch } = run
    const of = { owner, job, scratch, models: recognisers.map(({ model }) => model) }
    const upload = await blobs.upload(audio, of, run.signal)
    isFresh = true
    await keep({ upload, ...listened(decoding, speech, warnings) })
  }

  function isThere(models: string[]): boolean {
    return models.every(model => kept?.upload?.keys[model] !== undefined)
  }

  return {
    ensureUploaded(recognisers) {
      // One after the other: two passes that miss it at once need it laid there once.
      const turn = last.then(async () => {
        if (!isThere(recognisers.map(({ model }) => model))) await put(recognisers)
        return kept!
      })
      last = turn.catch(() => {})
      return turn
    },
    async scan() {
      if (kept) return kept
      const { listening, warnings } = attentive(run)
      const decoding = decode(source, ffmpeg, listening)
      const speech: Span[] = []
      for await (const chunk of cut(decoding.samples, { maxSeconds: scanChunkSeconds })) {
        speech.push(...chunk.speech)
        chunk.release()
      }
      await keep(listened(decoding, speech, warnings))
      return kept!
    },
    signedUrl: model => blobs.signedUrl(kept!.upload!, model, addressSeconds, run.signal),
    key: model => kept?.upload?.keys[model],
    invalidate() {
      if (kept && !isFresh) kept = withoutUpload(kept)
    },
    async delete() {
      if (!kept?.upload) return
      try {
        await blobs.delete(kept.upload, AbortSignal.timeout(tidyingTime))
        await keep(withoutUpload(kept))
      } catch (error) {
        log.warn('upload-not-removed', {
          id: run.job,
          code: error instanceof SpeechError ? error.code : 'INTERNAL',
        })
      }
    },
  }
}

function withoutUpload({ upload: _, ...listened }: UploadCheckpoint): UploadCheckpoint {
  return listened
}

/** A run whose warnings are kept too, so that a process that goes on says them again. */
function attentive(run: Run): { listening: Run; warnings: string[] } {
  const warnings: string[] = []
  const warn = (sentence: string) => {
    warnings.push(sentence)
    run.warn(sentence)
  }
  return { listening: { ...run, warn }, warnings }
}

function listened(
  decoding: { decodedSeconds(): number; lost(): Span | undefined },
  speech: Span[],
  warnings: string[],
): AudioScan {
  const lost = decoding.lost()
  return { duration: roundToMs(decoding.decodedSeconds()), speech, warnings, ...(lost && { lost }) }
}

function total(expected: number | undefined): { total?: number } {
  return expected === undefined ? {} : { total: expected }
}

function ensureAffordable(recognisers: FileRecogniser[], duration: number, limit: number | undefined): void {
  const cost = duration * recognisers.reduce((sum, { usdPerSecond = 0 }) => sum + usdPerSecond, 0)
  if (limit !== undefined && cost > limit) throw costTooHigh(cost, limit)
}

function ensureShort(recognisers: FileRecogniser[], duration: number): void {
  const most = Math.min(...recognisers.map(({ limits }) => limits.maxSeconds))
  if (duration > most)
    throw new SpeechError('TOO_LARGE', `The recording is longer than ${Math.floor(most / 3600)} hours.`, {
      hint: 'Part it and give the parts one by one; the provider hears no longer files.',
    })
}
