// Peaks of transcribed recordings, for pictures: computed when they are first asked for, and kept in memory.
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import { SpeechError } from '../domain/errors.ts'
import type { Job } from '../domain/job.ts'
import { deadlines } from '../domain/network/deadlines.ts'
import type { Transcript } from '../domain/transcript.ts'
import { createKeyedMutex } from '../domain/waiting/keyed-mutex.ts'
import { unlessAborted } from '../domain/waiting/unless-aborted.ts'
import { log } from '../log.ts'
import { makePeaks } from '../pipeline/clips/peaks.ts'
import { missing, type Recordings, stopping } from './recording.ts'

export interface Waveform {
  /** From 0 to 255, of equal stretches of the whole recording; absent as long as they are computed. */
  peaks?: number[]
}

/** Each has a few kilobytes. */
const maxKept = 200
/** Each of another owner. */
const maxAtOnce = 2
/** A caller asks again: calls of resources are answered in seconds. */
const maxWaitMs = 2_000
/** A page in the background asks once a minute. */
const leftAfterMs = 90_000
/** A failure is told to those who ask until then, and not tried again. */
const failureMs = 60_000

interface Work {
  peaks: Promise<number[]>
  /** Called when someone asks for it. */
  want(): void
}

export type Waveforms = ReturnType<typeof createWaveforms>

export function createWaveforms(recordings: Recordings, closing: AbortSignal) {
  const kept = new LRUCache<string, Work>({ max: maxKept })
  const turn = createKeyedMutex()
  const limit = pLimit(maxAtOnce)

  async function compute(job: Job, { id, duration }: Transcript, signal: AbortSignal): Promise<number[]> {
    const started = performance.now()
    const found = await recordings.open(job, signal, ({ request, ports, run, voices }) =>
      makePeaks(request, duration, ports, run, voices),
    )
    log.info('waveform', { id, seconds: duration, took: Math.round(performance.now() - started) })
    return found
  }

  function begin(key: string, job: Job, transcript: Transcript): Work {
    const end = new AbortController()
    const { signal } = end
    const stop = () => end.abort(stopping())
    let isOver = false
    const leave = () => {
      forget()
      end.abort()
    }
    const left = setTimeout(leave, leftAfterMs).unref()
    closing.addEventListener('abort', stop)
    if (closing.aborted) stop()
    const peaks = turn(job.owner, () =>
      limit(async () => {
        const timer = setTimeout(() => end.abort(tooSlow()), deadlines.waveform.totalSeconds * 1000)
        try {
          signal.throwIfAborted()
          // A disk that does not answer must not keep the place.
          return await unlessAborted(compute(job, transcript, signal), signal)
        } catch (error) {
          signal.throwIfAborted()
          throw error
        } finally {
          clearTimeout(timer)
        }
      }),
    ).finally(() => {
      isOver = true
      clearTimeout(left)
      closing.removeEventListener('abort', stop)
    })
    const work: Work = {
      peaks,
      want() {
        if (!isOver) left.refresh()
      },
    }
    kept.set(key, work)
    const forget = () => kept.peek(key) === work && kept.delete(key)
    // It may fail between two questions of a page, which asks until it is told.
    peaks.catch(() => setTimeout(forget, failureMs).unref())
    return work
  }

  return async ({ transcript, job }: { transcript: Transcript; job: Job | undefined }): Promise<Waveform> => {
    if (!job) throw missing()
    if (transcript.status === 'running' || !recordings.isNear(job)) throw notYet()
    const key = JSON.stringify([job.owner, transcript.id, transcript.duration])
    const work = kept.get(key) ?? begin(key, job, transcript)
    work.want()
    let timer: NodeJS.Timeout | undefined
    const wait = new Promise<void>(resolve => {
      timer = setTimeout(resolve, maxWaitMs)
    })
    try {
      const peaks = await Promise.race([work.peaks, wait])
      return peaks ? { peaks } : {}
    } finally {
      clearTimeout(timer)
    }
  }
}

function tooSlow(): SpeechError {
  return new SpeechError('CALL_TIMEOUT', 'The picture of this sound could not be made in time.', {
    hint: 'Play the recording without it. A file that can only be read from its start takes long: convert it to M4A or FLAC, and transcribe that.',
  })
}

/** A recording elsewhere is not fetched for a picture alone. */
function notYet(): SpeechError {
  return new SpeechError('BAD_INPUT', 'There is no picture of this sound yet.', {
    hint: 'Ask again when the transcript is done, and something of a recording elsewhere was heard.',
  })
}
