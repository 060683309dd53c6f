// The jobs under way of an owner, as pages show them.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createLatch, createWorkspace, owner, type Workspace } from '../../../support/jobs/harness.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace()
})
afterEach(() => workspace.close())

const eventually = { timeout: 60_000, interval: 20 }

it('a job is listed with its progress while it runs, for its owner alone, and no more when it is over', async () => {
  const latch = createLatch()
  const { jobs, submit, waitForEnd } = await workspace.open({
    recognise: async n => (n === 0 ? undefined : latch.opened),
  })
  expect(await jobs.unfinished(owner)).toEqual([])
  const { job } = await submit({ title: 'Talk' })
  await vi.waitFor(async () => {
    const [running] = await jobs.unfinished(owner)
    expect(running).toMatchObject({ id: job.id, title: 'Talk', tool: 'transcribe_audio', state: 'running' })
    expect(running!.progress.done).toBeGreaterThan(0)
    expect(running!.progress.total).toBeGreaterThan(running!.progress.done)
  }, eventually)
  expect(await jobs.unfinished('bob')).toEqual([])
  latch.open()
  await waitForEnd(job.id)
  expect(await jobs.unfinished(owner)).toEqual([])
})

it('the store is asked once a second at most, by all pages together', async () => {
  const reads = vi.fn()
  const { jobs } = await workspace.open({
    store: store => ({
      ...store,
      unfinishedJobs() {
        reads()
        return store.unfinishedJobs()
      },
    }),
  })
  await Promise.all(Array.from({ length: 50 }, (_, i) => jobs.unfinished(i % 2 ? owner : 'bob')))
  expect(reads).toHaveBeenCalledTimes(1)
})
