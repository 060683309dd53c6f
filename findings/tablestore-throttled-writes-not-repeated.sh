#!/usr/bin/env bash
# The Tablestore client (tablestore 5.6.5) means to repeat any throttled request, but knows the service's codes only in
# XML, and the service answers in protobuf: `code` is the HTTP status, and the message is the raw body. Seen with
# maxRetries 3: a write that got OTSServerBusy is sent once, a read 4 times; one that got OTSNotEnoughCapacityUnit once.
# Matters to: src/drivers/store/tablestore/errors.ts, which reads the code from the message, and requests.ts beside it.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund tablestore@5.6.5
cat > ask.cjs <<'JS'
const { createServer } = require('node:http')
const Tablestore = require('tablestore')
// message Error { required string code = 1; optional string message = 2; }
const field = (number, text) => Buffer.concat([Buffer.from([8 * number + 2, text.length]), Buffer.from(text)])
async function ask(method, status, code) {
  let requests = 0
  const server = createServer((request, response) => {
    requests++
    request.resume().on('end', () => response.writeHead(status).end(Buffer.concat([field(1, code), field(2, 'Busy.')])))
  })
  await new Promise(done => server.listen(0, '127.0.0.1', done))
  const client = new Tablestore.Client({
    accessKeyId: 'id',
    secretAccessKey: 'secret',
    endpoint: `http://127.0.0.1:${server.address().port}`,
    instancename: 'instance',
    maxRetries: 3,
  })
  const row = {
    tableName: 'table',
    primaryKey: [{ id: 'a' }],
    condition: new Tablestore.Condition(Tablestore.RowExistenceExpectation.IGNORE, null),
    attributeColumns: [{ text: 'b' }],
  }
  const error = await client[method](row).catch(error => error)
  server.close()
  server.closeAllConnections()
  return `${method} ${code}: ${requests} (code ${error.code}, message ${JSON.stringify(error.message.slice(0, 8))})`
}
;(async () => {
  console.log(await ask('putRow', 503, 'OTSServerBusy'))
  console.log(await ask('getRow', 503, 'OTSServerBusy'))
  console.log(await ask('getRow', 403, 'OTSNotEnoughCapacityUnit'))
})()
JS
seen="$(node ask.cjs)"
echo "$seen"
[ "$seen" = 'putRow OTSServerBusy: 1 (code 503, message "\n\rOTSSer")
getRow OTSServerBusy: 4 (code 503, message "\n\rOTSSer")
getRow OTSNotEnoughCapacityUnit: 1 (code 403, message "\n\u0018OTSNot")' ]
