// Waiting for a job that no worker starts.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Job } from '../../../src/domain/job.ts'
import { createChanges } from '../../../src/jobs/records/changes.ts'
import { createWaiters } from '../../../src/jobs/records/waiters.ts'
import { watch } from '../../../src/jobs/watch.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const queued = { id: 'tr_1', owner: 'local', state: 'queued', revision: 1, tool: 'transcribe_audio' } as Job

/** Watches the job for some seconds; returns the seconds at which it was sent. */
async function sendTimes(seconds: number, job: () => Job): Promise<number[]> {
  const times: number[] = []
  const started = performance.now()
  const context = {
    leases: { isFree: () => true, isHeldElsewhere: () => false, canStartHere: () => true },
    dispatch: async () => void times.push(Math.round((performance.now() - started) / 1000)),
    uploads: { uploading: () => undefined },
    repository: { get: async () => job() },
    queue: { shared: true, ahead: () => undefined },
    changes: createChanges(),
    waiters: createWaiters(),
    worker: { running: () => undefined },
    closing: new AbortController().signal,
  } as unknown as Parameters<typeof watch>[2]
  const { signal } = new AbortController()
  const watched = watch('tr_1', { owner: 'local', signal, seconds }, context)
  await vi.advanceTimersByTimeAsync(1000 * (seconds + 3))
  await watched
  return times
}

const request = { audio: '/talk.wav' }

it('a job that no worker starts is sent again ever more rarely, at most every ten seconds', async () => {
  const times = await sendTimes(60, () => ({ ...queued, request }))
  expect(times.length).toBeGreaterThan(6)
  expect(times.length).toBeLessThan(13)
  expect(times.at(-1)! - times.at(-2)!).toBeGreaterThanOrEqual(9)
})

it('a job that was written meanwhile is sent at once', async () => {
  let revision = 1
  const times = await sendTimes(60, () => ({ ...queued, request, revision: revision++ }))
  expect(times.length).toBeGreaterThan(60)
})
