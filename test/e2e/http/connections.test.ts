// Connections that send or ask for nothing more: they are closed, whatever they were opened for.
import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { uploadServersOfEachTest } from '../../support/servers/upload-server.ts'

const serve = uploadServersOfEachTest()

/** Sends this, and then a byte at a time if `drips`; resolves with what came once the server has closed the connection. */
async function sendAndWait(url: string, head: string[], drips = false): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let received = ''
  socket.setEncoding('utf8').on('data', text => {
    received += text
  })
  // A byte may meet a connection that has just been closed.
  socket.on('error', () => {})
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  const timer = drips ? setInterval(() => socket.write('x'), 20) : undefined
  await once(socket, 'close')
  clearInterval(timer)
  return received
}

it.each([
  ['for a wrong host', 'POST /mcp', ['Host: evil.example'], ' 403 '],
  ['for a wrong host at the address of an upload', 'PUT /uploads/x', ['Host: evil.example'], ' 403 '],
  ['for a wrong path', 'POST /other', ['Host: localhost'], ' 404 '],
  [
    'of a browser that asks first',
    'OPTIONS /uploads/x',
    ['Host: localhost', 'Origin: http://localhost', 'Access-Control-Request-Method: PUT'],
    '',
  ],
  ['without an end', 'POST /mcp', ['Host: localhost', 'Content-Type: application/json'], ' 408 '],
])('a request %s whose body drips for ever is cut off', async (_, line, headers, answer) => {
  const { url } = await serve({ limits: { requestTimeoutMs: 300 } })
  const head = [`${line} HTTP/1.1`, ...headers, 'Content-Length: 1000000']
  expect(await sendAndWait(url, head, true)).toContain(answer)
})

it('a connection that has asked for an upload is closed like any other once it is idle', async () => {
  const { url } = await serve()
  const { url: address } = await (await serve()).ticket()
  const path = new URL(address).pathname
  expect(await sendAndWait(url, [`GET ${path} HTTP/1.1`, 'Host: localhost'])).toContain(' 404 ')
})
