// Habits of clients and browsers over HTTP: names of a proxy, slashes, old sessions, wildcards and discovery.
import { describe, expect, it } from 'vitest'
import {
  answerOf,
  initialize,
  openSession,
  post,
  rawRequest,
  serversOfEachTest,
} from '../../support/e2e/http.ts'
import { modernMeta } from '../../support/e2e/raw-stdio.ts'

const tokens = [{ name: 'ann', token: 'ann-0123456789abcdef' }]
const bearer = { authorization: 'Bearer ann-0123456789abcdef' }
const ping = { id: 1, method: 'ping' }

const serve = serversOfEachTest()

describe('a name that a proxy passes on', () => {
  const names = ['speech.example.com', 'host.docker.internal:8765', 'nas.local']

  it('any name reaches a server with tokens, which still asks for one', async () => {
    const { url } = await serve({ tokens })
    for (const host of names) {
      expect((await rawRequest(url, { headers: { host, ...bearer } })).status).toBe(405)
      expect((await rawRequest(url, { headers: { host } })).status).toBe(401)
    }
  })

  it('a server without tokens is reached by the names of the setting, and its refusal names the setting', async () => {
    const { url } = await serve({ allowedHosts: ['speech.example.com'] })
    expect((await rawRequest(url, { headers: { host: 'speech.example.com:443' } })).status).toBe(405)
    const refused = await rawRequest(url, { headers: { host: 'evil.example' } })
    expect([refused.status, JSON.parse(refused.text).error.message]).toEqual([
      403,
      'Host evil.example is not allowed. If it is yours, add its name to SPEECH_HTTP_ALLOWED_HOSTS.',
    ])
    const page = await rawRequest(url, { headers: { host: 'localhost', origin: 'https://evil.example' } })
    expect([page.status, page.text]).toEqual([
      403,
      expect.stringMatching(/Origin https:\/\/evil\.example is not/),
    ])
  })
})

describe('a web page', () => {
  const origin = 'https://app.example.com'
  const asksBefore = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type,mcp-session-id',
  }

  it('a browser is told that a page of an allowed host may use the server, before it sends a token', async () => {
    const { url } = await serve({ tokens, allowedHosts: ['app.example.com'] })
    const { status, headers } = await fetch(url, { method: 'OPTIONS', headers: asksBefore })
    expect(status).toBe(204)
    expect(headers.get('access-control-allow-origin')).toBe(origin)
    expect(headers.get('access-control-allow-methods')).toContain('DELETE')
    for (const name of asksBefore['access-control-request-headers'].split(','))
      expect(headers.get('access-control-allow-headers')?.toLowerCase()).toContain(name)
  })

  it('a page of an allowed host reads answers, their session ids and refusals', async () => {
    const { url } = await serve({ tokens, allowedHosts: ['app.example.com'] })
    for (const more of [bearer, {}]) {
      const { status, headers } = await initialize(url, { origin, ...more })
      expect(status).toBe('authorization' in more ? 200 : 401)
      expect(headers.get('access-control-allow-origin')).toBe(origin)
      expect(headers.get('vary')).toBe('Origin')
      expect(headers.get('access-control-expose-headers')).toContain('Mcp-Session-Id')
    }
  })

  it.each([
    ['http://localhost:6274', [], false],
    ['http://localhost:6274', ['localhost:6275'], false],
    ['http://localhost:6274', ['localhost:6274'], true],
    ['http://localhost:6274', ['localhost'], true],
    ['https://app.example.com', ['app.example.com:443'], true],
    [undefined, [], true],
  ])('without tokens, a page of %s with the setting %j: %s', async (page, allowedHosts, may) => {
    const { url } = await serve({ allowedHosts })
    const headers = { origin: page ?? new URL(url).origin }
    const asked = await fetch(url, { method: 'OPTIONS', headers: { ...asksBefore, ...headers } })
    expect(asked.status).toBe(may ? 204 : 405)
    // Other clients may send any port of localhost: they are answered, but no page reads it.
    const answer = await post(url, ping, headers)
    expect(answer.status).toBe(200)
    const leave = may ? headers.origin : null
    for (const given of [asked, answer]) expect(given.headers.get('access-control-allow-origin')).toBe(leave)
    // A browser sends this without asking first.
    expect((await post(url, ping, { ...headers, 'content-type': 'text/plain' })).status).toBe(415)
  })

  it('a page of another host gets neither an answer nor leave', async () => {
    const { url } = await serve({ tokens })
    const { status, headers } = await fetch(url, { method: 'OPTIONS', headers: asksBefore })
    expect([status, headers.get('access-control-allow-origin')]).toEqual([403, null])
    const { headers: none } = await post(url, ping, bearer)
    expect(none.get('access-control-allow-origin')).toBeNull()
  })
})

