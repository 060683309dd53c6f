// MCP over HTTP in both protocol generations: authentication, rejected requests, limits and shutdown.
import { connect as connectTcp } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { SpeechError } from '../../../src/domain/errors.ts'
import {
  answerOf,
  openSession,
  post,
  rawRequest,
  startTestServer,
  type TestServer,
} from '../../support/e2e/http.ts'
import { httpClients } from '../../support/e2e/mcp-clients.ts'

const tokens = [
  { name: 'ann', token: 'ann-0123456789abcdef' },
  { name: 'bob', token: 'bob-0123456789abcdef' },
  { name: 'ann', token: 'new-0123456789abcdef' },
]
const ping = { id: 1, method: 'ping' }
const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

const open: TestServer[] = []
async function serve(...options: Parameters<typeof startTestServer>): Promise<TestServer> {
  const server = await startTestServer(...options)
  open.push(server)
  return server
}
afterEach(async () => {
  for (const server of open.splice(0)) await server.close(async () => server.jobs.release())
})

describe.each(httpClients)('%s', (_, connectHttp) => {
  it('a client lists tools, calls them, and sees only the transcripts of its owner', async () => {
    const { url, jobs } = await serve({ tokens })
    const [ann, bob] = await Promise.all([
      connectHttp({ url, token: 'ann-0123456789abcdef' }),
      connectHttp({ url, token: 'bob-0123456789abcdef' }),
    ])
    expect((await ann.listTools()).tools.map(({ name }) => name)).toContain('transcribe_audio')
    const { resources } = await ann.listResources()
    expect(resources.map(({ uri }) => uri)).toEqual(['transcript://tr_ann'])
    expect((await bob.readResource('transcript://tr_bob'))[0]!.text).toContain('What bob said')
    await expect(bob.readResource('transcript://tr_ann')).rejects.toThrow()
    const call = ann.call('transcribe_audio', { audio: '/a.wav' })
    await vi.waitFor(() => expect(jobs.waiting()).toBe(1))
    jobs.release()
    expect((await call).structuredContent).toMatchObject({ transcript_id: 'tr_ann' })
    await Promise.all([ann.close(), bob.close()])
  })

  it('a client is notified of the changes of its owner only', async () => {
    const { url, jobs } = await serve({ tokens })
    const [ann, bob] = await Promise.all([
      connectHttp({ url, token: 'ann-0123456789abcdef' }),
      connectHttp({ url, token: 'bob-0123456789abcdef' }),
    ])
    const received: string[] = []
    const ends = [
      await ann.onListChanged(() => received.push('list')),
      await ann.subscribe('transcript://tr_ann', () => received.push('transcript')),
      await ann.subscribe('transcript://tr_ann/srt', () => received.push('srt')),
    ]
    expect(new Set(jobs.followedIds)).toEqual(new Set(['ann/tr_ann']))
    const bobNotified = new Promise<void>(
      resolve => void bob.onListChanged(resolve).then(() => notify('bob')),
    )
    const notify = (owner: string) => jobs.emitChange({ owner, id: 'tr_ann', listChanged: true })
    await bobNotified
    // A notification sent before this answer would have been received.
    await ann.listTools()
    expect(received).toEqual([])
    notify('ann')
    await vi.waitFor(() => expect(received.sort()).toEqual(['list', 'srt', 'transcript']))
    for (const end of ends) await end()
    await vi.waitFor(() => expect(jobs.followedIds).toEqual([]))
    await Promise.all([ann.close(), bob.close()])
  })

  it('open subscriptions do not count as requests of a client', async () => {
    const { url } = await serve({ limits: { maxRequestsPerOwner: 2 } })
    const client = await connectHttp({ url })
    for (let i = 0; i < 4; i++) await client.onListChanged(() => {})
    expect((await client.listTools()).tools).not.toEqual([])
    await client.close()
  })

  it('a client that cancels a call stops its job', async () => {
    const { url, jobs } = await serve()
    const client = await connectHttp({ url })
    const stop = new AbortController()
    const call = client.call('transcribe_audio', { audio: '/a.wav' }, { signal: stop.signal })
    call.catch(() => {})
    await vi.waitFor(() => expect(jobs.waiting()).toBe(1))
    stop.abort()
    await expect(call).rejects.toThrow()
    await vi.waitFor(() => expect(jobs.disconnectReasons).toHaveLength(1))
    expect(jobs.disconnectReasons[0]).toMatch(/^(?:cancelled|disconnected)$/)
    await client.close()
  })

  it('a client without a valid token is rejected', async () => {
    const { url } = await serve({ tokens })
    await expect(connectHttp({ url })).rejects.toThrow()
    await expect(connectHttp({ url, token: 'eve-0123456789abcdef' })).rejects.toThrow()
  })
})

