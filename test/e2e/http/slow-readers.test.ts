// Clients that ask for much and do not read it: their connections are closed, and what waits for them is limited.

import { once } from 'node:events'
import { afterEach, expect, it, vi } from 'vitest'
import type { HttpLimits } from '../../../src/server/http/limits.ts'
import { post, rawPost, sendBytes, startTestServer, type TestServer } from '../../support/e2e/http.ts'
import { segment, transcript } from '../../support/transcripts.ts'

const read = { id: 1, method: 'resources/read', params: { uri: 'transcript://tr_local' } }
const ping = { id: 2, method: 'ping' }
/** More than the buffers of the operating system hold. */
const long = transcript({ id: 'tr_local', segments: [segment('x'.repeat(12_000_000), 0, 9)] })

const eventually = { timeout: 20_000 }

const open: TestServer[] = []
async function serve(limits: Partial<HttpLimits>): Promise<TestServer> {
  const server = await startTestServer({ limits })
  open.push(server)
  server.jobs.read = async () => long
  return server
}
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

/** A connection whose client asks for the long text and reads nothing of it. */
function askWithoutReading(url: string) {
  const connection = sendBytes(url, rawPost(url, JSON.stringify({ jsonrpc: '2.0', ...read })))
  connection.socket.pause()
  return connection
}

it('a client that does not read its response is disconnected, and its slot is free', async () => {
  const { url } = await serve({ unreadTimeoutMs: 2_000, maxRequestsPerOwner: 1 })
  const { socket } = askWithoutReading(url)
  const closed = once(socket, 'close')
  // The server closes the connection within the text: a client that reads on gets its end without the whole.
  await vi.waitFor(async () => expect((await post(url, ping)).status).toBe(429), eventually)
  await vi.waitFor(async () => expect((await post(url, ping)).status).toBe(200), eventually)
  let received = 0
  socket.on('data', piece => {
    received += piece.length
  })
  socket.resume()
  await closed
  expect(received).toBeGreaterThan(0)
  expect(received).toBeLessThan(12_000_000)
})

it('a client that reads on in time gets the whole response', async () => {
  const { url } = await serve({ unreadTimeoutMs: 5_000 })
  const { socket, received } = askWithoutReading(url)
  await vi.waitFor(async () => expect((await post(url, ping)).status).toBe(200), eventually)
  socket.resume()
  await vi.waitFor(() => expect(received().length).toBeGreaterThan(12_000_000), eventually)
  socket.destroy()
})

it('an owner has few resources in memory at once: others are read when a client has taken one', async () => {
  const { url, jobs } = await serve({ maxFilesPerOwner: 2 })
  const get = vi.spyOn(jobs, 'read')
  const clients = [1, 2, 3].map(() => askWithoutReading(url))
  await vi.waitFor(() => expect(get).toHaveBeenCalledTimes(2), eventually)
  // Other requests are served meanwhile.
  expect((await post(url, ping)).status).toBe(200)
  expect(get).toHaveBeenCalledTimes(2)
  for (const { socket } of clients) socket.resume()
  await vi.waitFor(() => expect(get).toHaveBeenCalledTimes(3), eventually)
  for (const { socket } of clients) socket.destroy()
})

it('a batch that reads more resources than that is refused', async () => {
  const { url } = await serve({ maxFilesPerOwner: 2 })
  const batch = [1, 2, 3].map(id => ({ jsonrpc: '2.0', ...read, id }))
  expect((await post(url, JSON.stringify(batch))).status).toBe(429)
})
