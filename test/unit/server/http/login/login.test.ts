// Login over HTTP: who the caller is, where clients find the identity provider, and what a session asks of each request.
import { describe, expect, it } from 'vitest'
import { ownerOf } from '../../../../../src/server/http/login/login.ts'
import {
  answerOf,
  eventsOf,
  openSession,
  post,
  rawRequest,
  serversOfEachTest,
} from '../../../../support/e2e/http.ts'
import { failure } from '../../../../support/failure.ts'
import { audience, bearer, issuersOfEachTest, type TestIssuer } from '../../../../support/login/issuer.ts'

const issuerOf = issuersOfEachTest()
const serve = serversOfEachTest()
const tokens = [{ name: 'ann', token: 'ann-0123456789abcdef' }]
const metadataPath = '/.well-known/oauth-protected-resource'

async function serveLogin(
  options: Parameters<typeof serve>[0] = {},
  login: Parameters<TestIssuer['login']>[0] = {},
) {
  const issuer = await issuerOf()
  return { issuer, ...(await serve({ login: issuer.login(login), ...options })) }
}

/** The owner whose transcripts a token lists. */
async function ownerBy(url: string, token: string): Promise<string> {
  const answer = await answerOf(
    await post(url, { id: 1, method: 'resources/list', params: {} }, bearer(token)),
  )
  return (answer.result as { resources: { name: string }[] }).resources[0]!.name.replace('tr_', '')
}

describe('the owner', () => {
  it('depends on issuer, claim and value, and is never a name of the settings', async () => {
    const owners = [
      ownerOf('https://a.example.com', 'sub', 'ann'),
      ownerOf('https://b.example.com', 'sub', 'ann'),
      ownerOf('https://a.example.com', 'email', 'ann'),
      ownerOf('https://a.example.com', 'sub', 'bob'),
      ownerOf('https://a.example.com', 'sub', 'local'),
    ]
    expect(new Set(owners).size).toBe(owners.length)
    // SPEECH_TOKENS allows letters, digits and `_.@-`.
    for (const owner of owners) expect(owner).toMatch(/^login~[0-9a-f]{48}$/)
  })

  it('tokens of the settings and of a login stand side by side', async () => {
    const { issuer, url } = await serveLogin({ tokens })
    expect(await ownerBy(url, tokens[0]!.token)).toBe('ann')
    expect(await ownerBy(url, await issuer.sign({ sub: 'ann' }))).toBe(ownerOf(issuer.url, 'sub', 'ann'))
    expect((await post(url, { id: 1, method: 'ping' }, bearer('ann-0123456789abcdeX'))).status).toBe(401)
  })

  it('without tokens of the settings nobody is let in as the one user of the machine', async () => {
    const { url } = await serveLogin()
    expect((await post(url, { id: 1, method: 'tools/list' })).status).toBe(401)
  })

  it('another claim may name the owner, so that a team shares its transcripts', async () => {
    const { issuer, url } = await serveLogin({}, { ownerClaim: 'team' })
    const [ann, bob] = await Promise.all(['ann', 'bob'].map(sub => issuer.sign({ sub, team: 'sales' })))
    expect(await ownerBy(url, ann!)).toBe(await ownerBy(url, bob!))
    expect((await post(url, { id: 1, method: 'tools/list' }, bearer(await issuer.sign()))).status).toBe(401)
  })

  it('with a login the server may listen on any address', async () => {
    const issuer = await issuerOf()
    await serve({ host: '0.0.0.0', login: issuer.login() })
    expect((await failure(serve({ host: '0.0.0.0' }))).hint).toContain('SPEECH_OAUTH_ISSUER')
  })
})

