// A store that fails for a while: what could not be written is written later, unless somebody else has moved on.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Store } from '../../../../src/domain/ports.ts'
import { createLedger } from '../../../../src/jobs/records/job-repository.ts'
import { createLatch, type House, me, type Site, startSite } from '../../../support/jobs/harness.ts'
import { transcript } from '../../../support/transcripts.ts'

let site: Site
beforeEach(async () => {
  site = await startSite()
})
afterEach(() => site.close())

const patient = { timeout: 30_000, interval: 20 }

type Write = 'addJob' | 'replaceJob' | 'putTranscript'

/** A store that refuses to write while `fails` says so. */
function failing(fails: (write: Write) => boolean): (store: Store) => Store {
  return store => {
    const guarded =
      <Given extends unknown[], T>(name: Write, write: (...given: Given) => Promise<T>) =>
      async (...given: Given) => {
        if (fails(name))
          throw new SpeechError('DISK_FULL', 'The disk takes no more.', { hint: 'Free some space.' })
        return write(...given)
      }
    return {
      ...store,
      addJob: guarded('addJob', store.addJob),
      replaceJob: guarded('replaceJob', store.replaceJob),
      putTranscript: guarded('putTranscript', store.putTranscript),
    }
  }
}

/** A house whose store fails from the moment on in which all of a recording is being heard. */
async function startInTrouble() {
  let isFailing = false
  const { open, opened } = createLatch()
  const house = await site.open({ hear: () => opened, store: failing(() => isFailing) })
  const { job } = await house.submit()
  await vi.waitFor(() => expect(house.asked).toHaveLength(site.chunks), patient)
  isFailing = true
  return {
    house,
    id: job.id,
    open,
    mend() {
      isFailing = false
    },
  }
}

const jobFacts = {
  owner: me,
  tool: 'transcribe_audio' as const,
  models: ['ears'],
  brief: false,
  revision: 1,
  order: { audio: '/a.wav' },
  createdAt: '2026-01-01',
  updatedAt: '2026-01-01',
}

const isLost = (warnings: string[]) => warnings.some(warning => /could not be stored/.test(warning))

describe('a job that ended while the store failed', () => {
  it('is answered from memory, and stored when the store is well again', async () => {
    const { house, id, open, mend } = await startInTrouble()
    open()
    expect((await house.over(id)).state).toBe('completed')
    expect(isLost((await house.jobs.read(me, id)).warnings)).toBe(true)
    expect((await house.stored(id)).job?.state).toBe('running')
    mend()
    expect(await house.transcribe()).toMatchObject({ answered: true, job: { state: 'completed' } })
    const { job, transcript } = await house.stored(id)
    expect(job).toMatchObject({ state: 'completed' })
    expect(transcript).toMatchObject({ status: 'completed' })
    expect(isLost(transcript!.warnings)).toBe(false)
    expect(isLost((await house.jobs.read(me, id)).warnings)).toBe(false)
  })

  it('is stored without being asked for, so that no other process carries it out too', async () => {
    const { house, id, open, mend } = await startInTrouble()
    open()
    await house.over(id)
    mend()
    await house.close()
    const other = await site.open()
    expect((await other.transcribe()).answered).toBe(true)
    expect(other.asked).toEqual([])
  })

  it('is given up where another process has moved on', async () => {
    const { house, id, open, mend } = await startInTrouble()
    open()
    await house.over(id)
    const { job } = await house.stored(id)
    await house.store.replaceJob({
      ...job!,
      revision: job!.revision + 1,
      lease: { worker: 'dead', until: 1 },
    })
    const other = await site.open({ model: 'ears' })
    await other.transcribe()
    const made = await other.stored(id)
    mend()
    await house.transcribe()
    expect(await house.stored(id)).toEqual(made)
    expect((await house.jobs.read(me, id)).warnings).toEqual(made.transcript!.warnings)
  })
})

describe('a job that runs while the store fails', () => {
  it('goes on, and its next renewal is in the store again', async () => {
    const { house, id, open, mend } = await startInTrouble()
    const { job } = await house.stored(id)
    await house.jobs.rename(me, id, { title: 'Written in vain' })
    expect((await house.stored(id)).job).toEqual(job)
    mend()
    await vi.waitFor(async () => {
      const now = (await house.stored(id)).job!
      expect(now.order.title).toBe('Written in vain')
      expect(now.lease!.until).toBeGreaterThan(job!.lease!.until)
    }, patient)
    open()
    expect((await house.over(id)).state).toBe('completed')
    expect((await house.stored(id)).transcript?.title).toBe('Written in vain')
  })

  it('is not pushed out of memory by all those that end meanwhile', async () => {
    const { store } = await site.open()
    const ledger = createLedger(failing(() => true)(store))
    const facts = { ...jobFacts, state: 'running' as const }
    await ledger.add({ ...facts, id: 'tr_running' })
    for (let i = 0; i < 150; i++) await ledger.add({ ...facts, id: `tr_${i}`, state: 'failed' })
    expect(await ledger.job(me, 'tr_running')).toMatchObject({ state: 'running' })
    expect(await ledger.job(me, 'tr_0')).toBeUndefined()
    expect(await ledger.job(me, 'tr_149')).toBeDefined()
  })
})

describe('what could not be stored', () => {
  it.each([
    ['more than another process has stored since is stored', 5, true],
    ['less than that is dropped', 1, false],
  ])('%s', async (_, heard, isStored) => {
    let isFailing = true
    const house: House = await site.open()
    const { job } = await house.transcribe()
    const ledger = createLedger(failing(() => isFailing)(house.store))
    const coverage = (transcribedSeconds: number) => ({ speechSeconds: 5, transcribedSeconds, gaps: [] })
    const facts = { id: job.id, status: 'completed' as const }
    await ledger.keep(me, transcript({ ...facts, title: 'Held', coverage: coverage(heard) }))
    await house.store.putTranscript(me, transcript({ ...facts, title: 'Stored', coverage: coverage(3) }))
    isFailing = false
    await ledger.settle()
    const title = isStored ? 'Held' : 'Stored'
    expect(await house.store.getTranscript(me, job.id)).toMatchObject({ title })
    expect(await ledger.transcript(me, job.id)).toMatchObject({ title, warnings: [] })
  })

  it('of a transcript that somebody has removed stays removed', async () => {
    let isFailing = true
    const house = await site.open()
    const ledger = createLedger(failing(() => isFailing)(house.store))
    await ledger.keep(me, transcript({ id: 'tr_gone' }))
    isFailing = false
    await ledger.settle()
    expect(await ledger.transcript(me, 'tr_gone')).toBeUndefined()
  })
})
