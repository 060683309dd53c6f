#!/usr/bin/env bash
# The MNS client (@alicloud/mns 1.2.0) resolves when a proxy answers with an error page: it rejects only if the body is
# XML with an error. Seen: a 502 with an HTML page resolves with code 502; a 404 with MNS's XML rejects.
# Matters to: src/drivers/queue/mns/client.ts, which checks the code of every resolved response.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @alicloud/mns@1.2.0
cat > ask.cjs <<'JS'
const { createServer } = require('node:http')
const Client = require('@alicloud/mns')
const pages = {
  proxy: { status: 502, type: 'text/html', body: '<html><body>Bad Gateway</body></html>' },
  service: {
    status: 404,
    type: 'text/xml',
    body: '<?xml version="1.0"?><Error xmlns="http://mns.aliyuncs.com/doc/v1/"><Code>QueueNotExist</Code><Message>No queue.</Message><RequestId>1</RequestId><HostId>h</HostId></Error>',
  },
}
async function ask({ status, type, body }) {
  const server = createServer((_, response) => response.writeHead(status, { 'content-type': type }).end(body))
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  const endpoint = `http://127.0.0.1:${server.address().port}`
  const client = new Client('account', { endpoint, accessKeyId: 'id', accessKeySecret: 'secret' })
  const answer = await client.getQueueAttributes('queue').then(
    ({ code }) => `resolves ${code}`,
    () => 'rejects',
  )
  server.close()
  server.closeAllConnections()
  return answer
}
;(async () => console.log(`${await ask(pages.proxy)}, ${await ask(pages.service)}`))()
JS
seen="$(node ask.cjs)"
echo "error page of a proxy, error of the service: $seen"
[ "$seen" = 'resolves 502, rejects' ]
