#!/usr/bin/env bash
# The OSS client (ali-oss 6.23.0) repeats by `retryMax` neither a request whose response does not come in time, though
# its README says so of timeouts, nor a 503: only a lost connection counts, as a late response has no status of its own.
# Seen with retryMax 3: lost connection 4 requests, late response 1, 503 1.
# Matters to: src/drivers/object-storage/oss/client.ts, which repeats requests itself, and errors.ts beside it.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund ali-oss@6.23.0
cat > put.cjs <<'JS'
const { createServer } = require('node:http')
const OSS = require('ali-oss')
const answers = {
  'lost connection': ({ socket }) => socket.destroy(),
  'late response': () => {},
  503: (_, response) =>
    response
      .writeHead(503, { 'content-type': 'application/xml' })
      .end('<?xml version="1.0"?><Error><Code>ServiceUnavailable</Code><Message>Busy.</Message></Error>'),
}
async function put(answer) {
  let requests = 0
  const server = createServer((request, response) => {
    requests++
    request.resume().on('end', () => answer(request, response))
  })
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  const client = new OSS({
    endpoint: `http://127.0.0.1:${server.address().port}`,
    sldEnable: true,
    bucket: 'bucket',
    accessKeyId: 'id',
    accessKeySecret: 'secret',
    retryMax: 3,
    timeout: 500,
  })
  const outcome = await client.put('name', Buffer.from('text')).then(
    () => 'stored',
    error => `status ${error.status}`,
  )
  server.close()
  server.closeAllConnections()
  return `${requests} (${outcome})`
}
;(async () => {
  for (const name of ['lost connection', 'late response', '503']) console.log(`${name}: ${await put(answers[name])}`)
})()
JS
seen="$(node put.cjs)"
echo "$seen"
[ "$seen" = 'lost connection: 4 (status -1)
late response: 1 (status undefined)
503: 1 (status 503)' ]
