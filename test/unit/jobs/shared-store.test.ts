// Several machines that share a store, a queue and a bucket: jobs submitted on one run on another.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLatch, owner } from '../../support/jobs/harness.ts'
import { type Cluster, eventually, startCluster } from '../../support/jobs/shared-harness.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

describe('a recording submitted on one machine', () => {
  it('a recording submitted on one machine runs on a second and is read on a third', async () => {
    const [server, other, worker] = await Promise.all([
      cluster.openServer(),
      cluster.openServer(),
      cluster.openWorker(),
    ])
    const { job } = await server.transcribe()
    expect(job.state).toBe('completed')
    expect(worker.requests).toHaveLength(cluster.workspace.chunks)
    expect(server.requests).toHaveLength(0)
    const transcript = await other.jobs.read(owner, job.id)
    expect(transcript).toMatchObject({ status: 'completed', title: 'talk' })
    await cluster.emptied()
  })

  it('a recording without a worker waits, and its progress says so', async () => {
    const server = await cluster.openServer()
    const { job } = await server.submit()
    const messages: string[] = []
    const { signal } = new AbortController()
    const watched = server.jobs.watch(job.id, {
      owner,
      signal,
      onProgress: ({ message }) => messages.push(message),
    })
    await vi.waitFor(() => expect(messages).toContain('Waiting for a worker'), eventually)
    await cluster.openWorker()
    expect((await watched).state).toBe('completed')
  })

  it('the same request on another machine joins the same job', async () => {
    const { open, opened } = createLatch()
    const worker = await cluster.openWorker({ recognise: () => opened })
    const [server, other] = await Promise.all([cluster.openServer(), cluster.openServer()])
    const { job } = await server.submit()
    await vi.waitFor(() => expect(worker.requests.length).toBeGreaterThan(0), eventually)
    const second = await other.submit()
    expect(second.job.id).toBe(job.id)
    open()
    const outcomes = await Promise.all([server.waitForEnd(job.id), other.waitForEnd(job.id)])
    expect(outcomes.map(({ state }) => state)).toEqual(['completed', 'completed'])
    expect(worker.requests).toHaveLength(cluster.workspace.chunks)
    await cluster.emptied()
  })

  it('a caller that disconnects stops its job on the other machine', async () => {
    const [server, worker] = await Promise.all([
      cluster.openServer(),
      cluster.openWorker({ recognise: () => new Promise(() => {}) }),
    ])
    const { job } = await server.submit()
    await vi.waitFor(() => expect(worker.requests.length).toBeGreaterThan(0), eventually)
    const caller = new AbortController()
    const watched = server.jobs.watch(job.id, { owner, signal: caller.signal })
    caller.abort(new Error('The caller went.'))
    await expect(watched).rejects.toThrow('The caller went.')
    await vi.waitFor(
      async () => expect((await server.store.getJob(owner, job.id))?.state).toBe('cancelled'),
      eventually,
    )
    await cluster.emptied()
  })

  it('a joined caller that disconnects leaves the job to the others', async () => {
    const { open, opened } = createLatch()
    const worker = await cluster.openWorker({ recognise: () => opened })
    const [server, other] = await Promise.all([cluster.openServer(), cluster.openServer()])
    const { job } = await server.submit()
    await vi.waitFor(() => expect(worker.requests.length).toBeGreaterThan(0), eventually)
    await other.submit()
    const caller = new AbortController()
    const joined = other.jobs.watch(job.id, { owner, signal: caller.signal })
    caller.abort(new Error('The caller went.'))
    await expect(joined).rejects.toThrow('The caller went.')
    open()
    expect((await server.waitForEnd(job.id)).state).toBe('completed')
  })

  it('a failed job is started and sent again by the same request', async () => {
    let isBroken = true
    const [server] = await Promise.all([
      cluster.openServer(),
      cluster.openWorker({ recognise: async () => isBroken && Promise.reject(new Error('Broken.')) }),
    ])
    const first = await server.transcribe()
    expect(first.job.state).toBe('failed')
    await cluster.emptied()
    isBroken = false
    const second = await server.transcribe()
    expect(second.job).toMatchObject({ id: first.job.id, state: 'completed' })
    await cluster.emptied()
  })
})