describe('a client of 2025 without a session', () => {
  it('a client of 2025 without a session is served', async () => {
    const { url } = await serve()
    const listed = await answerOf(await post(url, { id: 1, method: 'tools/list' }))
    expect(listed).toMatchObject({ id: 1, result: { tools: expect.any(Array) } })
  })

  it('a client of 2025 without a session that disconnects does not stop its job', async () => {
    const { url, jobs } = await serve()
    const stop = new AbortController()
    const params = { name: 'transcribe_audio', arguments: { audio: '/a.wav' } }
    await post(url, { id: 1, method: 'tools/call', params }, {}, stop.signal)
    await vi.waitFor(() => expect(jobs.waiting()).toBe(1))
    stop.abort()
    await vi.waitFor(() => expect(jobs.disconnectReasons).toEqual(['detached']))
  })
})

describe('a slow call', () => {
  it('a slow call in the protocol without sessions sends keep-alive data before its answer', async () => {
    const { url, jobs } = await serve()
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    }
    const params = { name: 'transcribe_audio', arguments: { audio: '/a.wav' }, _meta: meta }
    const headers = {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'transcribe_audio',
    }
    // Resolves with the head of the answer, which goes out at once.
    const response = await post(url, { id: 1, method: 'tools/call', params }, headers)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    await vi.waitFor(() => expect(jobs.waiting()).toBe(1))
    jobs.release()
    expect(await answerOf(response)).toMatchObject({ id: 1, result: { content: [{ type: 'text' }] } })
  })

  it('a slow call is not cut off by the time limit for request bodies', async () => {
    const { url, jobs } = await serve({ limits: { headersTimeoutMs: 200, requestTimeoutMs: 200 } })
    const session = await openSession(url)
    const call = await session.post({
      id: 1,
      method: 'tools/call',
      params: { name: 'transcribe_audio', arguments: { audio: '/a.wav' } },
    })
    await vi.waitFor(() => expect(jobs.waiting()).toBe(1))
    expect(await neverEnds(url, 100)).toContain(' 408 ')
    jobs.release()
    expect(await answerOf(call)).toMatchObject({ id: 1, result: {} })
  })
})

/** Sends the head of a request and a little of its body, and resolves with what the server says to that. */
function neverEnds(url: string, bytes: number): Promise<string> {
  const { port, host } = new URL(url)
  return new Promise((resolve, reject) => {
    let said = ''
    const socket = connectTcp(Number(port), '127.0.0.1')
    socket.on('data', piece => {
      said += piece
    })
    socket.once('close', () => resolve(said))
    socket.once('error', reject)
    const fields = Object.entries({ host, ...json, 'content-length': `${bytes}` })
    socket.write(
      `POST /mcp HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n{"`,
    )
  })
}

