// The recording of a transcript, as long as it is the one that was transcribed, and its voices.
import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { codeOf, SpeechError } from '../domain/errors.ts'
import type { Job } from '../domain/job.ts'
import type { ClipRequest } from '../pipeline/clips/clip.ts'
import type { KnownVoices } from '../pipeline/clips/open-heard.ts'
import { parseSource } from '../pipeline/source/parse-source.ts'
import { identify, type SourcePorts, type SourceRun } from '../pipeline/source/source.ts'
import type { Voice } from '../pipeline/voices/voice.ts'
import type { JobBasis } from './context.ts'
import { createCheckpoints } from './records/checkpoints.ts'
import { jobId } from './submit/job-id.ts'
import { createScratch } from './worker/scratch.ts'

/** All that a pipeline needs to hear the recording. */
export interface FoundRecording {
  request: Omit<ClipRequest, 'from' | 'to'>
  ports: SourcePorts & Pick<JobBasis['pipeline'], 'ffmpeg'>
  run: SourceRun
  voices: KnownVoices
}

export interface Recordings {
  /** Resolves with what `work` returns. Throws `RECORDING_LOST`, `RECORDING_CHANGED` and the errors of reading. */
  open<T>(job: Job, signal: AbortSignal, work: (found: FoundRecording) => Promise<T>): Promise<T>
  /** True where it lies on this machine, or was heard by this process before. */
  isNear(job: Job): boolean
}

/** A recording at an address is fetched each time. */
const maxFetchBytes = 100_000_000
const maxKnownVoices = 200
const maxHeard = 1_000

export function createRecordings(
  context: Pick<JobBasis, 'pipeline' | 'store' | 'scratchDir' | 'workerId'>,
): Recordings {
  const { pipeline, store, scratchDir, workerId } = context
  /** By the recording's hash and its track. */
  const knownVoices = new LRUCache<string, readonly Voice[]>({ max: maxKnownVoices })
  /** Jobs whose recordings were opened by this process. */
  const heard = new LRUCache<string, true>({ max: maxHeard })
  const heardKey = ({ owner, id }: Job) => `${owner}/${id}`
  const keyOf = ({ content, request }: Job) =>
    content && JSON.stringify([content, request.track, request.language])

  async function open<T>(
    job: Job,
    signal: AbortSignal,
    work: (found: FoundRecording) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted()
    const scratch = createScratch(scratchDir, `sound-${randomUUID()}`, workerId)
    const checkpoints = createCheckpoints(store, job.owner, job.id)
    const run: SourceRun = { owner: job.owner, signal, checkpoints, scratch: scratch.folder, progress() {} }
    try {
      const audio = await audioOf(job, run)
      heard.set(heardKey(job), true)
      const key = keyOf(job)
      return await work({
        request: { ...job.request, audio, hash: job.content },
        ports: sourcePorts(audio),
        run,
        voices: {
          voices: key ? knownVoices.get(key) : undefined,
          onVoices: found => key && knownVoices.set(key, found),
        },
      })
    } finally {
      await scratch.remove()
    }
  }

  function sourcePorts(audio: string) {
    const isUrl = parseSource(audio).kind === 'url'
    const maxDownloadBytes = Math.min(pipeline.maxDownloadBytes, maxFetchBytes)
    return isUrl ? { ...pipeline, maxDownloadBytes } : pipeline
  }

  /** Where the recording is; its folder must still be allowed, and its content that of the job. */
  async function audioOf(job: Job, run: SourceRun): Promise<string> {
    if (job.request.audio === 'data:') throw notKept()
    const identity = await identify(job.request.audio, sourcePorts(job.request.audio), run).catch(error => {
      run.signal.throwIfAborted()
      throw missing(error)
    })
    // The server of an address may have sent another version, or says nothing of versions.
    const isSame = job.content === undefined ? jobId(job, identity) === job.id : identity.hash === job.content
    if (!isSame || !identity.certain) throw changed(identity.certain)
    return identity.audio
  }

  function isNear(job: Job): boolean {
    const { kind } = parseSource(job.request.audio)
    // In a team, uploads lie in its bucket.
    const isHere = kind === 'path' || (kind === 'upload' && pipeline.uploads?.isHere !== false)
    return isHere || heard.has(heardKey(job))
  }

  return { open, isNear }
}

/** A moved or deleted file or upload; other errors say themselves why the recording cannot be read. */
export function missing(error?: unknown): unknown {
  const code = error === undefined ? 'FILE_NOT_FOUND' : codeOf(error)
  if (!/^(?:FILE_NOT_FOUND|NOT_A_FILE|ATTACHMENT_NOT_VISIBLE|UPLOAD_NOT_FOUND)$/.test(code)) return error
  const advice =
    code === 'UPLOAD_NOT_FOUND'
      ? 'Upload it again or give its path, and transcribe that'
      : 'Put it back, or transcribe it from where it is now'
  return new SpeechError('RECORDING_LOST', 'The recording is no longer where it was transcribed from.', {
    hint: `${advice}: the same recording costs nothing again. Its text can still be read.`,
    cause: error,
  })
}

function notKept(): SpeechError {
  return new SpeechError('RECORDING_LOST', 'The recording came as a data: URI, which is not kept.', {
    hint: 'Save it as a file and transcribe that, which costs nothing again, to hear clips of it.',
  })
}

function changed(isCertain: boolean): SpeechError {
  if (!isCertain)
    return new SpeechError(
      'RECORDING_CHANGED',
      'The server of this address does not say whether the recording is still the same.',
      { hint: 'Download the recording, and transcribe the file to hear clips of it.' },
    )
  return new SpeechError('RECORDING_CHANGED', 'The recording has changed since it was transcribed.', {
    hint: 'A clip would hold other words. Transcribe it again to hear its present content.',
  })
}

/** To callers that wait for their turn. */
export function stopping(): SpeechError {
  return new SpeechError('BUSY', 'The server is stopping.', {
    hint: 'Call again once it has started.',
    retryable: true,
  })
}
