// Leases: several processes on one store run each job once, and take over jobs of dead workers.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Job } from '../../../../src/domain/job.ts'
import { createLeases } from '../../../../src/jobs/records/lease.ts'
import { createWorkerId } from '../../../../src/jobs/records/worker-id.ts'
import { failing } from '../../../support/jobs/failing-store.ts'
import {
  createLatch,
  createWorkspace,
  type Harness,
  owner,
  type Workspace,
} from '../../../support/jobs/harness.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace()
})
afterEach(() => workspace.close())

const eventually = { timeout: 60_000, interval: 20 }

/** Writes the job as another process would, between two looks of its worker. */
async function rewrite({ store }: Harness, id: string, change: (job: Job) => Partial<Job>): Promise<void> {
  for (;;) {
    const job = (await store.getJob(owner, id))!
    if (await store.replaceJob({ ...job, ...change(job), revision: job.revision + 1 })) return
  }
}

const isFree = (job: Job, self: string) => createLeases(self, { shared: false }).isFree(job)

const expired = ({ lease }: Job) => ({ lease: { worker: lease!.worker, until: 1 } })

/** A harness in which work has begun and goes on when the latch is opened. While it sleeps, it renews no lease. */
async function startWork(from = 0, text?: string) {
  const { open, opened } = createLatch()
  let isAsleep = false
  const harness = await workspace.open({
    recognise: async n => {
      if (n >= from) await opened
      return text
    },
    store: failing(() => isAsleep),
  })
  const { job } = await harness.submit()
  await vi.waitFor(() => expect(harness.requests).toHaveLength(workspace.chunks), eventually)
  const sleep = async () => {
    isAsleep = true
    await rewrite(harness, job.id, expired)
  }
  const wake = () => {
    isAsleep = false
  }
  return { harness, id: job.id, open, sleep, wake }
}

describe('a job', () => {
  it('a request submitted in two processes at the same instant runs once', async () => {
    const harnesses = await Promise.all([workspace.open(), workspace.open()])
    const outcomes = await Promise.all(harnesses.map(harness => harness.transcribe()))
    expect(outcomes.map(({ job }) => job.state)).toEqual(['completed', 'completed'])
    expect(harnesses.flatMap(({ requests }) => requests)).toHaveLength(workspace.chunks)
  })

  it('a job with an expired lease is taken over, and recognised chunks are not sent again', async () => {
    const { harness, id, sleep } = await startWork(2)
    await vi.waitFor(async () => {
      const kept = await Promise.all(harness.requests.map(async () => harness.jobs.read(owner, id)))
      expect(kept[0]!.coverage.transcribedSeconds).toBeGreaterThan(0)
    }, eventually)
    await sleep()
    const successor = await workspace.open()
    expect((await successor.transcribe()).job.state).toBe('completed')
    expect(successor.requests).toHaveLength(1)
  })

  it('a worker that slept does not overwrite the result of the worker that took over', async () => {
    const text = 'Said in a dream, and much more of it.'
    const { harness: sleeper, id, open, sleep, wake } = await startWork(0, text)
    await sleep()
    const successor = await workspace.open()
    await successor.transcribe()
    const made = await successor.stored(id)
    wake()
    open()
    await sleeper.close()
    expect(await successor.stored(id)).toEqual(made)
    expect(made.transcript).toMatchObject({ status: 'completed' })
  })

  it('a job that is cancelled and submitted again elsewhere continues without repeated requests', async () => {
    const { harness, id, open } = await startWork()
    const other = await workspace.open()
    await other.jobs.cancel(owner, id)
    const { job } = await other.submit()
    const over = other.waitForEnd(job.id)
    await vi.waitFor(async () => expect((await other.stored(id)).job?.state).toBe('running'), eventually)
    expect((await other.stored(id)).job?.lease?.worker).toBe(harness.workerId)
    open()
    expect(await over).toMatchObject({ id, state: 'completed' })
    const asked = [...harness.requests, ...other.requests]
    expect(asked).toHaveLength(new Set(asked).size)
  })

  it('a job that another process cancels stops here, keeps its findings and frees its lease', async () => {
    const { harness, id } = await startWork(2)
    const other = await workspace.open()
    await other.jobs.cancel(owner, id)
    await harness.waitForEnd(id)
    await vi.waitFor(async () => {
      const { job, transcript } = await other.stored(id)
      expect(job).toMatchObject({ state: 'cancelled' })
      expect(job!.lease).toBeUndefined()
      expect(transcript).toMatchObject({ status: 'cancelled' })
    }, eventually)
  })

  it('a short job waits in its lane after a restart too', async () => {
    const shortJob = await workspace.open({ concurrency: { short: 0, long: 0, remote: 0 } })
    const { job } = await shortJob.submit()
    await rewrite(shortJob, job.id, () => ({ short: true, lease: { worker: 'dead', until: 1 } }))
    const next = await workspace.open({ concurrency: { short: 1, long: 0, remote: 0 } })
    next.jobs.startRecovery()
    await vi.waitFor(async () => expect((await next.stored(job.id)).job?.state).toBe('completed'), eventually)
  })

  it('a job that waits in a stopping process is free for another one at once', async () => {
    const first = await workspace.open({ concurrency: { short: 0, long: 0, remote: 0 } })
    const { job } = await first.submit()
    await first.close()
    const next = await workspace.open()
    expect(await next.waitForEnd(job.id)).toMatchObject({ state: 'completed' })
  })
})