describe('access over HTTP', () => {
  it('access depends on the token; an owner may have several', async () => {
    const { url } = await serve({ tokens })
    for (const token of ['ann-0123456789abcdef', 'new-0123456789abcdef'])
      expect((await post(url, ping, { authorization: `Bearer ${token}` })).status).toBe(200)
    const wrong = [
      'Bearer ann',
      'Bearer ',
      'Basic ann-0123456789abcdef',
      'ann-0123456789abcdef',
      'Bearer x, y',
    ]
    for (const authorization of wrong) {
      const refused = await post(url, ping, { authorization })
      expect(refused.status, authorization).toBe(401)
      expect(refused.headers.get('www-authenticate'), authorization).toBe('Bearer error="invalid_token"')
      expect(await refused.text()).not.toContain('ann')
    }
    const none = await post(url, ping)
    expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  })

  it.each([
    ['evil.example', undefined, 403],
    ['127.0.0.1.evil.example', undefined, 403],
    ['localhost:1', undefined, 405],
    ['[::1]:8765', undefined, 405],
    ['localhost', 'http://localhost:6274', 405],
    ['localhost', 'https://evil.example', 403],
    ['localhost', 'null', 403],
  ])(
    'a request with Host %s and Origin %s is checked against the server’s names',
    async (host, origin, status) => {
      const { url } = await serve()
      const answer = await rawRequest(url, { headers: { host, ...(origin && { origin }) } })
      expect(answer.status).toBe(status)
    },
  )

  it('a server bound to all addresses accepts any host name with a token, but no foreign origin', async () => {
    const { url } = await serve({ tokens, host: '0.0.0.0' })
    const ask = async (headers: Record<string, string>) =>
      (
        await rawRequest(url.replace('0.0.0.0', '127.0.0.1'), {
          headers: { host: 'nas.example', ...headers },
        })
      ).status
    expect(await ask({})).toBe(401)
    const known = { authorization: 'Bearer ann-0123456789abcdef' }
    expect(await ask(known)).toBe(405)
    expect(await ask({ ...known, origin: 'http://nas.example' })).toBe(405)
    expect(await ask({ ...known, origin: 'http://evil.example' })).toBe(403)
  })

  it.each(['0.0.0.0', '::', '192.168.0.1', 'example.com'])(
    'serving %s without tokens is refused',
    async host => {
      const refused = await startTestServer({ host }).catch((error: SpeechError) => error)
      expect(refused).toMatchObject({
        code: 'CONFIG_INVALID',
        hint: expect.stringContaining('SPEECH_TOKENS'),
      })
    },
  )
})