describe('a worker', () => {
  it('a stopping worker releases its job, and the next one repeats no recognised chunk', async () => {
    const { opened } = createLatch()
    const [server, first] = await Promise.all([
      cluster.openServer(),
      cluster.openWorker({ recognise: n => (n === 0 ? Promise.resolve() : opened) }),
    ])
    const { job } = await server.submit()
    await vi.waitFor(() => expect(first.requests).toHaveLength(cluster.workspace.chunks), eventually)
    await vi.waitFor(async () => {
      const { coverage } = await server.jobs.read(owner, job.id)
      expect(coverage.transcribedSeconds).toBeGreaterThan(0)
    }, eventually)
    await first.close()
    const successor = await cluster.openWorker()
    expect((await server.waitForEnd(job.id)).state).toBe('completed')
    expect(successor.requests).toHaveLength(cluster.workspace.chunks - 1)
    await cluster.emptied()
  })

  it('a worker leaves a job alone that another one runs when the message is delivered twice', async () => {
    const { open, opened } = createLatch()
    cluster.mns.fault({ operation: 'SendMessage', times: 1, how: { kind: 'lose' } })
    const [server, ...workers] = await Promise.all([
      cluster.openServer(),
      cluster.openWorker({ recognise: () => opened }),
      cluster.openWorker({ recognise: () => opened }),
    ])
    const { job } = await server.submit()
    await vi.waitFor(
      () => expect(cluster.mns.messages().every(({ dequeued }) => dequeued > 0)).toBe(true),
      eventually,
    )
    await vi.waitFor(
      () => expect(workers.flatMap(({ requests }) => requests)).toHaveLength(cluster.workspace.chunks),
      eventually,
    )
    open()
    expect((await server.waitForEnd(job.id)).state).toBe('completed')
    expect(workers.flatMap(({ requests }) => requests)).toHaveLength(cluster.workspace.chunks)
  })

  it('a worker fails a job after which five others have died, although another machine has queued it again', async () => {
    const server = await cluster.openServer()
    const { job } = await server.submit()
    const queued = await vi.waitFor(async () => {
      const now = (await server.store.getJob(owner, job.id))!
      expect(now).toMatchObject({ state: 'queued', recording: expect.any(String) })
      const dead = { ...now, attempts: { count: 5 }, revision: now.revision + 1 }
      expect(await server.store.replaceJob(dead)).toBe(true)
      return dead
    }, eventually)
    const worker = await cluster.openWorker()
    const ended = await server.waitForEnd(queued.id)
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'POISON' } })
    expect(worker.requests).toEqual([])
  })

  it('a worker keeps its result until the shared store takes it', async () => {
    const [server, worker] = await Promise.all([cluster.openServer(), cluster.openWorker()])
    const refused = { operation: 'PutRow', table: 'team_transcripts' }
    const off = cluster.tables.fault({
      ...refused,
      how: { kind: 'refuse', status: 503, code: 'OTSServerBusy' },
    })
    const { job } = await server.submit()
    await vi.waitFor(() => expect(worker.requests).toHaveLength(cluster.workspace.chunks), eventually)
    const tries = () => cluster.tables.calls.filter(({ table }) => table === refused.table).length
    const before = tries()
    await vi.waitFor(() => expect(tries()).toBeGreaterThan(before + 10), eventually)
    expect((await server.store.getJob(owner, job.id))?.state).toBe('running')
    off()
    expect((await server.waitForEnd(job.id)).state).toBe('completed')
    expect(worker.requests).toHaveLength(cluster.workspace.chunks)
    await cluster.emptied()
  })

  it('a worker that stops while the store fails leaves the job to another one', async () => {
    const [server, worker] = await Promise.all([cluster.openServer(), cluster.openWorker()])
    const refused = { operation: 'PutRow', table: 'team_transcripts' }
    const off = cluster.tables.fault({
      ...refused,
      how: { kind: 'refuse', status: 503, code: 'OTSServerBusy' },
    })
    const { job } = await server.submit()
    await vi.waitFor(() => expect(worker.requests).toHaveLength(cluster.workspace.chunks), eventually)
    await worker.close()
    expect(await server.store.getJob(owner, job.id)).toMatchObject({ state: 'queued' })
    off()
    const successor = await cluster.openWorker()
    expect((await server.waitForEnd(job.id)).state).toBe('completed')
    expect(successor.requests).toEqual([])
  })
})

describe('services that fail now and then', () => {
  it('services that fail now and then delay a job but lose nothing', async () => {
    cluster.tables.fault({ probability: 0.15, how: { kind: 'refuse', status: 503, code: 'OTSServerBusy' } })
    cluster.tables.fault({ probability: 0.1, how: { kind: 'lose' } })
    cluster.mns.fault({ probability: 0.2, how: { kind: 'html' } })
    cluster.mns.fault({ operation: /Send|Delete|Change/, probability: 0.2, how: { kind: 'lose' } })
    cluster.oss.fault({ kind: 'dropAfter', every: 4 })
    const [server, worker] = await Promise.all([cluster.openServer(), cluster.openWorker()])
    const { job } = await server.transcribe()
    expect(job.state).toBe('completed')
    expect(worker.requests).toHaveLength(cluster.workspace.chunks)
    const transcript = await server.jobs.read(owner, job.id)
    expect(transcript.coverage.gaps).toEqual([])
    await vi.waitFor(() => expect(cluster.bucketKeys()).toEqual([]), eventually)
  })
})
