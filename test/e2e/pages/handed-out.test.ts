// The address of a page, and who is told it: results of the built program over HTTP, for the clients of all generations.
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ViewerData } from '../../../src/viewer/page/contract.ts'
import { clients, httpClients, type McpTestClient } from '../../support/e2e/mcp-clients.ts'
import {
  fixture,
  type HttpServer,
  type System,
  startHttpServer,
  startSystem,
} from '../../support/e2e/system.ts'

const tokens = { ann: 'ann-0123456789abcdef', bob: 'bob-0123456789abcdef' }
const [, connect] = httpClients.at(-1)!

let system: System
let server: HttpServer
let ann: McpTestClient
let id: string
/** Of the first call. */
let page: string

const start = () => startHttpServer({ ...system.env, SPEECH_TOKENS: `ann:${tokens.ann},bob:${tokens.bob}` })

beforeAll(async () => {
  system = await startSystem()
  server = await start()
  ann = await connect({ url: server.url, token: tokens.ann })
  const { structuredContent } = await ann.call('transcribe_audio', { audio: fixture('clip.mp4') })
  id = structuredContent.transcript_id
  page = structuredContent.page_url
})
afterAll(async () => {
  await ann.close()
  await server.stop()
  await system.close()
})

/** As a proxy passes it on that ends TLS at this name. */
function askAs(host: string, name: string, args: object): Promise<string> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${tokens.ann}`,
    host,
    'x-forwarded-proto': 'https',
  }
  return new Promise((resolve, reject) => {
    const asked = request(server.url, { method: 'POST', headers }, response => {
      text(response).then(resolve, reject)
    })
    const params = { name, arguments: args }
    asked.on('error', reject).end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }))
  })
}

const textOf = ({ content }: { content: { text?: string }[] }) => content[0]!.text!

describe('results over HTTP', () => {
  it('the result of an order names the page in one line, which shows the transcript without a token', async () => {
    expect(page).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/t\/[\w-]+\/$/)
    const data = (await (await fetch(`${page}data.json`)).json()) as ViewerData
    expect(data).toMatchObject({ id, title: 'clip', endsAt: expect.any(String) })
    expect(data.rows.map(({ text }) => text).join(' ')).toContain('crease the sheet')
  })

  it.each(httpClients)('get_transcript and get_clip name it for %s', async (_, connectAs) => {
    const client = await connectAs({ url: server.url, token: tokens.ann })
    try {
      const read = await client.call('get_transcript', { transcript_id: id })
      const { page_url, page_ends_at } = read.structuredContent
      expect(page_url).toBe(page)
      expect(textOf(read).match(/^page: .*$/gm)).toEqual([expect.stringContaining(page)])
      expect(Date.parse(page_ends_at)).toBeGreaterThan(Date.now())
      const clip = await client.call('get_clip', { transcript_id: id, from: 6, to: 7 })
      const { listen_url, from, to } = clip.structuredContent
      expect(listen_url).toBe(`${page}audio?from=${from}&to=${to}`)
      expect(textOf(clip)).toContain(listen_url)
      const heard = await fetch(listen_url)
      expect([heard.headers.get('x-piece-start'), heard.headers.get('x-piece-end')]).toEqual([
        String(from),
        String(to),
      ])
      const sound = (clip.content as { data?: string }[])[1]!.data
      if (sound !== undefined) expect(Buffer.from(await heard.arrayBuffer()).toString('base64')).toBe(sound)
    } finally {
      await client.close()
    }
  })

  it('further pages of a text do not repeat it', async () => {
    const { structuredContent } = await ann.call('get_transcript', { transcript_id: id, offset: 10 })
    expect(structuredContent.page_url).toBeUndefined()
  })

  it('a proxy that ends TLS is named in the address', async () => {
    const answer = await askAs('speech.example.com', 'get_transcript', { transcript_id: id })
    expect(answer).toContain(`https://speech.example.com${new URL(page).pathname}`)
  })

  it('a host that shows apps is told it with show_transcript', async () => {
    const extensions = { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } }
    const host = new Client({ name: 'host', version: '1' }, { capabilities: { extensions } })
    const headers = { authorization: `Bearer ${tokens.ann}` }
    await host.connect(new StreamableHTTPClientTransport(new URL(server.url), { requestInit: { headers } }))
    try {
      const shown = await host.callTool({ name: 'show_transcript', arguments: { transcript_id: id } })
      expect(shown.structuredContent).toMatchObject({ transcript_id: id, page_url: page })
      expect(textOf(shown as { content: { text: string }[] })).toContain(`page: ${page} (`)
    } finally {
      await host.close()
    }
  })

  it('the address is that of the owner: another owner has no such transcript', async () => {
    const bob = await connect({ url: server.url, token: tokens.bob })
    try {
      const { isError, content } = await bob.call('get_transcript', { transcript_id: id })
      expect([isError, content[0].text]).toEqual([true, expect.stringContaining('TRANSCRIPT_NOT_FOUND')])
    } finally {
      await bob.close()
    }
  })

  it('the address opens after a restart, and ends with its transcript', async () => {
    await ann.close()
    await server.stop()
    server = await start()
    const again = page.replace(new URL(page).origin, new URL(server.url).origin)
    expect((await fetch(again)).status).toBe(200)
    ann = await connect({ url: server.url, token: tokens.ann })
    await ann.call('delete_transcript', { transcript_id: id })
    const gone = await fetch(again)
    expect([gone.status, await gone.text()]).toEqual([404, expect.stringContaining('TRANSCRIPT_NOT_FOUND')])
  })
})

it.each(clients)('over stdio nothing of a page is told to %s', async (_, connectAs) => {
  const client = await connectAs(system.env)
  try {
    const { structuredContent, content } = await client.call('transcribe_audio', {
      audio: fixture('clip.mp4'),
    })
    const clip = await client.call('get_clip', {
      transcript_id: structuredContent.transcript_id,
      from: 6,
      to: 7,
    })
    const told = JSON.stringify([content, structuredContent, clip.structuredContent])
    expect(told).not.toMatch(/page_url|listen_url|\/t\/|page:/)
  } finally {
    await client.close()
  }
})