describe('a bad request', () => {
  it.each([
    ['GET without a session', 'GET', '/mcp', undefined, 405],
    ['DELETE without a session', 'DELETE', '/mcp', undefined, 405],
    ['PUT', 'PUT', '/mcp', '{}', 405],
    ['a path that is none', 'GET', '/', undefined, 404],
    ['a path that climbs', 'GET', '/mcp/../etc/passwd', undefined, 404],
    ['no body', 'POST', '/mcp', '', 400],
    ['garbage', 'POST', '/mcp', '\u0000{"jsonrpc":', 400],
    ['null', 'POST', '/mcp', 'null', 400],
    ['a number', 'POST', '/mcp', '7', 400],
    ['an empty batch', 'POST', '/mcp', '[]', undefined],
    ['no method', 'POST', '/mcp', '{"jsonrpc":"2.0","id":1}', 400],
    ['an id that is an object', 'POST', '/mcp', '{"jsonrpc":"2.0","id":{},"method":"ping"}', 400],
    ['nesting without end', 'POST', '/mcp', `${'['.repeat(50_000)}${']'.repeat(50_000)}`, 400],
  ])('a bad request is rejected with a JSON error: %s', async (_, method, path, body, status) => {
    const { url } = await serve()
    const answer = await fetch(new URL(path, url), { method, headers: json, ...(body && { body }) })
    const text = await answer.text()
    if (status !== undefined) expect(answer.status).toBe(status)
    expect(answer.status).toBeLessThan(500)
    if (text) expect(JSON.parse(text)).toMatchObject({ jsonrpc: '2.0', error: { message: /\w/ } })
    expect(text).not.toMatch(/\bat .+:\d+:\d+|node_modules|\/src\//)
    expect(answer.headers.get('x-powered-by')).toBeNull()
    // The server is as before.
    expect((await post(url, ping)).status).toBe(200)
  })

  it('a request with a wrong content type is rejected', async () => {
    const { url } = await serve()
    expect((await post(url, ping, { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await post(url, ping, { accept: 'text/html' })).status).toBe(406)
  })

  it('a request body over 2 MB is rejected with or without a length, and one of 1.4 MB is accepted', async () => {
    const { url } = await serve()
    const message = (length: number) =>
      JSON.stringify({ jsonrpc: '2.0', ...ping, params: { x: 'a'.repeat(length) } })
    expect((await post(url, message(1_400_000))).status).toBe(200)
    const refused = await post(url, message(3_000_000))
    expect(refused.status).toBe(413)
    expect(await refused.json()).toMatchObject({ error: { message: expect.stringContaining('too large') } })
    const unsaid = await fetch(url, {
      method: 'POST',
      headers: json,
      body: new Blob([message(3_000_000)]).stream(),
      duplex: 'half',
    } as RequestInit)
    expect(unsaid.status).toBe(413)
  })

  it('a request that declares more than 2 MB is rejected before its body is sent', async () => {
    const { url } = await serve({ limits: { headersTimeoutMs: 200, requestTimeoutMs: 200 } })
    expect(await neverEnds(url, 3_000_000)).toContain(' 413 ')
  })

  it('an owner with too many requests is rejected until some are answered; other owners are not affected', async () => {
    const { url, jobs } = await serve({ tokens, limits: { maxRequestsPerOwner: 3 } })
    const ann = { authorization: 'Bearer ann-0123456789abcdef' }
    const params = { name: 'transcribe_audio', arguments: { audio: '/a.wav' } }
    const calls = await Promise.all([1, 2, 3].map(id => post(url, { id, method: 'tools/call', params }, ann)))
    await vi.waitFor(() => expect(jobs.waiting()).toBe(3))
    const refused = await post(url, ping, ann)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    expect((await post(url, ping, { authorization: 'Bearer bob-0123456789abcdef' })).status).toBe(200)
    jobs.release()
    for (const call of calls) expect(await answerOf(call)).toMatchObject({ result: {} })
    await vi.waitFor(async () => expect((await post(url, ping, ann)).status).toBe(200))
  })

  it('each request of a batch counts towards the limit', async () => {
    const { url } = await serve({ limits: { maxRequestsPerOwner: 3 } })
    const batch = (count: number) =>
      JSON.stringify(Array.from({ length: count }, (_, id) => ({ jsonrpc: '2.0', ...ping, id })))
    expect((await post(url, batch(4))).status).toBe(429)
    const answer = await post(url, batch(3))
    expect(answer.status).toBe(200)
    await answer.text()
    await vi.waitFor(async () => expect((await post(url, batch(3))).status).toBe(200))
  })
})

describe('/healthz', () => {
  it('/healthz answers ok without a token', async () => {
    const { url } = await serve({ tokens })
    const health = new URL('/healthz', url)
    const answer = await fetch(health)
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }])
    expect((await fetch(health, { method: 'POST' })).status).toBe(405)
  })

  it('/healthz reports a stopping server, which rejects new requests but answers pending ones', async () => {
    const { url, jobs, close } = await startTestServer()
    const session = await openSession(url)
    const params = { name: 'transcribe_audio', arguments: { audio: '/a.wav' } }
    const call = await session.post({ id: 1, method: 'tools/call', params })
    await vi.waitFor(() => expect(jobs.waiting()).toBe(1))
    await close(async () => {
      const answer = await fetch(new URL('/healthz', url))
      expect([answer.status, await answer.json()]).toEqual([503, { status: 'stopping' }])
      expect((await session.post({ id: 2, method: 'ping' })).status).toBe(503)
      expect((await post(url, ping)).status).toBe(503)
      jobs.release()
    })
    expect(await answerOf(call)).toMatchObject({ id: 1, result: {} })
    await expect(fetch(url)).rejects.toThrow()
  })
})

it('serving on a port in use names the port', async () => {
  const { url } = await serve()
  const refused = await startTestServer({ port: Number(new URL(url).port) }).catch(
    (error: SpeechError) => error,
  )
  expect(refused).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('is taken') })
})
