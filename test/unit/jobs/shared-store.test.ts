// Several machines on one store, one queue and one bucket: what is ordered at one is carried out at another.
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLatch, owner } from '../../support/jobs/harness.ts'
import { bucketOf, type Cluster, startCluster } from '../../support/jobs/shared-harness.ts'

let team: Cluster
beforeEach(async () => {
  team = await startCluster()
})
afterEach(() => team.close())

const eventually = { timeout: 30_000, interval: 20 }

/** Nothing is left where the machines meet. */
async function allGone(): Promise<void> {
  await vi.waitFor(() => expect(team.bucketKeys()).toEqual([]), eventually)
  await vi.waitFor(() => expect(team.mns.messages()).toEqual([]), eventually)
}

describe('a recording ordered at one machine', () => {
  it('is heard at another that does not see the file, and read at a third', async () => {
    const [front, other, worker] = await Promise.all([
      team.openServer(),
      team.openServer(),
      team.openWorker(),
    ])
    const { job } = await front.transcribe()
    expect(job.state).toBe('completed')
    expect(worker.requests).toHaveLength(team.workspace.chunks)
    expect(front.requests).toHaveLength(0)
    const transcript = await other.jobs.read(owner, job.id)
    expect(transcript).toMatchObject({ status: 'completed', title: 'talk' })
    await allGone()
  })

  it('waits where there is no worker yet, and says so', async () => {
    const front = await team.openServer()
    const { job } = await front.submit()
    const told: string[] = []
    const { signal } = new AbortController()
    const watched = front.jobs.watch(job.id, {
      owner,
      signal,
      onProgress: ({ message }) => told.push(message),
    })
    await vi.waitFor(() => expect(told).toContain('Waiting for a worker'), eventually)
    await team.openWorker()
    expect((await watched).state).toBe('completed')
  })

  it('is one job for whoever orders the same at another machine', async () => {
    const { open, opened } = createLatch()
    const worker = await team.openWorker({ recognise: () => opened })
    const [front, other] = await Promise.all([team.openServer(), team.openServer()])
    const { job } = await front.submit()
    await vi.waitFor(() => expect(worker.requests.length).toBeGreaterThan(0), eventually)
    const second = await other.submit()
    expect(second.job.id).toBe(job.id)
    open()
    const outcomes = await Promise.all([front.waitForEnd(job.id), other.waitForEnd(job.id)])
    expect(outcomes.map(({ state }) => state)).toEqual(['completed', 'completed'])
    expect(worker.requests).toHaveLength(team.workspace.chunks)
    await allGone()
  })

  it('is stopped by whoever has ordered it, wherever it is heard', async () => {
    const [front, worker] = await Promise.all([
      team.openServer(),
      team.openWorker({ recognise: () => new Promise(() => {}) }),
    ])
    const { job } = await front.submit()
    await vi.waitFor(() => expect(worker.requests.length).toBeGreaterThan(0), eventually)
    const caller = new AbortController()
    const watched = front.jobs.watch(job.id, { owner, signal: caller.signal })
    caller.abort(new Error('The caller went.'))
    await expect(watched).rejects.toThrow('The caller went.')
    await vi.waitFor(
      async () => expect((await front.store.getJob(owner, job.id))?.state).toBe('cancelled'),
      eventually,
    )
    await allGone()
  })

  it('goes on for others when somebody goes who has only joined them', async () => {
    const { open, opened } = createLatch()
    const worker = await team.openWorker({ recognise: () => opened })
    const [front, other] = await Promise.all([team.openServer(), team.openServer()])
    const { job } = await front.submit()
    await vi.waitFor(() => expect(worker.requests.length).toBeGreaterThan(0), eventually)
    await other.submit()
    const caller = new AbortController()
    const joined = other.jobs.watch(job.id, { owner, signal: caller.signal })
    caller.abort(new Error('The caller went.'))
    await expect(joined).rejects.toThrow('The caller went.')
    open()
    expect((await front.waitForEnd(job.id)).state).toBe('completed')
  })

  it('is done again where it failed before, and is sent again for that', async () => {
    let isBroken = true
    const [front] = await Promise.all([
      team.openServer(),
      team.openWorker({ recognise: async () => isBroken && Promise.reject(new Error('Broken.')) }),
    ])
    const first = await front.transcribe()
    expect(first.job.state).toBe('failed')
    await allGone()
    isBroken = false
    const second = await front.transcribe()
    expect(second.job).toMatchObject({ id: first.job.id, state: 'completed' })
    await allGone()
  })
})

