// The viewer as an MCP App: who is shown its tool, its page and its data.
import { Client as ClientV2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ViewerData } from '../../../src/viewer/page/contract.ts'
import { entry, fixture, type System, startSystem } from '../../support/e2e/system.ts'

let system: System
let id: string

beforeAll(async () => {
  system = await startSystem()
  const { data } = await system.call('transcribe_audio', { audio: fixture('clip.mp4') })
  id = data.transcript_id
})
afterAll(() => system.close())

const pageMime = 'text/html;profile=mcp-app'
const shows = { extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: [pageMime] } } }
const showsOther = { extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/other'] } } }
const info = { name: 'host', version: '1' }
const command = () => ({ command: process.execPath, args: [entry], env: system.env })

async function v1(capabilities: object) {
  const client = new ClientV1(info, { capabilities })
  await client.connect(new StdioV1(command()))
  return client as unknown as ClientV2
}

async function v2(capabilities: object, mode: 'legacy' | 'auto') {
  const client = new ClientV2(info, { versionNegotiation: { mode }, capabilities })
  await client.connect(new StdioV2(command()))
  return client
}

const clients: [string, (capabilities: object) => Promise<ClientV2>][] = [
  ['the client of 2025', v1],
  ['the later client in the earlier protocol', capabilities => v2(capabilities, 'legacy')],
  ['the later client', capabilities => v2(capabilities, 'auto')],
]

describe.each(clients)('%s', (_, connect) => {
  it('a client that shows apps is offered the viewer, with the text for a host that does not open it', async () => {
    const client = await connect(shows)
    try {
      const { tools } = await client.listTools()
      const tool = tools.find(({ name }) => name === 'show_transcript')
      expect(tool?._meta).toEqual({
        ui: { resourceUri: 'ui://speech/viewer' },
        'ui/resourceUri': 'ui://speech/viewer',
      })
      const named = tools.filter(({ _meta }) => JSON.stringify(_meta ?? {}).includes('visibility'))
      expect(named.map(({ name, _meta }) => [name, _meta])).toEqual([
        ['update_transcript', { ui: { visibility: ['model', 'app'] } }],
      ])
      const result = await client.callTool({ name: 'show_transcript', arguments: { transcript_id: id } })
      expect(result.structuredContent).toMatchObject({ transcript_id: id, title: 'clip' })
      expect(JSON.stringify(result.content)).toContain('crease the sheet')
      const unknown = await client.callTool({
        name: 'show_transcript',
        arguments: { transcript_id: 'tr_no' },
      })
      expect(JSON.stringify(unknown.content)).toContain('TRANSCRIPT_NOT_FOUND')
    } finally {
      await client.close()
    }
  })

  it.each([
    ['declares nothing', {}],
    ['shows pages of another kind', showsOther],
  ])('a client that %s has no such tool', async (_, capabilities) => {
    const client = await connect(capabilities)
    try {
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name)).not.toContain('show_transcript')
      expect(JSON.stringify(tools)).not.toContain('visibility')
      const called = client.callTool({ name: 'show_transcript', arguments: { transcript_id: id } })
      await expect(called).rejects.toThrow('Tool show_transcript not found')
    } finally {
      await client.close()
    }
  })
})

describe('the resources of the viewer', () => {
  it('the page asks no other origin for anything, and its data are those of one transcript', async () => {
    const { contents } = await system.client.readResource({ uri: 'ui://speech/viewer' })
    const [page] = contents as { mimeType: string; text: string; _meta: object }[]
    expect(page).toMatchObject({ mimeType: pageMime, _meta: { ui: { csp: {} } } })
    expect(page!.text).toContain("default-src 'none'")
    const read = await system.client.readResource({ uri: `ui://speech/viewer/${id}` })
    const data = JSON.parse((read.contents[0] as { text: string }).text) as ViewerData
    expect(data).toMatchObject({ id, title: 'clip' })
    expect(data.formats).toContain('docx')
  })

  it('the picture of the sound comes with the peaks of the recording', async () => {
    const read = async (): Promise<number[]> => {
      const { contents } = await system.client.readResource({ uri: `ui://speech/viewer/${id}/waveform` })
      return JSON.parse((contents[0] as { text: string }).text).peaks ?? read()
    }
    const peaks = await read()
    expect(peaks.length).toBeGreaterThan(500)
    expect(Math.max(...peaks)).toBeGreaterThan(50)
  })

  it('the revision is that of the data, and another one after a change', async () => {
    const textOf = async (path: string) => {
      const { contents } = await system.client.readResource({ uri: `ui://speech/viewer/${id}${path}` })
      return (contents[0] as { text: string }).text
    }
    const before = await textOf('/revision')
    expect((JSON.parse(await textOf('')) as ViewerData).revision).toBe(before)
    await system.call('update_transcript', { transcript_id: id, title: 'Other' })
    expect(await textOf('/revision')).not.toBe(before)
    await system.call('update_transcript', { transcript_id: id, title: 'clip' })
    expect(await textOf('/revision')).toBe(before)
  })

  it('an unknown id and strange ids are refused', async () => {
    for (const name of ['tr_none', '%2e%2e', 'constructor'])
      await expect(system.client.readResource({ uri: `ui://speech/viewer/${name}` })).rejects.toThrow(
        /TRANSCRIPT_NOT_FOUND|BAD_INPUT|not found/,
      )
  })
})
