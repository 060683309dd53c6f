// Keys of an identity provider: rotation, an outage, and how rarely they are fetched.
import { exportJWK } from 'jose'
import { expect, it } from 'vitest'
import { fetchKeySet } from '../../../../../src/server/http/login/issuer-keys.ts'
import { post, serversOfEachTest } from '../../../../support/e2e/http.ts'
import { failure } from '../../../../support/failure.ts'
import { bearer, issuersOfEachTest, startIssuer, type TestIssuer } from '../../../../support/login/issuer.ts'

const issuerOf = issuersOfEachTest()
const serve = serversOfEachTest()
const minute = 60_000
const hour = 60 * minute

/** A server whose clock a test moves. */
async function serveWith(issuer: TestIssuer) {
  let moved = 0
  const { url } = await serve({ login: issuer.login(), limits: { now: () => Date.now() + moved } })
  const fetches = () => issuer.requests.filter(path => path === '/keys').length
  return {
    fetches,
    move(ms: number): void {
      moved += ms
    },
    /** A token that outlives all movements of the clock. */
    ask: async (header: object = {}) => {
      const exp = Math.floor(Date.now() / 1000) + 400_000
      return post(
        url,
        { id: 1, method: 'tools/list', params: {} },
        bearer(await issuer.sign({ exp }, header)),
      )
    },
  }
}

it('keys are fetched with the first token and kept for the next ones', async () => {
  const { ask, fetches } = await serveWith(await issuerOf())
  expect(fetches()).toBe(0)
  const all = await Promise.all(Array.from({ length: 20 }, () => ask()))
  expect(all.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(fetches()).toBe(1)
})

it('a new key is found by the first token that names it, and the old one stays as long as it is published', async () => {
  const issuer = await issuerOf()
  const { ask, fetches, move } = await serveWith(issuer)
  expect((await ask()).status).toBe(200)
  await issuer.rotate('second')
  move(minute)
  expect((await ask()).status).toBe(200)
  expect((await ask()).status).toBe(200)
  expect(fetches()).toBe(2)
})

it('a new key is found by a token that names none', async () => {
  const issuer = await issuerOf()
  const { ask, move } = await serveWith(issuer)
  expect((await ask({ kid: undefined })).status).toBe(200)
  await issuer.rotate('second', false)
  move(minute)
  expect((await ask({ kid: undefined })).status).toBe(200)
  await issuer.rotate('third')
  move(minute)
  expect((await ask({ kid: undefined })).status).toBe(200)
})

it('a new key under the name of the old one is found', async () => {
  const issuer = await issuerOf()
  const { ask, move } = await serveWith(issuer)
  expect((await ask()).status).toBe(200)
  await issuer.rotate('first', false)
  move(minute)
  expect((await ask()).status).toBe(200)
})

it('tokens with unknown keys make the server ask once in ten seconds', async () => {
  const { ask, fetches, move } = await serveWith(await issuerOf())
  await ask()
  for (let i = 0; i < 30; i++) expect((await ask({ kid: `made-up-${i}` })).status).toBe(401)
  expect(fetches()).toBe(1)
  move(11_000)
  await Promise.all(Array.from({ length: 30 }, (_, i) => ask({ kid: `again-${i}` })))
  expect(fetches()).toBe(2)
  expect((await ask()).status).toBe(200)
})

it('a withdrawn key is refused within ten minutes', async () => {
  const issuer = await issuerOf()
  const { move, ...server } = await serveWith(issuer)
  const { url } = await serve({ login: issuer.login(), limits: { now: () => Date.now() + moved } })
  let moved = 0
  const old = await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 4000 })
  const status = async () => (await post(url, { id: 1, method: 'tools/list' }, bearer(old))).status
  expect([await status(), (await server.ask()).status]).toEqual([200, 200])
  await issuer.rotate('second', false)
  moved = 9 * minute
  expect(await status()).toBe(200)
  moved = 10 * minute
  expect(await status()).toBe(401)
})

it('while the provider is down its last keys hold for a day, and no longer', async () => {
  const issuer = await issuerOf()
  const { ask, move } = await serveWith(issuer)
  expect((await ask()).status).toBe(200)
  issuer.status = 503
  move(23 * hour)
  expect((await ask()).status).toBe(200)
  // Nothing can be said about a token with another key.
  const unknown = await ask({ kid: 'second' })
  expect([unknown.status, unknown.headers.get('retry-after')]).toEqual([503, '10'])
  move(hour)
  expect((await ask()).status).toBe(503)
  issuer.status = 200
  move(minute)
  expect((await ask()).status).toBe(200)
})