describe('a recording on its way to the workers', () => {
  it('leaves nothing when its order is cancelled', async () => {
    const [front] = await Promise.all([team.openServer(), team.openWorker()])
    const off = team.oss.fault({ kind: 'hang', when: ({ method }) => method === 'PUT' })
    const { job } = await front.submit()
    await vi.waitFor(() => expect(team.oss.requests.length).toBeGreaterThan(0), eventually)
    const cancelling = front.jobs.cancel(owner, job.id)
    await vi.waitFor(
      async () => expect((await front.store.getJob(owner, job.id))?.state).toBe('cancelled'),
      eventually,
    )
    off()
    expect((await cancelling).state).toBe('cancelled')
    await allGone()
  })

  it('goes on when its server is started again', async () => {
    const [front, worker] = await Promise.all([team.openServer({ workerId: 'm/1//a' }), team.openWorker()])
    const off = team.oss.fault({ kind: 'hang', when: ({ method }) => method === 'PUT' })
    const { job } = await front.submit()
    await vi.waitFor(() => expect(team.oss.requests.length).toBeGreaterThan(0), eventually)
    off()
    await front.close()
    const again = await team.openServer({ workerId: 'm/1//b' })
    again.jobs.startRecovery()
    expect((await again.waitForEnd(job.id)).state).toBe('completed')
    expect(worker.requests).toHaveLength(team.workspace.chunks)
    await allGone()
  })

  it('whose server is gone is left to those who have the file, however many wait for it', async () => {
    const [front, blind] = await Promise.all([team.openServer(), team.openServer({ allowedDirs: [] })])
    team.oss.fault({ kind: 'hang', times: 1, when: ({ method }) => method === 'PUT' })
    const { job } = await front.submit()
    await vi.waitFor(() => expect(team.oss.requests.length).toBeGreaterThan(0), eventually)
    await front.close()
    const waiting = blind.waitForEnd(job.id)
    await vi.waitFor(
      async () => expect((await blind.store.getJob(owner, job.id))?.lease).toBeUndefined(),
      eventually,
    )
    const looks = team.tables.calls.length
    await vi.waitFor(() => expect(team.tables.calls.length).toBeGreaterThan(looks + 10), eventually)
    expect((await blind.store.getJob(owner, job.id))?.state).toBe('queued')

    // Whoever orders it now has it at another place.
    const file = join(team.workspace.folder, 'the same.wav')
    await copyFile(team.workspace.recording, file)
    await rm(team.workspace.recording)
    const [other] = await Promise.all([team.openServer(), team.openWorker()])
    expect((await other.submit({ audio: file })).job.id).toBe(job.id)
    expect((await waiting).state).toBe('completed')
  })

  it('that the bucket does not take fails, and says why', async () => {
    const front = await team.openServer()
    team.oss.fault({ kind: 'error', status: 403, code: 'AccessDenied' })
    const { job } = await front.transcribe()
    expect(job).toMatchObject({ state: 'failed', error: { code: 'BUCKET_REFUSED' } })
  })

  it('is given up where no worker can be told of it, and taken back', async () => {
    const front = await team.openServer()
    team.mns.set({ forbidden: ['SendMessage'] })
    const { job } = await front.transcribe()
    expect(job).toMatchObject({ state: 'failed', error: { code: 'QUEUE_REFUSED' } })
    await allGone()
  })

  it('is lost where somebody has emptied the bucket, and that is said', async () => {
    const front = await team.openServer()
    const { job } = await front.submit()
    await vi.waitFor(() => expect(team.mns.messages()).toHaveLength(1), eventually)
    const { recording } = (await front.store.getJob(owner, job.id))!
    await bucketOf(team.oss).delete(
      { way: 'bucket', keys: { any: recording! } },
      new AbortController().signal,
    )
    await team.openWorker()
    expect(await front.waitForEnd(job.id)).toMatchObject({
      state: 'failed',
      error: { code: 'RECORDING_LOST' },
    })
  })
})

