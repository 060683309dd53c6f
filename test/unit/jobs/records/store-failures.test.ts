// A store that fails for a while: calls of this process get their results all the same, and the store gets them later.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import { createJobRepository } from '../../../../src/jobs/records/job-repository.ts'
import { log } from '../../../../src/log.ts'
import { diskFull, failing, type Write } from '../../../support/jobs/failing-store.ts'
import { createLatch, createWorkspace, owner, type Workspace } from '../../../support/jobs/harness.ts'
import { transcript } from '../../../support/transcripts.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await workspace.close()
})

const eventually = { timeout: 60_000, interval: 20 }
/** A process whose store fails from the moment in which all chunks have been sent, until `repair`. */
async function startFailing(fails: (write: Write) => boolean = () => true) {
  let isFailing = false
  const { open, opened } = createLatch()
  const harness = await workspace.open({
    recognise: () => opened,
    store: failing(write => isFailing && fails(write)),
  })
  const { job } = await harness.submit()
  await vi.waitFor(() => expect(harness.requests).toHaveLength(workspace.chunks), eventually)
  isFailing = true
  return {
    harness,
    id: job.id,
    answer: open,
    repair() {
      isFailing = false
    },
  }
}

const jobFacts = {
  owner,
  tool: 'transcribe_audio' as const,
  models: ['fake-asr'],
  short: false,
  revision: 1,
  request: { audio: '/a.wav' },
  createdAt: '2026-01-01',
  updatedAt: '2026-01-01',
}

const hasLossWarning = (warnings: string[]) => warnings.some(warning => /could not be stored/.test(warning))

describe('a job that ended while the store failed', () => {
  it('a job that ended while the store failed is read from memory with a warning, and stored once the store works again', async () => {
    const { harness, id, answer, repair } = await startFailing()
    answer()
    expect((await harness.waitForEnd(id)).state).toBe('completed')
    const read = await harness.jobs.read(owner, id)
    expect(read).toMatchObject({ status: 'completed', segments: expect.arrayContaining([expect.anything()]) })
    expect(hasLossWarning(read.warnings)).toBe(true)
    repair()
    expect(await harness.transcribe()).toMatchObject({ cached: true, job: { state: 'completed' } })
    const { job, transcript } = await harness.stored(id)
    expect(job).toMatchObject({ state: 'completed' })
    expect(transcript).toMatchObject({ status: 'completed' })
    expect(hasLossWarning(transcript!.warnings)).toBe(false)
    expect(hasLossWarning((await harness.jobs.read(owner, id)).warnings)).toBe(false)
  })

  it('a job that ended while the store took its transcript alone is logged as such', async () => {
    const logged = vi.spyOn(log, 'error').mockImplementation(() => {})
    const { harness, id, answer } = await startFailing(write => write === 'replaceJob')
    answer()
    await harness.waitForEnd(id)
    expect(logged.mock.calls).toEqual([['end-not-stored', { id, state: 'completed' }]])
  })

  it('a job that ended while the store failed leaves the stored job as it was until the store works again', async () => {
    const { harness, id, answer } = await startFailing(write => write === 'putTranscript')
    answer()
    await harness.waitForEnd(id)
    const { job, transcript } = await harness.stored(id)
    expect(job).toMatchObject({ state: 'running', lease: { worker: harness.workerId } })
    expect(transcript?.status).not.toBe('completed')
  })

  it('a job that ended while the store failed is answered from memory to the same request while the store still fails', async () => {
    const { harness, id, answer } = await startFailing()
    answer()
    await harness.waitForEnd(id)
    expect(await harness.transcribe()).toMatchObject({ cached: true, job: { id, state: 'completed' } })
    expect(harness.requests).toHaveLength(workspace.chunks)
  })

  it('a job that ended while the store failed is stored when its process closes, so that no other process repeats it', async () => {
    const { harness, id, answer, repair } = await startFailing()
    answer()
    await harness.waitForEnd(id)
    repair()
    await harness.close()
    const other = await workspace.open()
    expect((await other.transcribe()).cached).toBe(true)
    expect(other.requests).toEqual([])
  })

  it('a job that ended while the store failed is stored by the next look at unfinished jobs', async () => {
    const { harness, id, answer, repair } = await startFailing()
    answer()
    await harness.waitForEnd(id)
    repair()
    harness.jobs.startRecovery()
    await vi.waitFor(async () => expect((await harness.stored(id)).job?.state).toBe('completed'), eventually)
    expect((await harness.stored(id)).transcript).toMatchObject({ status: 'completed' })
    expect(harness.requests).toHaveLength(workspace.chunks)
  })

  it('a job that ended while the store failed is dropped when another process has changed the job', async () => {
    const { harness, id, answer, repair } = await startFailing()
    answer()
    await harness.waitForEnd(id)
    const { job } = await harness.stored(id)
    const lease = { worker: 'dead', until: 1 }
    await harness.store.replaceJob({ ...job!, revision: job!.revision + 1, lease })
    const other = await workspace.open({ model: 'fake-asr' })
    await other.transcribe()
    const made = await other.stored(id)
    repair()
    await harness.transcribe()
    expect(await harness.stored(id)).toEqual(made)
    expect((await harness.jobs.read(owner, id)).warnings).toEqual(made.transcript!.warnings)
  })

  it('a job that ended while the store failed is reported as failed if the provider failed, and starts again with the next request', async () => {
    let isRefused = true
    const harness = await workspace.open({
      recognise: async () => isRefused && Promise.reject(new Error('Broken.')),
      store: failing(() => isRefused),
      allowUnsaved: true,
    })
    const first = await harness.transcribe()
    expect(first.job).toMatchObject({ state: 'failed', error: { code: 'INTERNAL' } })
    expect((await harness.jobs.read(owner, first.job.id)).status).toBe('failed')
    isRefused = false
    expect((await harness.transcribe()).job).toMatchObject({ id: first.job.id, state: 'completed' })
    expect((await harness.stored(first.job.id)).job?.state).toBe('completed')
  })
})