it('a provider that has never answered makes the server ask for patience, not for another login', async () => {
  const issuer = await issuerOf()
  issuer.status = 500
  const { ask, fetches, move } = await serveWith(issuer)
  const refused = await ask()
  expect([
    refused.status,
    refused.headers.get('retry-after'),
    refused.headers.get('www-authenticate'),
  ]).toEqual([503, '10', null])
  expect(await refused.json()).toMatchObject({
    error: { message: expect.stringContaining('Try again later') },
  })
  const { length } = issuer.requests
  expect((await ask()).status).toBe(503)
  expect([issuer.requests.length, fetches()]).toEqual([length, 0])
  issuer.status = 200
  move(11_000)
  expect((await ask()).status).toBe(200)
})

it('a provider that hangs holds up no caller whose key is known', async () => {
  const issuer = await issuerOf()
  const login = issuer.login()
  let asked = 0
  let hangs = false
  const fetchText: typeof login.fetchText = request => {
    if (!hangs) return login.fetchText(request)
    asked++
    // The first request ends with its deadline; the next one would last as long again.
    return asked === 1 ? Promise.reject(new Error('late')) : new Promise(() => {})
  }
  let moved = 0
  const { url } = await serve({ login: { ...login, fetchText }, limits: { now: () => Date.now() + moved } })
  const token = await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 40_000 })
  const status = async () => (await post(url, { id: 1, method: 'tools/list' }, bearer(token))).status
  expect(await status()).toBe(200)
  hangs = true
  moved = hour
  expect([await status(), asked]).toEqual([200, 1])
  moved += minute
  expect(await Promise.all([status(), status(), status()])).toEqual([200, 200, 200])
  expect(asked).toBe(2)
})

it.each([
  ['names itself otherwise', { issuer: 'https://other.example.com' }, /names itself otherwise/],
  [
    'has its keys at an address without TLS',
    { jwks_uri: 'http://keys.example.com/' },
    /no `jwks_uri` with https/,
  ],
  ['has its keys in a file', { jwks_uri: 'file:///etc/keys' }, /no `jwks_uri`/],
  ['has no address for keys', { jwks_uri: undefined }, /no `jwks_uri`/],
])('a provider that %s is not believed', async (_, metadata, message) => {
  const issuer = await issuerOf()
  issuer.metadata = metadata
  const { login, url } = issuer
  expect(await failure(fetchKeySet(url, login().fetchText))).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(message),
  })
  expect((await (await serveWith(issuer)).ask()).status).toBe(503)
})

it.each([
  ['secrets', '{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"first","alg":"HS256"}]}'],
  ['no keys', '{"keys":[]}'],
  ['nonsense', '<html>'],
  ['far too much', `{"keys":[{"kty":"EC"}],"more":"${'x'.repeat(1_000_000)}"}`],
])('a provider that publishes %s has no keys', async (_, keys) => {
  const issuer = await issuerOf({
    answer: (path, response) => path === '/keys' && Boolean(response.end(keys)),
  })
  expect((await failure(fetchKeySet(issuer.url, issuer.login().fetchText))).code).toBe('CONFIG_INVALID')
})

it('an entry that is no key spoils none of the others', async () => {
  const issuer = await issuerOf({
    answer(path, response) {
      if (path !== '/keys') return false
      exportJWK(issuer.publicKey()).then(key =>
        response.end(JSON.stringify({ keys: [[], null, 'key', { ...key, kid: 'first', alg: 'ES256' }] })),
      )
      return true
    },
  })
  expect((await (await serveWith(issuer)).ask()).status).toBe(200)
})

it('metadata of something else at the first address do not hide those at the next', async () => {
  const issuer = await issuerOf({
    answer: (path, response) =>
      path.includes('oauth-authorization-server') && Boolean(response.end('{"error":"not found"}')),
  })
  expect((await (await serveWith(issuer)).ask()).status).toBe(200)
})

it('the metadata of a provider with a path is found by the ways of OAuth and of OpenID Connect', async () => {
  for (const place of [
    '/.well-known/oauth-authorization-server/realms/main',
    '/realms/main/.well-known/openid-configuration',
    '/.well-known/openid-configuration/realms/main',
  ]) {
    const issuer: TestIssuer = await startIssuer({
      answer(path, response) {
        if (path !== place) return false
        return Boolean(response.end(JSON.stringify({ issuer: realm(), jwks_uri: `${issuer.url}/keys` })))
      },
    })
    const realm = () => `${issuer.url}/realms/main`
    expect((await fetchKeySet(realm(), issuer.login().fetchText)).keys).toHaveLength(1)
    await issuer.close()
  }
})