describe('a client', () => {
  it('a client may end the address with a slash', async () => {
    const { url } = await serve()
    const session = await openSession(`${url}/`)
    expect(await session.ask(ping)).toMatchObject({ id: 1, result: {} })
    expect((await fetch(`${url}//`)).status).toBe(404)
  })

  it('a client that starts again with the id of an old or a living session gets a new one', async () => {
    const { url } = await serve()
    const living = await openSession(url)
    for (const old of ['gone-since-yesterday', living.headers['mcp-session-id']!]) {
      const opened = await initialize(url, { 'mcp-session-id': old })
      expect([opened.status, (await answerOf(opened)).result]).toEqual([200, expect.any(Object)])
      expect(opened.headers.get('mcp-session-id')).toMatch(/^[\w-]{36}$/)
      expect(opened.headers.get('mcp-session-id')).not.toBe(old)
    }
    expect(await living.ask(ping)).toMatchObject({ result: {} })
  })

  it.each(['*/*', 'application/json, */*;q=0.5'])('a client that accepts %s is answered', async accept => {
    const { url } = await serve()
    expect(await answerOf(await post(url, ping, { accept }))).toMatchObject({ id: 1, result: {} })
    const session = await openSession(url, { accept })
    expect(await session.ask(ping)).toMatchObject({ id: 1, result: {} })
  })

  it.each([
    ['GET', '/.well-known/oauth-protected-resource'],
    ['GET', '/.well-known/oauth-protected-resource/mcp'],
    ['GET', '/.well-known/oauth-authorization-server'],
    ['GET', '/.well-known/openid-configuration'],
    ['GET', '/mcp/.well-known/openid-configuration'],
    ['POST', '/register'],
  ])(
    'a client that looks for a login, %s %s, gets 404 in JSON, with and without tokens',
    async (method, path) => {
      for (const given of [[], tokens]) {
        const { url } = await serve({ tokens: given })
        const answer = await fetch(new URL(path, url), { method })
        expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/json'])
        expect(await answer.json()).toMatchObject({ error: { message: expect.stringContaining('/mcp') } })
      }
    },
  )

  it('a client that asks for a protocol of 2031 is told which ones there are', async () => {
    const { url } = await serve()
    const clientInfo = { name: 'raw', version: '1' }
    const hello = { protocolVersion: '2031-06-01', capabilities: {}, clientInfo }
    const old = await answerOf(await post(url, { id: 1, method: 'initialize', params: hello }))
    expect(old).toMatchObject({ result: { protocolVersion: '2025-11-25' } })
    const versionKey = 'io.modelcontextprotocol/protocolVersion'
    const params = { _meta: { ...modernMeta, [versionKey]: '2031-06-01' } }
    const headers = { 'mcp-protocol-version': '2031-06-01', 'mcp-method': 'tools/list' }
    const refused = await post(url, { id: 2, method: 'tools/list', params }, headers)
    expect(refused.status).toBe(400)
    expect(await answerOf(refused)).toMatchObject({
      error: { code: -32022, data: { supported: expect.arrayContaining(['2026-07-28']) } },
    })
  })
})