describe('a job that cannot be added to the store', () => {
  it('a job that cannot be added to the store is refused before anything is sent, unless its result may be lost', async () => {
    const harness = await workspace.open({ store: failing(() => true) })
    await expect(harness.submit()).rejects.toMatchObject({
      code: 'DISK_FULL',
      hint: expect.stringContaining('allow_unsaved: true'),
    })
    expect(harness.requests).toEqual([])
    expect(harness.jobs.activeJobs()).toBe(0)
  })

  it('a job that cannot be added because another process is writing runs all the same', async () => {
    let isBusy = true
    const busy = new SpeechError('STORE_FAILED', 'Busy.', { hint: 'Wait.', retryable: true })
    const harness = await workspace.open({
      store: store => ({
        ...store,
        addJob: job => (isBusy ? Promise.reject(busy) : store.addJob(job)),
      }),
    })
    const { job } = await harness.submit()
    isBusy = false
    expect((await harness.waitForEnd(job.id)).state).toBe('completed')
  })

  it('a job that cannot be added to the store runs if its result may be lost, and is recorded once the store works again', async () => {
    let isFailing = true
    const harness = await workspace.open({ store: failing(() => isFailing), allowUnsaved: true })
    const { job } = await harness.transcribe()
    expect(job.state).toBe('completed')
    expect(hasLossWarning((await harness.jobs.read(owner, job.id)).warnings)).toBe(true)
    expect(await harness.stored(job.id)).toEqual({ job: undefined, transcript: undefined })
    isFailing = false
    expect((await harness.transcribe()).cached).toBe(true)
    expect(await harness.stored(job.id)).toMatchObject({
      job: { state: 'completed' },
      transcript: { status: 'completed', warnings: [] },
    })
    expect(harness.requests).toHaveLength(workspace.chunks)
  })

  it('a job that cannot be added to the store is recorded by its next renewal if the store works again while it runs', async () => {
    let isFailing = true
    const { open, opened } = createLatch()
    const harness = await workspace.open({
      recognise: () => opened,
      store: failing(() => isFailing),
      allowUnsaved: true,
    })
    const { job } = await harness.submit()
    await vi.waitFor(() => expect(harness.requests).toHaveLength(workspace.chunks), eventually)
    isFailing = false
    await vi.waitFor(
      async () => expect((await harness.stored(job.id)).job?.state).toBe('running'),
      eventually,
    )
    open()
    expect((await harness.waitForEnd(job.id)).state).toBe('completed')
    expect((await harness.stored(job.id)).job?.state).toBe('completed')
  })
})

