#!/usr/bin/env bash
# The MCP client of SDK 1.32.2 holds the structured content of a failed call against the output schema of a success, and
# rejects: the text of the error is lost. The server of SDK 2.4.0 lets such a result pass, and the client of 2.4.0 takes
# it. Seen: "1.x: rejects with -32602; 2.x: The file is empty."
# Matters to: src/server/tool.ts, which gives errors as text alone.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund zod@4.6.7 @modelcontextprotocol/sdk@1.32.2
npm install --silent --no-audit --no-fund @modelcontextprotocol/server@2.4.0 @modelcontextprotocol/client@2.4.0
cat > server.mjs <<'JS'
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import * as z from 'zod/v4'
serveStdio(() => {
  const server = new McpServer({ name: 'server', version: '1' })
  const schemas = { inputSchema: z.object({}), outputSchema: z.object({ transcript: z.string() }) }
  server.registerTool('transcribe', schemas, () => ({
    isError: true,
    content: [{ type: 'text', text: 'The file is empty.' }],
    structuredContent: { code: 'FILE_EMPTY' },
  }))
  return server
})
JS
cat > ask.mjs <<'JS'
import { Client as Client2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as Transport2 } from '@modelcontextprotocol/client/stdio'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/stdio.js'
async function ask(Client, Transport) {
  const client = new Client({ name: 'client', version: '1' })
  await client.connect(new Transport({ command: process.execPath, args: ['server.mjs'] }))
  // A client knows the schemas of the tools that it has listed.
  await client.listTools()
  const answer = await client.callTool({ name: 'transcribe', arguments: {} }).then(
    ({ content }) => content[0].text,
    ({ code }) => `rejects with ${code}`,
  )
  await client.close()
  return answer
}
console.log(`1.x: ${await ask(Client1, Transport1)}; 2.x: ${await ask(Client2, Transport2)}`)
JS
seen="$(node ask.mjs)"
echo "$seen"
[ "$seen" = '1.x: rejects with -32602; 2.x: The file is empty.' ]
