// Slots, streams and sessions are given back however a request ends: more odd requests than the limit leave the owner served.

import { once } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { HttpLimits } from '../../../src/server/http/limits.ts'
import {
  answerOf,
  initialize,
  openSession,
  post,
  rawPost,
  sendBytes,
  startTestServer,
  type TestServer,
} from '../../support/e2e/http.ts'

const maxRequestsPerOwner = 4
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
const text = JSON.stringify(ping)
const wait = { id: 1, method: 'tools/call', params: { name: 'transcribe_audio', arguments: { audio: '/a' } } }
const modern = { 'mcp-protocol-version': '2026-07-28' }

const open: TestServer[] = []
async function serve(more: Partial<HttpLimits> = {}): Promise<TestServer> {
  const server = await startTestServer({ limits: { maxRequestsPerOwner, maxSessionsPerOwner: 8, ...more } })
  open.push(server)
  return server
}
afterEach(async () => {
  for (const server of open.splice(0)) await server.close(async () => server.jobs.release())
})

/** A batch as large as the limit is served only if no slot is taken. */
async function expectServed(url: string): Promise<void> {
  const batch = JSON.stringify(Array.from({ length: maxRequestsPerOwner }, (_, id) => ({ ...ping, id })))
  await vi.waitFor(async () => expect((await post(url, batch)).status).toBe(200))
}

async function statusOf(url: string, bytes: string): Promise<string | undefined> {
  const connection = sendBytes(url, bytes)
  await Promise.race([connection.closed(), once(connection.socket, 'data')])
  connection.socket.destroy()
  return /^HTTP\/1\.1 (\d+)/.exec(connection.received())?.[1]
}

describe('an odd request', () => {
  const hosts = [
    'x@localhost',
    'localhost/x',
    'localhost#',
    'x:y@localhost:1',
    'localhost:',
    ' ',
    'local host',
  ]
  it.each(hosts)('a request with the Host %s is rejected by its headers', async host => {
    const { url } = await serve()
    expect(await statusOf(url, rawPost(url, text, { host }))).toBe('403')
  })

  it.each([
    ['whose Host is no address', '403', text, { host: 'x@localhost' }],
    ['that is no JSON', '400', '{"', {}],
    ['that is no UTF-8', '400', '"\u{fffd}"', { 'content-length': 3 }],
    ['with a wrong type', '415', text, { 'content-type': 'text/plain' }],
    ['that accepts no JSON', '406', text, { accept: 'text/html' }],
    ['of 2026 without its headers', '400', text, modern],
    ['of an unknown session', '404', text, { 'mcp-session-id': 'x' }],
    ['that declares too much', '413', text, { 'content-length': 3_000_000 }],
  ])('a request %s gives its slot back', async (_, status, body, headers) => {
    const { url } = await serve()
    const requests = Array.from({ length: 6 }, () => statusOf(url, rawPost(url, body, headers)))
    // More at a time than the limit: some may be told to wait.
    for (const got of await Promise.all(requests)) expect([status, '429']).toContain(got)
    await expectServed(url)
  })

  const brief = { requestTimeoutMs: 1_000, headersTimeoutMs: 1_000 }

  it('a body that does not come is given up, and gives its slot back', async () => {
    const { url } = await serve(brief)
    const slow = rawPost(url, '{"', { 'content-length': 1_000 })
    const all = await Promise.all(Array.from({ length: 6 }, () => statusOf(url, slow)))
    for (const status of all) expect(['408', '429']).toContain(status)
    await expectServed(url)
  })

  it('a body without end is refused with advice, and its connection is closed', async () => {
    const { url } = await serve(brief)
    const connection = sendBytes(
      url,
      rawPost(url, '', { 'transfer-encoding': 'chunked', 'content-length': '' }).replace(
        'content-length: \r\n',
        '',
      ),
    )
    const chunk = `${(1_000_000).toString(16)}\r\n${'a'.repeat(1_000_000)}\r\n`
    for (let i = 0; i < 3; i++) connection.socket.write(chunk)
    expect(await connection.closed()).toMatch(/^HTTP\/1\.1 413 [\s\S]*TOO_LARGE: [\s\S]* path /)
    await expectServed(url)
  })
})

describe('a client that disappears', () => {
  const calls = Array.from({ length: 6 })

  it('a client that disappears within its body gives its slot back', async () => {
    const { url } = await serve()
    for (const _ of calls) {
      const { socket } = sendBytes(url, rawPost(url, '{"', { 'content-length': 1_000 }))
      await once(socket, 'connect')
      socket.destroy()
    }
    await expectServed(url)
  })

  it('a client that disappears within an answer gives its slot back', async () => {
    const { url, jobs } = await serve()
    for (const _ of calls) {
      const stop = new AbortController()
      expect((await post(url, wait, {}, stop.signal)).status).toBe(200)
      stop.abort()
      await vi.waitFor(() => expect(jobs.waiting()).toBe(0))
    }
    await expectServed(url)
  })

  it('requests in one connection behind a call that waits give their slots back with it', async () => {
    const { url, jobs } = await serve()
    for (const _ of calls) {
      const body = JSON.stringify({ jsonrpc: '2.0', ...wait })
      const { socket } = sendBytes(url, rawPost(url, body).repeat(maxRequestsPerOwner))
      await vi.waitFor(() => expect(jobs.waiting()).toBe(maxRequestsPerOwner))
      socket.destroy()
      await vi.waitFor(() => expect(jobs.waiting()).toBe(0))
    }
    await expectServed(url)
  })
})

describe('a session', () => {
  it('a session that is deleted while calls wait gives their slots back', async () => {
    const { url, jobs } = await serve()
    for (const id of [1, 2, 3]) {
      const session = await openSession(url)
      const call = await session.post({ ...wait, id })
      await vi.waitFor(() => expect(jobs.waiting()).toBe(1))
      await session.end()
      await call.text()
      await vi.waitFor(() => expect(jobs.waiting()).toBe(0))
    }
    await expectServed(url)
  })

  it('a session whose streams have broken can be closed to make room', async () => {
    const now = { value: 0 }
    const limits = { maxSessionsPerOwner: 1, minIdleMs: 0, now: () => now.value }
    const { url } = await serve(limits)
    const session = await openSession(url)
    for (const _ of Array.from({ length: 5 })) {
      const stop = new AbortController()
      await session.listen(undefined, stop.signal)
      stop.abort()
      await expect(session.ask({ id: 1, method: 'ping' })).resolves.toMatchObject({ result: {} })
    }
    now.value = 1
    await vi.waitFor(async () => expect((await initialize(url)).status).toBe(200))
  })

  it('sessions whose first request is refused leave nothing', async () => {
    const { url } = await serve()
    for (const _ of Array.from({ length: 6 })) {
      const refused = await initialize(url, { accept: 'text/html' })
      expect(refused.status).toBe(406)
    }
    const session = await openSession(url)
    const again = await session.post({ id: 2, method: 'ping' })
    expect(await answerOf(again)).toMatchObject({ id: 2 })
    // A request that the session's transport refuses.
    for (const _ of Array.from({ length: 6 }))
      expect((await post(url, ping, { ...session.headers, 'mcp-protocol-version': 'x' })).status).toBe(400)
    await expectServed(url)
  })
})
