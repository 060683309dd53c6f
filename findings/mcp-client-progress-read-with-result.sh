#!/usr/bin/env bash
# The MCP clients 1.32.2 and 2.4.0 handle a notification later than an answer: progress that they read together with the
# result of its call is one of an unknown token for them. Seen: "1.32.2: 0 updates, unknown token; 2.4.0: 0 updates, unknown
# token".
# Matters to: src/server/progress.ts, which leaves 50 ms between the two, and test/clients/drivers/scenarios.mjs.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0
cat > server.mjs <<'JS'
import { createInterface } from 'node:readline'
const line = message => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`
createInterface({ input: process.stdin }).on('line', text => {
  const { id, method, params } = JSON.parse(text)
  const hello = { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } }
  if (method === 'initialize') process.stdout.write(line({ id, result: hello }))
  if (method !== 'tools/call') return
  const progress = { progressToken: params._meta.progressToken, progress: 1 }
  const result = line({ id, result: { content: [] } })
  process.stdout.write(line({ method: 'notifications/progress', params: progress }) + result)
})
JS
cat > ask.mjs <<'JS'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { Client as Client2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioClientTransport2 } from '@modelcontextprotocol/client/stdio'
async function ask(client, transport, call) {
  let [updates, problem] = [0, 'no error']
  client.onerror = error => (problem = /unknown token/.exec(error.message)?.[0] ?? error.message)
  await client.connect(transport)
  await call({ onprogress: () => updates++ })
  await new Promise(resolve => setTimeout(resolve, 100))
  await client.close()
  return `${updates} updates, ${problem}`
}
const me = { name: 'client', version: '1' }
const command = { command: process.execPath, args: ['server.mjs'] }
const tool = { name: 'any', arguments: {} }
const one = new Client(me)
const first = await ask(one, new StdioClientTransport(command), options => one.callTool(tool, undefined, options))
const two = new Client2(me)
const second = await ask(two, new StdioClientTransport2(command), options => two.callTool(tool, options))
console.log(`1.32.2: ${first}; 2.4.0: ${second}`)
JS
seen="$(node ask.mjs)"
echo "$seen"
[ "$seen" = '1.32.2: 0 updates, unknown token; 2.4.0: 0 updates, unknown token' ]
