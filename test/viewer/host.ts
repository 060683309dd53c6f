// Serves the host's page, whose requests go to the built server by a real client that shows apps.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { build } from 'esbuild'
import { localOwner } from '../../src/domain/job.ts'
import { sqliteStore } from '../../src/drivers/store/sqlite/sqlite.ts'
import { entry, fixture } from '../support/e2e/system.ts'
import { openTerminal } from '../support/e2e/terminal.ts'
import { talk } from '../support/speaker-transcript.ts'

type ToolCall = Parameters<Client['callTool']>[0]

const extension = { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } }

export async function startHost() {
  const terminal = await openTerminal()
  const store = sqliteStore({ folder: terminal.env.SPEECH_DATA_DIR! })
  await store.putTranscript(localOwner, talk)
  await store.close()
  const client = new Client(
    { name: 'host', version: '1' },
    { versionNegotiation: { mode: 'auto' }, capabilities: { extensions: extension } },
  )
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [entry],
      env: {
        ...terminal.env,
        SPEECH_ALLOWED_DIRS: fileURLToPath(new URL('../../fixtures', import.meta.url)),
      },
    }),
  )
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./host-page.js', import.meta.url))],
    bundle: true,
    format: 'iife',
    write: false,
  })
  const script = outputFiles[0]!.text
  const { structuredContent } = (await client.callTool({
    name: 'transcribe_audio',
    arguments: { audio: fixture('clip.mp4'), wait_seconds: 60 },
  })) as { structuredContent: { transcript_id: string } }
  const { tools } = await client.listTools()
  const tool = tools.find(({ name }) => name === 'show_transcript')
  const { resourceUri } = (tool?._meta?.ui ?? {}) as { resourceUri: string }
  const { contents } = await client.readResource({ uri: resourceUri })
  /** `id`: of a transcript; without one, that of the recording. */
  const call = async (id: string | null) => {
    const input = { transcript_id: id ?? structuredContent.transcript_id }
    const result = await client.callTool({ name: 'show_transcript', arguments: input })
    return { html: (contents[0] as { text: string }).text, input, result }
  }
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://host')
    const send = (type: string, text: string) => response.setHeader('content-type', type).end(text)
    const answer = (work: Promise<unknown>) =>
      work.then(
        result => send('application/json', JSON.stringify(result)),
        error => {
          response.statusCode = 500
          send('text/plain', String(error.message))
        },
      )
    if (pathname === '/call') answer(call(searchParams.get('id')))
    else if (pathname === '/read') answer(client.readResource({ uri: searchParams.get('uri')! }))
    else if (pathname === '/tool') answer(json(request).then(given => client.callTool(given as ToolCall)))
    else if (pathname === '/host.js') send('text/javascript', script)
    else send('text/html', '<!doctype html><title>host</title><body><script src="host.js"></script>')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    mimeType: contents[0]!.mimeType,
    async close() {
      server.closeAllConnections()
      server.close()
      await client.close()
      await terminal.close()
    },
  }
}
