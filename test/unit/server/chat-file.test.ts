// A file of a chat, as ChatGPT hands it to a tool: its schema, its address and its name.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import type { Transport } from '@modelcontextprotocol/server'
import { afterEach, describe, expect, it } from 'vitest'
import type { Uploads } from '../../../src/domain/network/uploads.ts'
import type { Jobs } from '../../../src/jobs/jobs.ts'
import { createServer } from '../../../src/server/server.ts'
import { fakeJobs } from '../../support/jobs/fake-jobs.ts'
import { transcript } from '../../support/transcripts.ts'

const file = {
  download_url: 'https://files.example.com/f-1?sig=abc',
  file_id: 'file_1',
  mime_type: 'audio/mp4',
  file_name: 'Board of May.m4a',
}
const clients: Client[] = []
afterEach(() => Promise.all(clients.splice(0).map(client => client.close())))

/** A client of a server that takes uploads or not; `asked` are the requests that its tools made. */
async function connect(options: { takesUploads: boolean; foldersOpen?: boolean }) {
  const asked: unknown[] = []
  const jobs = {
    ...fakeJobs(),
    foldersOpen: options.foldersOpen ?? false,
    async transcribe(request) {
      asked.push(request)
      return { transcript: transcript({ id: 'tr_local' }), cached: false }
    },
  } as Partial<Jobs> as Jobs
  const uploads = options.takesUploads ? ({} as Uploads) : undefined
  const [here, there] = InMemoryTransport.createLinkedPair()
  const connection = { owner: 'local', era: 'legacy', push: false, closingCancels: false } as const
  await createServer({ jobs, uploads, version: '1', waitSeconds: 0 }, connection).connect(there as Transport)
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(here)
  clients.push(client)
  const call = async (args: Record<string, unknown>) => {
    const { content } = await client.callTool({ name: 'transcribe_audio', arguments: args })
    return (content as { text: string }[])[0]!.text
  }
  return { client, call, asked }
}

describe('a file of a chat', () => {
  it('a server for other machines offers the parameter in the form that ChatGPT asks for', async () => {
    const { client } = await connect({ takesUploads: true })
    const { tools } = await client.listTools()
    for (const name of ['transcribe_audio', 'diarize_audio']) {
      const tool = tools.find(tool => tool.name === name)!
      expect(tool._meta).toEqual({ 'openai/fileParams': ['file'] })
      const { properties, required = [] } = tool.inputSchema
      expect(required).not.toContain('audio')
      expect(properties!.file).toMatchObject({
        type: 'object',
        properties: Object.fromEntries(Object.keys(file).map(key => [key, { type: 'string' }])),
        required: ['download_url', 'file_id'],
      })
    }
  })

  it.each([
    ['over stdio', { takesUploads: false }],
    ['with open folders', { takesUploads: true, foldersOpen: true }],
  ])('the parameter is not offered %s', async (_, options) => {
    const { client } = await connect(options)
    const { tools } = await client.listTools()
    expect(tools.filter(({ _meta, inputSchema }) => _meta || inputSchema.properties?.file)).toEqual([])
  })

  it('the file is an address like any other, under its own name unless another one is given', async () => {
    const { call, asked } = await connect({ takesUploads: true })
    await call({ file, language: 'en' })
    await call({ file: { download_url: file.download_url, file_id: 'x' }, audio: '', title: 'May' })
    const audio = file.download_url
    expect(asked).toEqual([
      { audio, language: 'en', title: 'Board of May' },
      { audio, title: 'May' },
    ])
  })

  it.each([
    '/etc/passwd',
    'file:///etc/passwd',
    'http://files.example.com/f',
    'upload://x',
    'data:audio/wav;base64,AA==',
  ])('a file at %s is refused', async download_url => {
    const { call, asked } = await connect({ takesUploads: true })
    expect(await call({ file: { download_url, file_id: 'x' } })).toMatch(/^BAD_INPUT: The download_url/)
    expect(asked).toEqual([])
  })
})
