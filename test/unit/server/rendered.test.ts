// Transcripts as files: an owner who asks for many at once gets them one after the other.
import { EventEmitter, once } from 'node:events'
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

it('a page of subtitles is not made any more once its call was cancelled in the queue', async () => {
  const jobs = fakeJobs()
  const queue = new EventEmitter()
  const pages: Promise<unknown>[] = []
  const oneAtATime: typeof jobs.oneAtATime = async (_, work) => {
    const page = once(queue, 'free').then(work)
    pages.push(page)
    queue.emit('entered')
    return page
  }
  const client = await connect({ ...jobs, foldersOpen: true, oneAtATime, save }, 'amy')
  const abort = new AbortController()
  const call = { name: 'get_transcript', arguments: { transcript_id: 'tr_amy', view: 'srt' } }
  const entered = once(queue, 'entered')
  const answer = client.callTool(call, { signal: abort.signal })
  answer.catch(() => {})
  await entered
  abort.abort()
  await expect(answer).rejects.toThrow()
  // Over a linked pair, a later request arrives behind the cancellation.
  await client.ping()
  queue.emit('free')
  await expect(pages[0]).rejects.toThrow()
  await client.close()
})
