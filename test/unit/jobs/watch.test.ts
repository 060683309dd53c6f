// Waiting for a job that no worker starts.
import { expect, it, onTestFinished, vi } from 'vitest'
import type { Job } from '../../../src/domain/job.ts'
import { createChanges } from '../../../src/jobs/records/changes.ts'
import { createWaiters } from '../../../src/jobs/records/waiters.ts'
import { watch } from '../../../src/jobs/watch.ts'
import { log } from '../../../src/log.ts'
import { failing } from '../../support/jobs/failing-store.ts'
import { createLatch, createWorkspace } from '../../support/jobs/harness.ts'

const eventually = { timeout: 60_000, interval: 20 }

const queued = { id: 'tr_1', owner: 'local', state: 'queued', revision: 1, tool: 'transcribe_audio' } as Job

/** Watches the job for some seconds; returns the seconds at which it was sent. */
async function sendTimes(seconds: number, job: () => Job): Promise<number[]> {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
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

it('a queued job of an earlier process starts once the store takes writes again, and the log names the refusal once', async () => {
  const { open, opened } = createLatch()
  const workspace = await createWorkspace()
  onTestFinished(() => workspace.close())
  const first = await workspace.open({ recognise: () => opened })
  const { job } = await first.submit()
  await vi.waitFor(() => expect(first.requests).not.toHaveLength(0), eventually)
  const closed = first.close()
  open()
  await closed
  const logged = vi.spyOn(log, 'error').mockImplementation(() => {})
  onTestFinished(() => logged.mockRestore())
  let refusals = 0
  let isFailing = true
  const refuse = () => {
    if (isFailing) refusals++
    return isFailing
  }
  const second = await workspace.open({ store: failing(refuse) })
  const ended = second.waitForEnd(job.id)
  await vi.waitFor(() => expect(refusals).toBeGreaterThan(2), eventually)
  isFailing = false
  expect((await ended).state).toBe('completed')
  expect(logged.mock.calls).toEqual([['job-not-started', { id: job.id, error: 'DISK_FULL' }]])
})
