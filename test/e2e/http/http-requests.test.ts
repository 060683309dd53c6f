// Requests over HTTP: access by token and host, invalid and oversized requests, limits and health.
import { describe, expect, it, vi } from 'vitest'
import type { SpeechError } from '../../../src/domain/errors.ts'
import {
  answerOf,
  openSession,
  post,
  rawRequest,
  sendIncompleteRequest,
  serversOfEachTest,
  startTestServer,
} from '../../support/e2e/http.ts'

const tokens = [
  { name: 'ann', token: 'ann-0123456789abcdef' },
  { name: 'bob', token: 'bob-0123456789abcdef' },
  { name: 'ann', token: 'new-0123456789abcdef' },
]
const ping = { id: 1, method: 'ping' }
const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

const serve = serversOfEachTest()

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
    expect(await refused.json()).toMatchObject({
      error: { message: expect.stringMatching(/^TOO_LARGE: .* 2 MB\. Pass .* path /) },
    })
    const unsaid = await fetch(url, {
      method: 'POST',
      headers: json,
      body: new Blob([message(3_000_000)]).stream(),
      duplex: 'half',
    } as RequestInit)
    expect(unsaid.status).toBe(413)
  })

  it('a request that declares more than 2 MB is rejected before its body is sent', async () => {
    const { url } = await serve({ limits: { headersTimeoutMs: 1_000, requestTimeoutMs: 1_000 } })
    expect(await sendIncompleteRequest(url, 3_000_000)).toContain(' 413 ')
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
  expect(refused).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('is used') })
})
