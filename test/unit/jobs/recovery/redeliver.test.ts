// Jobs of a shared queue that nobody carries out, as those who look at them from time to time see them.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Job } from '../../../../src/domain/job.ts'
import { createLedger } from '../../../../src/jobs/records/job-repository.ts'
import { createLeases } from '../../../../src/jobs/records/lease.ts'
import {
  createUnclaimed,
  type Unclaimed,
  type UnclaimedHouse,
} from '../../../../src/jobs/recovery/redeliver.ts'
import { type House, me, type Site, startSite } from '../../../support/jobs/harness.ts'

const seconds = 1_000
const hour = 3_600 * seconds
let site: Site
let house: House
let sent: Job[]
let looks: Unclaimed[]

beforeEach(async () => {
  site = await startSite()
  house = await site.open()
  sent = []
  looks = [open(), open()]
  vi.useFakeTimers({ toFake: ['Date', 'performance'] })
})
afterEach(async () => {
  vi.useRealTimers()
  await site.close()
})

/** One of the machines that look; what it sends is only noted. */
function open(): Unclaimed {
  const { store } = house
  const parts: UnclaimedHouse = {
    store,
    ledger: createLedger(store, { shared: true }),
    closing: new AbortController().signal,
    leases: createLeases(`looker-${Math.random()}/1//mark`, { shared: true }),
    pipeline: { allowedDirs: [site.folder] } as unknown as UnclaimedHouse['pipeline'],
    dispatch: async job => void sent.push(job),
    tidying: {
      desert: async () => {},
      takeAway: async () => {},
      takeRecordingAway: async () => {},
      sweep: async () => {},
    },
  }
  return createUnclaimed(parts)
}

async function put(facts: Partial<Job>): Promise<void> {
  const at = new Date().toISOString()
  const base = {
    id: 'tr_1',
    owner: me,
    tool: 'transcribe_audio',
    models: ['ears'],
    brief: true,
    revision: 1,
  } as const
  await house.store.addJob({
    ...base,
    order: { audio: '/elsewhere/talk.wav' },
    state: 'queued',
    createdAt: at,
    updatedAt: at,
    ...facts,
  } as Job)
}

/** All machines look, and so much time goes by. */
async function look(milliseconds = 0): Promise<void> {
  for (const one of looks) for (const job of await house.store.unfinishedJobs()) await one.lookAt(job)
  vi.advanceTimersByTime(milliseconds)
}

describe('a queued job', () => {
  it('to which nothing happens is sent again by one machine, and then more and more rarely', async () => {
    await put({ recording: 'key' })
    const moments: number[] = []
    for (let second = 0; second < 300; second += 5) {
      const before = sent.length
      await look(5 * seconds)
      if (sent.length > before) moments.push(second)
    }
    expect(moments).toEqual([20, 60, 145])
    expect((await house.store.getJob(me, 'tr_1'))?.sent).toBe(3)
  })

  it('waits since it was ordered, however often it is sent', async () => {
    await put({ recording: 'key' })
    const { updatedAt } = (await house.store.getJob(me, 'tr_1'))!
    await look(30 * seconds)
    await look()
    expect(sent).toHaveLength(1)
    expect(sent[0]!.updatedAt).toBe(updatedAt)
  })

  it('whose file lies on a machine that is gone is lost after an hour', async () => {
    await put({ content: 'hash' })
    await look(hour - seconds)
    await look(2 * seconds)
    expect((await house.store.getJob(me, 'tr_1'))?.state).toBe('queued')
    await look()
    expect(await house.store.getJob(me, 'tr_1')).toMatchObject({
      state: 'failed',
      error: { code: 'RECORDING_LOST' },
    })
    expect(sent).toEqual([])
  })
})

describe('a running job', () => {
  const lease = (until: number) => ({ worker: 'dead/1//mark', until, time: 15 * seconds })

  it('whose worker renews its lease is left to it', async () => {
    await put({ state: 'running', recording: 'key', lease: lease(Date.now()) })
    for (let renewals = 0; renewals < 10; renewals++) {
      await look(10 * seconds)
      const job = (await house.store.getJob(me, 'tr_1'))!
      await house.store.replaceJob({ ...job, lease: lease(Date.now()), revision: job.revision + 1 })
    }
    expect(sent).toEqual([])
  })

  it('whose worker is dead is queued again and sent once', async () => {
    await put({ state: 'running', recording: 'key', lease: lease(Date.now()), tries: { count: 2, done: 7 } })
    for (let looks = 0; looks < 3; looks++) await look(10 * seconds)
    expect(sent).toHaveLength(1)
    const job = (await house.store.getJob(me, 'tr_1'))!
    expect(job).toMatchObject({ state: 'queued', tries: { count: 2, done: 7 } })
    expect(job.lease).toBeUndefined()
  })
})