describe('metadata and challenges', () => {
  it('a client without a token is led to metadata that name the identity provider', async () => {
    const { issuer, url } = await serveLogin()
    const refused = await post(url, { id: 1, method: 'tools/list' })
    const challenge =
      'Bearer resource_metadata="https://speech.example.com/.well-known/oauth-protected-resource/mcp"'
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, challenge])
    for (const path of [metadataPath, `${metadataPath}/mcp`]) {
      const metadata = await fetch(new URL(path, url))
      expect(await metadata.json()).toEqual({
        resource: audience,
        authorization_servers: [issuer.url],
        scopes_supported: ['transcripts:read', 'transcripts:write', 'speech:spend'],
        bearer_methods_supported: ['header'],
        resource_name: 'speech-mcp',
      })
    }
    expect((await fetch(new URL(metadataPath, url), { method: 'POST' })).status).toBe(405)
    expect((await fetch(new URL(`${metadataPath}/other`, url))).status).toBe(404)
  })

  it('a token that does not hold gets the error invalid_token', async () => {
    const { url } = await serveLogin()
    const refused = await post(url, { id: 1, method: 'tools/list' }, bearer('x.y.z'))
    expect(refused.headers.get('www-authenticate')).toMatch(
      /^Bearer error="invalid_token", resource_metadata="https:/,
    )
  })

  it.each([
    ['speech.example.com', {}, 'https://speech.example.com/mcp'],
    ['speech.example.com:8443', {}, 'https://speech.example.com:8443/mcp'],
    ['speech.example.com', { 'x-forwarded-proto': 'http' }, 'http://speech.example.com/mcp'],
    ['10.0.0.7:8765', {}, 'http://10.0.0.7:8765/mcp'],
    ['10.0.0.7', { 'x-forwarded-proto': 'https, http' }, 'https://10.0.0.7/mcp'],
    ['localhost:8765', { 'x-forwarded-proto': 'gopher"' }, 'http://localhost:8765/mcp'],
  ])('where no audience is an address, %s with %j is %s', async (host, headers, resource) => {
    const { url } = await serveLogin({}, { audiences: ['api://speech'] })
    const { text } = await rawRequest(url, { path: metadataPath, headers: { host, ...headers } })
    expect(JSON.parse(text)).toMatchObject({ resource })
    const refused = await rawRequest(url, { path: '/mcp', headers: { host, ...headers } })
    const { origin } = new URL(resource)
    expect(refused.headers['www-authenticate']).toBe(
      `Bearer resource_metadata="${origin}${metadataPath}/mcp"`,
    )
  })

  it('behind a proxy with a path, the metadata are at the place that the audience asks for', async () => {
    const address = 'https://example.com/speech/mcp'
    const { issuer, url } = await serveLogin({}, { audiences: ['api://speech', address] })
    const answer = await fetch(new URL(`${metadataPath}/speech/mcp`, url))
    expect(await answer.json()).toMatchObject({ resource: address })
    for (const aud of ['api://speech', address]) await ownerBy(url, await issuer.sign({ aud }))
  })

  it('without a login there are no metadata, and challenges are as before', async () => {
    const { url } = await serve({ tokens })
    expect((await fetch(new URL(metadataPath, url))).status).toBe(404)
    const refused = await post(url, { id: 1, method: 'tools/list' })
    expect(refused.headers.get('www-authenticate')).toBe('Bearer')
  })
})

describe('a session', () => {
  it('belongs to its owner: with the token of another one it does not exist', async () => {
    const { issuer, url } = await serveLogin({ tokens })
    const [ann, bob] = await Promise.all(['ann', 'bob'].map(sub => issuer.sign({ sub })))
    const session = await openSession(url, bearer(ann!))
    const ping = { id: 2, method: 'ping' }
    for (const token of [bob!, tokens[0]!.token])
      expect((await post(url, ping, { ...session.headers, ...bearer(token) })).status).toBe(404)
    const renewed = await issuer.sign({ sub: 'ann', jti: 'renewed' })
    expect((await post(url, ping, { ...session.headers, ...bearer(renewed) })).status).toBe(200)
  })

  it('refuses a token that has ended or lost its scope in the meantime', async () => {
    let moved = 0
    const { issuer, url } = await serveLogin({ limits: { now: () => Date.now() + moved } })
    const session = await openSession(url, bearer(await issuer.sign()))
    const read = { id: 2, method: 'resources/list', params: {} }
    expect((await session.post(read)).status).toBe(200)
    const lesser = bearer(await issuer.sign({ scope: 'speech:spend' }))
    expect((await post(url, read, { ...session.headers, ...lesser })).status).toBe(403)
    moved = 10 * 60_000
    const late = await session.post(read)
    expect([late.status, late.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('invalid_token'),
    ])
  })

  it('a stream of notifications ends with its token', async () => {
    const moved = 358_900
    const { issuer, url } = await serveLogin({ limits: { now: () => Date.now() + moved } })
    const exp = Math.floor(Date.now() / 1000) + 300
    const session = await openSession(url, bearer(await issuer.sign({ exp })))
    const stream = await session.listen()
    expect(stream.status).toBe(200)
    const messages: unknown[] = []
    await expect(async () => {
      for await (const { message } of eventsOf(stream)) messages.push(message)
    }).rejects.toThrow()
    expect((await session.post({ id: 2, method: 'ping' })).status).toBe(401)
  })
})
