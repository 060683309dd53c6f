// A batch of a team: the server reads the files, workers run the recordings, and another server goes on for a dead one.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createLatch, owner, spokenWav } from '../../../support/jobs/harness.ts'
import { type Cluster, eventually, startCluster } from '../../../support/jobs/shared-harness.ts'

const { signal } = new AbortController()
const caller = { tool: 'transcribe_audio' as const, owner, signal }
let cluster: Cluster
let folder: string

beforeAll(async () => {
  cluster = await startCluster(1)
  folder = join(cluster.workspace.folder, 'talks')
  await mkdir(folder)
  for (let i = 0; i < 12; i++) await writeFile(join(folder, `${i}.wav`), spokenWav(1, 7000 + i))
})
afterAll(() => cluster.close())

it('another server that has the files goes on with a batch, and one that has none leaves it alone', async () => {
  const latch = createLatch()
  let left = 4
  const recognise = () => (left-- > 0 ? Promise.resolve() : latch.opened)
  const [server, worker] = await Promise.all([
    cluster.openServer({ workerId: 'm/1//a' }),
    cluster.openWorker({ recognise }),
  ])
  const { id } = await server.jobs.orderBatch({ sources: [folder], options: {}, agreedUsd: 0 }, caller)
  const ended = async () => (await server.jobs.batch(owner, id!)).items.filter(({ end }) => end).length
  await vi.waitFor(async () => expect(await ended()).toBeGreaterThan(0), eventually)
  await server.close()
  latch.open()

  const blind = await cluster.openServer({ allowedDirs: [], workerId: 'n/1//b' })
  blind.jobs.startRecovery()
  const before = cluster.tables.calls.length
  const reads = () => cluster.tables.calls.slice(before).filter(({ table }) => table === 'team_checkpoints')
  // The plan, and the ends so far: then it has looked for the files.
  await vi.waitFor(() => expect(reads().length).toBeGreaterThanOrEqual(2), eventually)
  expect((await blind.store.getJob(owner, id!))?.state).toBe('queued')

  const again = await cluster.openServer({ workerId: 'm/1//c' })
  again.jobs.startRecovery()
  expect(await again.jobs.watch(id!, { owner, signal })).toMatchObject({ state: 'completed' })
  expect((await blind.jobs.batch(owner, id!)).items.every(({ end }) => end?.state === 'completed')).toBe(true)
  expect(worker.requests).toHaveLength(12)
  await cluster.emptied()
})

it('a batch that was left behind its last recording is ended by another server', async () => {
  await cluster.openWorker()
  const server = await cluster.openServer({ workerId: 'm/2//a' })
  const order = { sources: [join(folder, '0.wav'), join(folder, '1.wav')], options: {}, agreedUsd: 0 }
  const { id } = await server.jobs.orderBatch(order, caller)
  const ended = await server.jobs.watch(id!, { owner, signal })
  const { lease: _, ...left } = { ...ended, state: 'queued' as const, revision: ended.revision + 1 }
  expect(await server.store.replaceJob(left)).toBe(true)
  await server.close()

  // It sees none of the recordings, and needs none.
  const other = await cluster.openServer({ allowedDirs: [], workerId: 'n/2//b' })
  other.jobs.startRecovery()
  await vi.waitFor(
    async () => expect((await other.store.getJob(owner, id!))?.state).toBe('completed'),
    eventually,
  )
  await other.close()
})
