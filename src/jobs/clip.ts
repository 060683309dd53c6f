// Clips of transcribed recordings: one at a time for each owner, and in time.
import pLimit from 'p-limit'
import { SpeechError } from '../domain/errors.ts'
import { formatTime } from '../domain/format-time.ts'
import type { Job } from '../domain/job.ts'
import { deadlines } from '../domain/network/deadlines.ts'
import type { Transcript } from '../domain/transcript.ts'
import { createKeyedMutex } from '../domain/waiting/keyed-mutex.ts'
import { unlessAborted } from '../domain/waiting/unless-aborted.ts'
import { log } from '../log.ts'
import { type Clip, makeClip } from '../pipeline/clips/clip.ts'
import { missing, type Recordings, stopping } from './recording.ts'

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

/** Each of another owner. */
const maxAtOnce = 2
/** Of the deadline: its error reaches the client before that of the call. */
const workShare = 0.7

/** The transcript as its readers see it, and its job. */
interface Found {
  transcript: Transcript
  job: Job | undefined
}

export type Clips = ReturnType<typeof createClips>

export function createClips(recordings: Recordings, closing: AbortSignal) {
  const turn = createKeyedMutex()
  const limit = pLimit(maxAtOnce)

  function make(job: Job, transcript: Transcript, { from = 0, to, signal }: ClipCall): Promise<Clip> {
    return recordings.open(job, signal, ({ request, ports, run, voices }) =>
      makeClip({ ...request, from, to }, transcript, ports, run, voices),
    )
  }

  return async ({ transcript, job }: Found, call: ClipCall): Promise<TranscriptClip> => {
    checkTimes(call, transcript)
    if (!job) throw missing()
    const started = performance.now()
    const clip = await inTime(call.signal, closing, signal =>
      turn(job.owner, () => limit(() => make(job, transcript, { ...call, signal }))),
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

function tooSlow(): SpeechError {
  return new SpeechError('CALL_TIMEOUT', 'The clip could not be made in time.', {
    hint: 'Ask for one clip at a time. A file that can only be read from its start takes long: convert it to M4A or FLAC, and transcribe that.',
  })
}
