// The list of resources of a large library, as the official client reads it.
import { Client, InMemoryTransport, type Transport } from '@modelcontextprotocol/client'
import { expect, it } from 'vitest'
import type { Jobs } from '../../../src/jobs/jobs.ts'
import { createServer } from '../../../src/server/server.ts'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import { fakeJobs } from '../../support/jobs/fake-jobs.ts'
import { transcript } from '../../support/transcripts.ts'

const connect = closedAfterEach(async (jobs: Jobs = fakeJobs()) => {
  const [here, there] = InMemoryTransport.createLinkedPair()
  const options = { jobs, version: '1', waitSeconds: 10 }
  const connection = { owner: 'local', era: 'legacy', push: true, closingCancels: false } as const
  await createServer(options, connection).connect(there as Transport)
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(here)
  return client
})

/** Jobs of an owner with this many transcripts; the cursor is the number of those before. */
function library(count: number): Jobs {
  const list: Jobs['list'] = async (_owner, { limit, cursor = '0' }) => {
    const [from, to] = [Number(cursor), Math.min(count, Number(cursor) + limit)]
    const transcripts = Array.from({ length: to - from }, (_, i) => ({
      ...transcript({ id: `tr_${from + i}` }),
    }))
    return { transcripts, ...(to < count && { nextCursor: String(to) }) }
  }
  return { ...fakeJobs(), list }
}

it('a client that reads all pages gets twenty thousand transcripts, each once', async () => {
  const client = await connect(library(20_000))
  const { resources } = await client.listResources()
  expect(new Set(resources.map(({ uri }) => uri)).size).toBe(20_000)
  expect(resources).toHaveLength(20_000)
})

it('of a larger library the newest are listed', async () => {
  const client = await connect(library(200_000))
  const { resources } = await client.listResources()
  expect(resources.length).toBeGreaterThanOrEqual(30_000)
  expect(resources.at(-1)!.uri).toBe(`transcript://tr_${resources.length - 1}`)
})

it('the first page is short, for clients that show no more', async () => {
  const client = await connect(library(20_000))
  const page = await client.request({ method: 'resources/list', params: {} })
  expect(page.resources).toHaveLength(50)
})