describe('a worker', () => {
  it('that stops gives its job back, and another one asks for nothing that was heard', async () => {
    const { opened } = createLatch()
    const [front, first] = await Promise.all([
      team.openServer(),
      team.openWorker({ recognise: n => (n === 0 ? Promise.resolve() : opened) }),
    ])
    const { job } = await front.submit()
    await vi.waitFor(() => expect(first.requests).toHaveLength(team.workspace.chunks), eventually)
    await vi.waitFor(async () => {
      const { coverage } = await front.jobs.read(owner, job.id)
      expect(coverage.transcribedSeconds).toBeGreaterThan(0)
    }, eventually)
    await first.close()
    const heir = await team.openWorker()
    expect((await front.waitForEnd(job.id)).state).toBe('completed')
    expect(heir.requests).toHaveLength(team.workspace.chunks - 1)
    await allGone()
  })

  it('lets another one go on that has begun, when the message comes twice', async () => {
    const { open, opened } = createLatch()
    team.mns.fault({ operation: 'SendMessage', times: 1, how: { kind: 'lose' } })
    const [front, ...workers] = await Promise.all([
      team.openServer(),
      team.openWorker({ recognise: () => opened }),
      team.openWorker({ recognise: () => opened }),
    ])
    const { job } = await front.submit()
    await vi.waitFor(
      () => expect(team.mns.messages().every(({ dequeued }) => dequeued > 0)).toBe(true),
      eventually,
    )
    await vi.waitFor(
      () => expect(workers.flatMap(({ requests }) => requests)).toHaveLength(team.workspace.chunks),
      eventually,
    )
    open()
    expect((await front.waitForEnd(job.id)).state).toBe('completed')
    expect(workers.flatMap(({ requests }) => requests)).toHaveLength(team.workspace.chunks)
  })

  it('keeps what it has heard until the store takes it, and asks for nothing again', async () => {
    const [front, worker] = await Promise.all([team.openServer(), team.openWorker()])
    const refused = { operation: 'PutRow', table: 'team_transcripts' }
    const off = team.tables.fault({ ...refused, how: { kind: 'refuse', status: 503, code: 'OTSServerBusy' } })
    const { job } = await front.submit()
    await vi.waitFor(() => expect(worker.requests).toHaveLength(team.workspace.chunks), eventually)
    const tries = () => team.tables.calls.filter(({ table }) => table === refused.table).length
    const before = tries()
    await vi.waitFor(() => expect(tries()).toBeGreaterThan(before + 10), eventually)
    expect((await front.store.getJob(owner, job.id))?.state).toBe('running')
    off()
    expect((await front.waitForEnd(job.id)).state).toBe('completed')
    expect(worker.requests).toHaveLength(team.workspace.chunks)
    await allGone()
  })

  it('that stops while the store takes nothing leaves the job to another one', async () => {
    const [front, worker] = await Promise.all([team.openServer(), team.openWorker()])
    const refused = { operation: 'PutRow', table: 'team_transcripts' }
    const off = team.tables.fault({ ...refused, how: { kind: 'refuse', status: 503, code: 'OTSServerBusy' } })
    const { job } = await front.submit()
    await vi.waitFor(() => expect(worker.requests).toHaveLength(team.workspace.chunks), eventually)
    await worker.close()
    expect(await front.store.getJob(owner, job.id)).toMatchObject({ state: 'queued' })
    off()
    const heir = await team.openWorker()
    expect((await front.waitForEnd(job.id)).state).toBe('completed')
    expect(heir.requests).toEqual([])
  })
})

describe('services that fail now and then', () => {
  it('cost time and nothing else', async () => {
    team.tables.fault({ probability: 0.15, how: { kind: 'refuse', status: 503, code: 'OTSServerBusy' } })
    team.tables.fault({ probability: 0.1, how: { kind: 'lose' } })
    team.mns.fault({ probability: 0.2, how: { kind: 'html' } })
    team.mns.fault({ operation: /Send|Delete|Change/, probability: 0.2, how: { kind: 'lose' } })
    team.oss.fault({ kind: 'dropAfter', every: 4 })
    const [front, worker] = await Promise.all([team.openServer(), team.openWorker()])
    const { job } = await front.transcribe()
    expect(job.state).toBe('completed')
    expect(worker.requests).toHaveLength(team.workspace.chunks)
    const transcript = await front.jobs.read(owner, job.id)
    expect(transcript.coverage.gaps).toEqual([])
    await vi.waitFor(() => expect(team.bucketKeys()).toEqual([]), eventually)
  })
})
