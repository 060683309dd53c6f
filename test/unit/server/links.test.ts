// Links to resources in results: for clients whose protocol has them.
import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { InMemoryTransport } from '@modelcontextprotocol/server'
import { expect, it } from 'vitest'
import type { Jobs } from '../../../src/jobs/jobs.ts'
import { createServer } from '../../../src/server/server.ts'
import { fakeJobs } from '../../support/jobs/fake-jobs.ts'

const jobs = {
  ...fakeJobs(),
  foldersOpen: true,
  save: async () => ({ path: '/out/talk.srt', outcome: 'created' }),
} as Partial<Jobs> as Jobs

interface Result {
  content: { type: string; uri?: string; title?: string; mimeType?: string }[]
}

/** The result of a call by a client that asks for this protocol. */
async function resultFor(protocolVersion: string, name: string, args: object): Promise<Result> {
  const [here, there] = InMemoryTransport.createLinkedPair()
  const connection = { owner: 'local', era: 'legacy', push: false, closingCancels: false } as const
  await createServer({ jobs, version: '1', waitSeconds: 0 }, connection).connect(there)
  const ask = (id: number, method: string, params: object) =>
    new Promise<Result>(resolve => {
      here.onmessage = message => 'result' in message && resolve(message.result as unknown as Result)
      void here.send({ jsonrpc: '2.0', id, method, params } as JSONRPCMessage)
    })
  await here.start()
  await ask(1, 'initialize', { protocolVersion, capabilities: {}, clientInfo: { name: 'raw', version: '1' } })
  await here.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  return ask(2, 'tools/call', { name, arguments: args })
}

it.each(['2025-06-18', '2025-11-25'])('a result links its transcript for a client of %s', async version => {
  const { content } = await resultFor(version, 'get_transcript', { transcript_id: 'tr_local' })
  expect(content).toEqual([
    { type: 'text', text: expect.any(String) },
    {
      type: 'resource_link',
      uri: 'transcript://tr_local',
      name: 'tr_local',
      title: 'What local said',
      mimeType: 'text/plain',
    },
  ])
})

it.each(['2024-11-05', '2025-03-26'])(
  'a client of %s gets no links, which it would refuse',
  async version => {
    const { content } = await resultFor(version, 'get_transcript', { transcript_id: 'tr_local' })
    expect(content.map(({ type }) => type)).toEqual(['text'])
  },
)

it('a saved file is linked as the resource with the same content', async () => {
  const args = { transcript_id: 'tr_local', save_as: '/out/talk.srt' }
  const { content } = await resultFor('2025-11-25', 'export_transcript', args)
  expect(content.at(-1)).toMatchObject({ type: 'resource_link', uri: 'transcript://tr_local/srt' })
})

it('a client that asks for a protocol to come is served in the newest that the server speaks', async () => {
  const { content } = await resultFor('2031-06-01', 'get_transcript', { transcript_id: 'tr_local' })
  expect(content.map(({ type }) => type)).toEqual(['text', 'resource_link'])
})

it.each(['2025-03-26', '2025-11-25'])('a clip has sound for a client of %s', async version => {
  const { content } = await resultFor(version, 'get_clip', { transcript_id: 'tr_local', from: 0 })
  expect(content.map(({ type }) => type)).toEqual(['text', 'audio'])
})

it('a clip is its words alone for a client of 2024-11-05, which would refuse sound', async () => {
  const { content } = await resultFor('2024-11-05', 'get_clip', { transcript_id: 'tr_local', from: 0 })
  expect(content.map(({ type }) => type)).toEqual(['text'])
})
