// Clips of transcribed recordings: finds the recording of a transcript, as long as it is the one that was transcribed.
import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import { codeOf, SpeechError } from '../domain/errors.ts'
import { formatTime } from '../domain/format-time.ts'
import type { Job } from '../domain/job.ts'
import { deadlines } from '../domain/network/deadlines.ts'
import type { Transcript } from '../domain/transcript.ts'
import { createKeyedMutex } from '../domain/waiting/keyed-mutex.ts'
import { unlessAborted } from '../domain/waiting/unless-aborted.ts'
import { log } from '../log.ts'
import { type Clip, makeClip } from '../pipeline/clips/clip.ts'
import { parseSource } from '../pipeline/source/parse-source.ts'
import { identify, type SourceRun } from '../pipeline/source/source.ts'
import type { Voice } from '../pipeline/voices/voice.ts'
import type { JobBasis } from './context.ts'
import { createCheckpoints } from './records/checkpoints.ts'
import { jobId } from './submit/job-id.ts'
import { createScratch } from './worker/scratch.ts'

export interface ClipCall {
  /** Seconds from the start of the recording. Default: its start. */
  from?: number
  /** Default: as much as a clip holds. */
  to?: number
  signal: AbortSignal
}

export interface TranscriptClip extends Clip {
  transcript: Transcript
}

/** A recording at an address is fetched for each clip. */
const maxFetchBytes = 100_000_000
/** Each of another owner. */
const maxAtOnce = 2
const maxKnownVoices = 200
/** Of the deadline: its error reaches the client before that of the call. */
const workShare = 0.7

/** The transcript as its readers see it, and its job. */
interface Found {
  transcript: Transcript
  job: Job | undefined
}

export type Clips = ReturnType<typeof createClips>

export function createClips(
  context: Pick<JobBasis, 'pipeline' | 'store' | 'scratchDir' | 'workerId' | 'closing'>,
) {
  const { pipeline, store, scratchDir, workerId, closing } = context
  const turn = createKeyedMutex()
  const limit = pLimit(maxAtOnce)
  /** By the recording's hash and its track. */
  const knownVoices = new LRUCache<string, readonly Voice[]>({ max: maxKnownVoices })

  async function make(
    { transcript, job }: { transcript: Transcript; job: Job },
    { from = 0, to, signal }: ClipCall,
  ): Promise<Clip> {
    signal.throwIfAborted()
    const scratch = createScratch(scratchDir, `clip-${randomUUID()}`, workerId)
    const checkpoints = createCheckpoints(store, job.owner, job.id)
    const run: SourceRun = { owner: job.owner, signal, checkpoints, scratch: scratch.folder, progress() {} }
    try {
      const { content, request } = job
      const audio = await audioOf(job, run)
      const key = content && JSON.stringify([content, request.track, request.language])
      return await makeClip(
        { ...request, audio, hash: content, from, to },
        transcript,
        sourcePorts(audio),
        run,
        {
          voices: key ? knownVoices.get(key) : undefined,
          onVoices: found => key && knownVoices.set(key, found),
        },
      )
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

  return async ({ transcript, job }: Found, call: ClipCall): Promise<TranscriptClip> => {
    checkTimes(call, transcript)
    if (!job) throw missing()
    const started = performance.now()
    const clip = await inTime(call.signal, closing, signal =>
      turn(job.owner, () => limit(() => make({ transcript, job }, { ...call, signal }))),
    )
    const took = Math.round(performance.now() - started)
    log.info('clip', { id: transcript.id, seconds: clip.end - clip.start, took })
    return { ...clip, transcript }
  }
}

function checkTimes({ from = 0, to }: ClipCall, { duration, status }: Transcript): void {
  const isTime = (seconds: number) => Number.isFinite(seconds) && seconds >= 0
  if (!isTime(from) || (to !== undefined && !isTime(to)))
    throw new SpeechError('BAD_INPUT', '`from` and `to` must be times of the recording.', {
      hint: 'Give seconds from its start, such as 83.5.',
    })
  if (to !== undefined && from >= to)
    throw new SpeechError('BAD_INPUT', '`from` must be less than `to`.', {
      hint: 'Both are in seconds from the start.',
    })
  if (from >= duration)
    throw new SpeechError('BAD_INPUT', '`from` is behind the end of the recording.', {
      hint:
        status === 'running'
          ? `So far ${formatTime(duration)} are known; ask again when more is transcribed.`
          : `It has ${Math.floor(duration)} seconds (${formatTime(duration)}); give an earlier time.`,
    })
}

/** Rejects when the caller leaves, when the process stops, and when the time is up; the work ends by its signal. */
async function inTime<T>(
  caller: AbortSignal,
  closing: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(tooSlow()), deadlines.clip.totalSeconds * 1000 * workShare)
  const stop = () => limit.abort(stopping())
  closing.addEventListener('abort', stop)
  if (closing.aborted) stop()
  const signal = AbortSignal.any([caller, limit.signal])
  try {
    signal.throwIfAborted()
    return await unlessAborted(work(signal), signal)
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    clearTimeout(timer)
    closing.removeEventListener('abort', stop)
  }
}

function stopping(): SpeechError {
  return new SpeechError('BUSY', 'The server is stopping.', {
    hint: 'Call again once it has started.',
    retryable: true,
  })
}

function tooSlow(): SpeechError {
  return new SpeechError('CALL_TIMEOUT', 'The clip could not be made in time.', {
    hint: 'Ask for one clip at a time. A file that can only be read from its start takes long: convert it to M4A or FLAC, and transcribe that.',
  })
}

/** A moved or deleted file or upload; other errors say themselves why the recording cannot be read. */
function missing(error?: unknown): unknown {
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