describe('a job of another model', () => {
  it('a job of another model is left to a process that has the model', async () => {
    const { harness, id } = await startWork()
    await rewrite(harness, id, expired)
    await harness.close()
    const other = await workspace.open({ model: 'other-asr' })
    other.jobs.startRecovery()
    await other.transcribe()
    const job = await other.jobs.watch(id, { owner, signal: new AbortController().signal, seconds: 0 })
    expect(job.state).toBe('queued')
    expect(other.requests).toHaveLength(workspace.chunks)
    const successor = await workspace.open()
    expect(await successor.waitForEnd(id)).toMatchObject({ state: 'completed', models: ['fake-asr'] })
  })

  it('a job with a further model is left to a process that has all of its models', async () => {
    const { harness, id } = await startWork()
    await harness.close()
    await rewrite(await workspace.open(), id, ({ models }) => ({ models: [...models, 'other-asr'] }))
    const other = await workspace.open()
    other.jobs.startRecovery()
    await other.transcribe({ context: 'another job' })
    expect((await other.stored(id)).job?.state).toBe('queued')
  })
})

describe('a worker', () => {
  const self = createWorkerId()
  const [place, , started, mark] = self.split('/')
  const job = (worker: string) => ({ lease: { worker, until: Date.now() + 60_000 } }) as Job
  const named = (pid: number, since = '') => [place, pid, since, mark].join('/')

  it('a worker is dead when its process is', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    await once(child, 'spawn')
    const name = named(child.pid!)
    expect(isFree(job(name), self)).toBe(false)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(isFree(job(name), self)).toBe(true)
  })

  it.runIf(process.platform === 'linux')(
    'a worker is dead when another process has its process number by now',
    () => {
      expect(isFree(job(named(process.ppid, '1')), self)).toBe(true)
      expect(started).toMatch(/^\d+$/)
    },
  )

  it('a worker that had our process number before us is dead', () => {
    expect(isFree(job(`${named(process.pid)}x`), self)).toBe(true)
    expect(isFree(job(self), self)).toBe(false)
  })

  it.each([
    ['a worker in another container with the same number', `another-place/${process.pid}/1/abc`],
    ['a worker id with three parts', `some-host/${process.pid}/abc`],
    ['a worker id without any parts', 'worker'],
  ])('%s is not known to be dead, and keeps its job until the lease has run out', (_, name) => {
    expect(isFree(job(name), self)).toBe(false)
    expect(isFree({ lease: { worker: name, until: Date.now() - 1 } } as Job, self)).toBe(true)
  })
})

describe('a lease of another machine', () => {
  const self = 'here/1//mark'
  const minutes = 60_000

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function leased(until: number, worker = 'there/1//mark'): Job {
    return { id: 'j', owner, lease: { worker, until, time: 15_000 } } as Job
  }

  it.each([-10, 0, 10])('a lease lasts its whole length with clocks that are %i minutes apart', apart => {
    const { isFree } = createLeases(self, { shared: true })
    for (let renewals = 0; renewals < 10; renewals++) {
      expect(isFree(leased(Date.now() + apart * minutes + 15_000))).toBe(false)
      vi.advanceTimersByTime(3_000)
    }
    const last = leased(Date.now() + apart * minutes + 15_000)
    expect(isFree(last)).toBe(false)
    vi.advanceTimersByTime(14_000)
    expect(isFree(last)).toBe(false)
    vi.advanceTimersByTime(2_000)
    expect(isFree(last)).toBe(true)
  })

  it('a lease that ended an hour ago is void at first sight', () => {
    const { isFree } = createLeases(self, { shared: true })
    expect(isFree(leased(Date.now() - 60 * minutes))).toBe(true)
  })

  it('a lease of a worker on our machine is judged by the shared clock', () => {
    const { isFree } = createLeases(self, { shared: true })
    expect(isFree(leased(Date.now() - 1, 'here/1//other'))).toBe(true)
  })
})