describe('a job that runs while the store fails', () => {
  it('a job that runs while the store fails goes on, and its next renewal is in the store again', async () => {
    const { harness, id, answer, repair } = await startFailing()
    const { job } = await harness.stored(id)
    await expect(harness.jobs.rename(owner, id, { title: 'New' })).rejects.toMatchObject({
      code: 'DISK_FULL',
    })
    expect((await harness.stored(id)).job).toEqual(job)
    repair()
    await harness.jobs.rename(owner, id, { title: 'New' })
    await vi.waitFor(async () => {
      const now = (await harness.stored(id)).job!
      expect(now.lease!.until).toBeGreaterThan(job!.lease!.until)
    }, eventually)
    answer()
    expect((await harness.waitForEnd(id)).state).toBe('completed')
    expect((await harness.stored(id)).transcript?.title).toBe('New')
  })

  it('a job that runs while the store fails stops when it is cancelled', async () => {
    const { harness, id } = await startFailing()
    expect(await harness.jobs.cancel(owner, id)).toMatchObject({ id, state: 'cancelled' })
    expect(harness.jobs.activeJobs()).toBe(0)
    expect((await harness.waitForEnd(id)).state).toBe('cancelled')
  })
})

describe('results in memory', () => {
  it('results in memory are a hundred at most, and never push out a running job', async () => {
    const { store } = await workspace.open()
    const repository = createJobRepository(failing(() => true)(store))
    await repository.add({ ...jobFacts, id: 'tr_running', state: 'running' }, true)
    for (let i = 0; i < 150; i++) {
      const job = { ...jobFacts, id: `tr_${i}`, state: 'failed' as const }
      await repository.add({ ...job, state: 'running' }, true)
      repository.keepResult(job, {
        transcript: transcript({ id: job.id, status: 'failed' }),
        error: diskFull,
      })
    }
    expect(await repository.get(owner, 'tr_running')).toMatchObject({ state: 'running' })
    expect(await repository.get(owner, 'tr_0')).toBeUndefined()
    expect(await repository.get(owner, 'tr_149')).toMatchObject({ state: 'failed' })
  })

  it.each([
    ['are stored where the job is unchanged', 0, 'Kept'],
    ['are dropped where another process has changed the job', 1, 'Stored'],
  ])('%s', async (_, changes, title) => {
    let isFailing = false
    const harness = await workspace.open()
    const repository = createJobRepository(failing(() => isFailing)(harness.store))
    const job = await repository.add({ ...jobFacts, id: 'tr_1', state: 'running' })
    await harness.store.putTranscript(owner, transcript({ id: 'tr_1', title: 'Stored' }))
    isFailing = true
    repository.keepResult(
      { ...job, state: 'completed' },
      { transcript: transcript({ id: 'tr_1', title: 'Kept' }), error: diskFull },
    )
    expect(await repository.getTranscript(owner, 'tr_1')).toMatchObject({ title: 'Kept' })
    if (changes > 0) await harness.store.replaceJob({ ...job, revision: job.revision + changes })
    isFailing = false
    await repository.flush()
    expect(await harness.store.getTranscript(owner, 'tr_1')).toMatchObject({ title })
    expect(await repository.getTranscript(owner, 'tr_1')).toMatchObject({ title, warnings: [] })
  })

  it('results of a removed job are not stored', async () => {
    const { store } = await workspace.open()
    const repository = createJobRepository(store)
    const job = await repository.add({ ...jobFacts, id: 'tr_removed', state: 'running' })
    repository.keepResult(
      { ...job, state: 'completed' },
      { transcript: transcript({ id: 'tr_removed' }), error: diskFull },
    )
    await store.deleteJob(owner, 'tr_removed')
    await repository.flush()
    expect(await repository.getTranscript(owner, 'tr_removed')).toBeUndefined()
    expect(await store.getTranscript(owner, 'tr_removed')).toBeUndefined()
  })
})
