// Recordings that a server uploads for the workers of other machines: cancelled, resumed, refused and lost uploads.
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { owner } from '../../support/jobs/harness.ts'
import { bucketOf, type Cluster, eventually, startCluster } from '../../support/jobs/shared-harness.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

/** The bucket was asked to take a recording: from here on, a fault that hangs has a request to hold. */
async function uploadBegan(): Promise<void> {
  const methods = () => cluster.oss.requests.map(({ method }) => method)
  await vi.waitFor(() => expect(methods()).toContain('PUT'), eventually)
}

describe('a recording that is uploaded for workers', () => {
  it('a cancelled upload leaves nothing in the bucket', async () => {
    const [server] = await Promise.all([cluster.openServer(), cluster.openWorker()])
    const off = cluster.oss.fault({ kind: 'hang', when: ({ method }) => method === 'PUT' })
    const { job } = await server.submit()
    await uploadBegan()
    const cancelling = server.jobs.cancel(owner, job.id)
    await vi.waitFor(
      async () => expect((await server.store.getJob(owner, job.id))?.state).toBe('cancelled'),
      eventually,
    )
    off()
    expect((await cancelling).state).toBe('cancelled')
    await cluster.emptied()
  })

  it('an upload is resumed when its server is started again', async () => {
    const [server, worker] = await Promise.all([
      cluster.openServer({ workerId: 'm/1//a' }),
      cluster.openWorker(),
    ])
    const off = cluster.oss.fault({ kind: 'hang', when: ({ method }) => method === 'PUT' })
    const { job } = await server.submit()
    await uploadBegan()
    off()
    await server.close()
    const again = await cluster.openServer({ workerId: 'm/1//b' })
    again.jobs.startRecovery()
    expect((await again.waitForEnd(job.id)).state).toBe('completed')
    expect(worker.requests).toHaveLength(cluster.workspace.chunks)
    await cluster.emptied()
  })

  it('a recording of a stopped server waits for a machine that has the file', async () => {
    const [server, blind] = await Promise.all([cluster.openServer(), cluster.openServer({ allowedDirs: [] })])
    const off = cluster.oss.fault({ kind: 'hang', when: ({ method }) => method === 'PUT' })
    const { job } = await server.submit()
    await uploadBegan()
    await server.close()
    off()
    const waiting = blind.waitForEnd(job.id)
    await vi.waitFor(
      async () => expect((await blind.store.getJob(owner, job.id))?.lease).toBeUndefined(),
      eventually,
    )
    const looks = cluster.tables.calls.length
    await vi.waitFor(() => expect(cluster.tables.calls.length).toBeGreaterThan(looks + 10), eventually)
    expect((await blind.store.getJob(owner, job.id))?.state).toBe('queued')

    // The next request has the file at another path.
    const file = join(cluster.workspace.folder, 'the same.wav')
    await copyFile(cluster.workspace.recording, file)
    await rm(cluster.workspace.recording)
    const [other] = await Promise.all([cluster.openServer(), cluster.openWorker()])
    expect((await other.submit({ audio: file })).job.id).toBe(job.id)
    expect((await waiting).state).toBe('completed')
  })

  it('a recording that the bucket refuses fails its job with the reason', async () => {
    const server = await cluster.openServer()
    cluster.oss.fault({ kind: 'error', status: 403, code: 'AccessDenied' })
    const { job } = await server.transcribe()
    expect(job).toMatchObject({ state: 'failed', error: { code: 'BUCKET_REFUSED' } })
  })

  it('a job whose message cannot be sent fails, and its upload is deleted', async () => {
    const server = await cluster.openServer()
    cluster.mns.set({ forbidden: ['SendMessage'] })
    const { job } = await server.transcribe()
    expect(job).toMatchObject({ state: 'failed', error: { code: 'QUEUE_REFUSED' } })
    await cluster.emptied()
  })

  it('a recording that was deleted from the bucket fails its job with RECORDING_LOST', async () => {
    const server = await cluster.openServer()
    const { job } = await server.submit()
    await vi.waitFor(() => expect(cluster.mns.messages()).toHaveLength(1), eventually)
    const { recording } = (await server.store.getJob(owner, job.id))!
    await bucketOf(cluster.oss).delete(
      { way: 'bucket', keys: { any: recording! } },
      new AbortController().signal,
    )
    await cluster.openWorker()
    expect(await server.waitForEnd(job.id)).toMatchObject({
      state: 'failed',
      error: { code: 'RECORDING_LOST' },
    })
  })
})
