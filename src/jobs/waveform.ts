// Peaks of transcribed recordings, for pictures: computed when they are first asked for, and kept in memory.
import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import { SpeechError } from '../domain/errors.ts'
import type { Job } from '../domain/job.ts'
import { deadlines } from '../domain/network/deadlines.ts'
import type { Transcript } from '../domain/transcript.ts'
import { log } from '../log.ts'
import { makePeaks } from '../pipeline/clips/peaks.ts'
import { missing, type Recordings } from './recording.ts'

export interface Waveform {
  /** From 0 to 255, of equal stretches of the whole recording; absent as long as they are computed. */
  peaks?: number[]
}

/** Each has a few kilobytes. */
const maxKept = 200
/** A caller asks again: calls of resources are answered in seconds. */
const maxWaitMs = 2_000

export type Waveforms = ReturnType<typeof createWaveforms>

export function createWaveforms(recordings: Recordings, closing: AbortSignal) {
  /** A failure is kept no longer than its work: the recording may be back. */
  const kept = new LRUCache<string, Promise<number[]>>({ max: maxKept })
  const limit = pLimit(1)

  function begin(job: Job, { id, duration }: Transcript): Promise<number[]> {
    const key = JSON.stringify([job.owner, id, duration])
    const known = kept.get(key)
    if (known) return known
    const peaks = limit(async () => {
      const signal = AbortSignal.any([closing, AbortSignal.timeout(deadlines.waveform.totalSeconds * 1000)])
      const started = performance.now()
      const found = await recordings.open(job, signal, ({ request, ports, run, voices }) =>
        makePeaks(request, duration, ports, run, voices),
      )
      log.info('waveform', { id, seconds: duration, took: Math.round(performance.now() - started) })
      return found
    })
    kept.set(key, peaks)
    peaks.catch(() => kept.delete(key))
    return peaks
  }

  return async ({ transcript, job }: { transcript: Transcript; job: Job | undefined }): Promise<Waveform> => {
    if (!job) throw missing()
    if (transcript.status === 'running' || !recordings.isNear(job)) throw notYet()
    const timer = new AbortController()
    const wait = sleep(maxWaitMs, undefined, { signal: timer.signal, ref: false }).catch(() => undefined)
    try {
      const peaks = await Promise.race([begin(job, transcript), wait])
      return peaks ? { peaks } : {}
    } finally {
      timer.abort()
    }
  }
}

/** A recording elsewhere is not fetched for a picture alone. */
function notYet(): SpeechError {
  return new SpeechError('BAD_INPUT', 'There is no picture of this sound yet.', {
    hint: 'Ask again when the transcript is done, and something of a recording at an address was heard.',
  })
}
