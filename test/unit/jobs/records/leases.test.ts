// Several processes on one store: each job is carried out once, by whoever has it, and taken over from the dead.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Job } from '../../../../src/domain/job.ts'
import { createLeases } from '../../../../src/jobs/records/lease.ts'
import { createWorkerId } from '../../../../src/jobs/records/worker-id.ts'
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

const eventually = { timeout: 30_000, interval: 20 }

/** Writes the job as another process would, between two looks of its worker. */
async function rewrite({ store }: Harness, id: string, change: (job: Job) => Partial<Job>): Promise<void> {
  for (;;) {
    const job = (await store.getJob(owner, id))!
    if (await store.replaceJob({ ...job, ...change(job), revision: job.revision + 1 })) return
  }
}

const isFree = (job: Job, self: string) => createLeases(self, { shared: false }).isFree(job)

const expired = ({ lease }: Job) => ({ lease: { worker: lease!.worker, until: 1 } })

/** A harness in which work has begun and goes on when the gate is opened. */
async function startWork(from = 0) {
  const { open, opened } = createLatch()
  const harness = await workspace.open({ recognise: n => (n < from ? Promise.resolve() : opened) })
  const { job } = await harness.submit()
  await vi.waitFor(() => expect(harness.requests).toHaveLength(workspace.chunks), eventually)
  return { harness, id: job.id, open }
}

describe('one order', () => {
  it('placed in two processes at the same instant is carried out once', async () => {
    const harnesses = await Promise.all([workspace.open(), workspace.open()])
    const outcomes = await Promise.all(harnesses.map(harness => harness.transcribe()))
    expect(outcomes.map(({ job }) => job.state)).toEqual(['completed', 'completed'])
    expect(harnesses.flatMap(({ requests }) => requests)).toHaveLength(workspace.chunks)
  })

  it('is taken over from a worker whose lease has run out, without what that one had heard', async () => {
    const { harness, id } = await startWork(2)
    await vi.waitFor(async () => {
      const kept = await Promise.all(harness.requests.map(async () => harness.jobs.read(owner, id)))
      expect(kept[0]!.coverage.transcribedSeconds).toBeGreaterThan(0)
    }, eventually)
    await rewrite(harness, id, expired)
    const heir = await workspace.open()
    expect((await heir.transcribe()).job.state).toBe('completed')
    expect(heir.requests).toHaveLength(1)
  })

  it('finished by another while its worker slept stays as that one made it', async () => {
    const { open, opened } = createLatch()
    const sleeper = await workspace.open({
      recognise: () => opened.then(() => 'Said in a dream, and much more of it.'),
    })
    const { job } = await sleeper.submit()
    await vi.waitFor(() => expect(sleeper.requests).toHaveLength(workspace.chunks), eventually)
    await rewrite(sleeper, job.id, expired)
    const heir = await workspace.open()
    await heir.transcribe()
    const made = await heir.stored(job.id)
    open()
    await sleeper.close()
    expect(await heir.stored(job.id)).toEqual(made)
    expect(made.transcript).toMatchObject({ status: 'completed' })
  })

  it('that another process cancels and orders again goes on where it was, and is not asked for twice', async () => {
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

  it('that another process cancels stops here, keeps what there is, and lets go', async () => {
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

  it('waits in the lane that it had before a restart', async () => {
    const brief = await workspace.open({ concurrency: { short: 0, long: 0, remote: 0 } })
    const { job } = await brief.submit()
    await rewrite(brief, job.id, () => ({ short: true, lease: { worker: 'dead', until: 1 } }))
    const next = await workspace.open({ concurrency: { short: 1, long: 0, remote: 0 } })
    next.jobs.startRecovery()
    await vi.waitFor(async () => expect((await next.stored(job.id)).job?.state).toBe('completed'), eventually)
  })

  it('that waits in a process which stops is another one’s at once', async () => {
    const first = await workspace.open({ concurrency: { short: 0, long: 0, remote: 0 } })
    const { job } = await first.submit()
    await first.close()
    const next = await workspace.open()
    expect(await next.waitForEnd(job.id)).toMatchObject({ state: 'completed' })
  })
})

describe('a job of another model', () => {
  it('is left to whoever has that model', async () => {
    const { harness, id } = await startWork()
    await rewrite(harness, id, expired)
    await harness.close()
    const other = await workspace.open({ model: 'other-ears' })
    other.jobs.startRecovery()
    await other.transcribe()
    const job = await other.jobs.watch(id, { owner, signal: new AbortController().signal, seconds: 0 })
    expect(job.state).toBe('queued')
    expect(other.requests).toHaveLength(workspace.chunks)
    const heir = await workspace.open()
    expect(await heir.waitForEnd(id)).toMatchObject({ state: 'completed', models: ['ears'] })
  })

  it('a job with a further model is left to a process that has all of its models', async () => {
    const { harness, id } = await startWork()
    await harness.close()
    await rewrite(await workspace.open(), id, ({ models }) => ({ models: [...models, 'other-ears'] }))
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

  it('is dead when its process is', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    await once(child, 'spawn')
    const name = named(child.pid!)
    expect(isFree(job(name), self)).toBe(false)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(isFree(job(name), self)).toBe(true)
  })

  it.runIf(process.platform === 'linux')('is dead when its number is another process’s by now', () => {
    expect(isFree(job(named(process.ppid, '1')), self)).toBe(true)
    expect(started).toMatch(/^\d+$/)
  })

  it('that had our own number before us is dead', () => {
    expect(isFree(job(`${named(process.pid)}x`), self)).toBe(true)
    expect(isFree(job(self), self)).toBe(false)
  })

  it.each([
    ['in another container with the same number', `another-place/${process.pid}/1/abc`],
    ['of an earlier version', `some-host/${process.pid}/abc`],
    ['with a name that says nothing', 'worker'],
  ])('%s is not known to be dead, and keeps its job until the lease has run out', (_, name) => {
    expect(isFree(job(name), self)).toBe(false)
    expect(isFree({ lease: { worker: name, until: Date.now() - 1 } } as Job, self)).toBe(true)
  })
})

describe('a lease of another machine, where machines share the store', () => {
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

  it.each([-10, 0, 10])('does not depend on clocks that are %i minutes apart', apart => {
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

  it('is void at once where no clock is as wrong as that', () => {
    const { isFree } = createLeases(self, { shared: true })
    expect(isFree(leased(Date.now() - 60 * minutes))).toBe(true)
  })

  it('of a worker on our own machine goes by the clock that we share', () => {
    const { isFree } = createLeases(self, { shared: true })
    expect(isFree(leased(Date.now() - 1, 'here/1//other'))).toBe(true)
  })
})
