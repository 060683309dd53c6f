// The answer of a search whose page is empty.
import { Client, InMemoryTransport } from '@modelcontextprotocol/client'
import { expect, it } from 'vitest'
import type { FoundPage, Jobs } from '../../../src/jobs/jobs.ts'
import { createServer } from '../../../src/server/server.ts'
import { fakeJobs } from '../../support/jobs/fake-jobs.ts'

async function headline(page: Omit<FoundPage, 'transcripts'>, cursor?: string): Promise<string> {
  const jobs = { ...fakeJobs(), search: async () => ({ transcripts: [], ...page }) } as Partial<Jobs> as Jobs
  const [here, there] = InMemoryTransport.createLinkedPair()
  const connection = { owner: 'local', era: 'legacy', push: false, closingCancels: false } as const
  await createServer({ jobs, version: '1', waitSeconds: 0 }, connection).connect(there)
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(here)
  const { content } = await client.callTool({ name: 'search_transcripts', arguments: { cursor } })
  await client.close()
  return (content as { text: string }[])[0]!.text.split('\n')[0]!
}

it('says that there are no transcripts only where there are none', async () => {
  expect(await headline({})).toBe('There are no transcripts yet.')
  expect(await headline({ nextCursor: 'b' }, 'a')).toMatch(/^These are older transcripts of recordings/)
  expect(await headline({}, 'a')).toBe('There are no more transcripts.')
})
