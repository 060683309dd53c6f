// Transcripts as files: an owner who asks for many at once gets them one after the other.
import { Client, InMemoryTransport, type Transport } from '@modelcontextprotocol/client'
import { expect, it } from 'vitest'
import { createServer } from '../../../src/server/server.ts'
import { fakeJobs } from '../../support/jobs/fake-jobs.ts'

/** Jobs that count the transcripts that are rendered at once, for each owner. */
function countingJobs() {
  const jobs = fakeJobs()
  const running = { amy: 0, ben: 0 }
  const highest = { amy: 0, ben: 0, both: 0 }
  const oneAtATime: typeof jobs.oneAtATime = (key, work) =>
    jobs.oneAtATime(key, async () => {
      const owner = key as keyof typeof running
      highest[owner] = Math.max(highest[owner], ++running[owner])
      highest.both = Math.max(highest.both, running.amy + running.ben)
      return work().finally(() => running[owner]--)
    })
  return { highest, jobs: { ...jobs, foldersOpen: true, oneAtATime, save } }
}

const save = async () => ({ path: '/a.srt', outcome: 'created' as const })

async function connect(jobs: ReturnType<typeof countingJobs>['jobs'], owner: string): Promise<Client> {
  const [here, there] = InMemoryTransport.createLinkedPair()
  const connection = { owner, era: 'legacy', push: false, closingCancels: false } as const
  await createServer({ jobs, version: '1', waitSeconds: 10 }, connection).connect(there as Transport)
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(here)
  return client
}

it('files, exports and pages of subtitles of an owner are made one after the other, beside those of another', async () => {
  const { jobs, highest } = countingJobs()
  const clients = await Promise.all(['amy', 'ben'].map(owner => connect(jobs, owner)))
  const answers = clients.flatMap((client, i) => {
    const id = `tr_${['amy', 'ben'][i]}`
    const save_as = '/a.srt'
    return Array.from({ length: 3 }, () => [
      client.readResource({ uri: `transcript://${id}/docx` }),
      client.callTool({ name: 'export_transcript', arguments: { transcript_id: id, save_as } }),
      client.callTool({ name: 'get_transcript', arguments: { transcript_id: id, view: 'srt' } }),
    ]).flat()
  })
  for (const answer of await Promise.all(answers)) expect(answer.isError).toBeFalsy()
  expect(highest).toEqual({ amy: 1, ben: 1, both: 2 })
  await Promise.all(clients.map(client => client.close()))
})
