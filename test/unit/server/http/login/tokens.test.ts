// Tokens of a login: which ones are accepted, and 500 forged or spoilt ones that are not.
import { createHmac } from 'node:crypto'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post, rawPost, sendBytes, startTestServer, type TestServer } from '../../../../support/e2e/http.ts'
import {
  allScopes,
  audience,
  bearer,
  startIssuer,
  type TestIssuer,
} from '../../../../support/login/issuer.ts'

const hour = 3600
const now = () => Math.floor(Date.now() / 1000)
const list = { id: 1, method: 'tools/list', params: {} }

let issuer: TestIssuer
let other: TestIssuer
let server: TestServer
beforeAll(async () => {
  issuer = await startIssuer({ alg: 'RS256' })
  other = await startIssuer()
  server = await startTestServer({
    login: issuer.login(),
    tokens: [{ name: 'ann', token: 'ann-0123456789abcdef' }],
  })
})
afterAll(() => Promise.all([server.close(), issuer.close(), other.close()]))

const statusOf = async (token: string) => (await post(server.url, list, bearer(token))).status

const base64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const decoded = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as object

describe('a token of the issuer', () => {
  it.each([
    ['for this server among others', { aud: ['https://other.example.com', audience] }, {}],
    ['that ended less than a minute ago', { exp: now() - 30 }, {}],
    ['that begins in less than a minute', { nbf: now() + 30 }, {}],
    ['without a type', {}, { typ: undefined }],
    ['of the type JWT', {}, { typ: 'JWT' }],
    ['of the type application/at+jwt', {}, { typ: 'application/at+jwt' }],
    ['that names no key', {}, { kid: undefined }],
    ['without any scope', { scope: undefined }, {}],
  ])('%s is accepted', async (_, claims, header) => {
    expect(await statusOf(await issuer.sign(claims, header as object))).toBe(200)
  })

  it.each([
    ['of yesterday', { exp: now() - 24 * hour }, {}],
    ['that ended two minutes ago', { exp: now() - 120 }, {}],
    ['that begins in two minutes', { nbf: now() + 120 }, {}],
    ['that never ends', { exp: undefined }, {}],
    ['whose end is no number', { exp: String(now() + hour) }, {}],
    ['for another audience', { aud: 'https://other.example.com/mcp' }, {}],
    ['for a longer audience', { aud: `${audience}/` }, {}],
    ['without an audience', { aud: undefined }, {}],
    ['of another issuer', { iss: 'https://other.example.com' }, {}],
    ['of an issuer with a slash more', { iss: 'set below' }, {}],
    ['without an issuer', { iss: undefined }, {}],
    ['without an owner', { sub: undefined }, {}],
    ['with an empty owner', { sub: '' }, {}],
    ['whose owner is no text', { sub: { name: 'ann' } }, {}],
    ['that is an ID of a logout', {}, { typ: 'logout+jwt' }],
    ['that says who has logged in, and opens nothing', { at_hash: 'MTIzNDU2Nzg5' }, { typ: 'JWT' }],
    ['that asks for an unknown extension', {}, { crit: ['house'], house: 1 }],
    ['of an unknown key', {}, { kid: 'never-was' }],
    ['bound to a key of its client', { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } }, {}],
  ])('%s is refused', async (_, claims: Record<string, unknown>, header) => {
    const own = claims.iss === 'set below' ? { iss: `${issuer.url}/` } : claims
    expect(await statusOf(await issuer.sign(own, header as object))).toBe(401)
  })
})

describe('forged tokens', () => {
  it('a token that is signed with the public key as a secret, or not at all, is refused', async () => {
    const [header, payload, signature] = (await issuer.sign()).split('.') as [string, string, string]
    const secrets = [
      await exportSPKI(issuer.publicKey()),
      JSON.stringify(await exportJWK(issuer.publicKey())),
      '',
    ]
    for (const alg of ['HS256', 'HS384', 'HS512'])
      for (const secret of secrets) {
        const start = `${base64({ ...decoded(header), alg })}.${payload}`
        const hash = createHmac(alg.replace('HS', 'sha'), secret).update(start).digest('base64url')
        expect(await statusOf(`${start}.${hash}`), alg).toBe(401)
      }
    for (const alg of ['none', 'None', 'NONE', '', undefined, null, ['RS256'], 'RS1', 'dir'])
      for (const end of ['', signature, 'AA'])
        expect(await statusOf(`${base64({ ...decoded(header), alg })}.${payload}.${end}`), String(alg)).toBe(
          401,
        )
  })

  it('a token that brings its own key, or says where to fetch one, is refused, and nothing is fetched', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
    const jwk = { ...(await exportJWK(publicKey)), kid: 'mine', alg: 'RS256' }
    const claims = { iss: issuer.url, aud: audience, sub: 'ann', scope: allScopes, exp: now() + hour }
    const before = other.requests.length
    for (const kid of [undefined, 'first', 'mine', '../../keys', `${other.url}/keys`])
      for (const more of [
        {},
        { jwk },
        { jku: `${other.url}/keys` },
        { x5u: `${other.url}/keys` },
        { x5c: ['AA=='] },
      ]) {
        const header = { alg: 'RS256', typ: 'at+jwt', ...(kid && { kid }), ...more }
        const token = await new SignJWT(claims).setProtectedHeader(header).sign(privateKey)
        expect(await statusOf(token)).toBe(401)
      }
    expect(other.requests).toHaveLength(before)
  })

  it('a token of another issuer is refused, whatever it says', async () => {
    for (const claims of [{}, { iss: issuer.url }, { iss: [issuer.url, other.url] }])
      expect(await statusOf(await other.sign(claims))).toBe(401)
  })

  it('of 400 tokens with a change anywhere none is accepted, and no answer repeats a part of one', async () => {
    const token = await issuer.sign()
    const [header, payload, signature] = token.split('.') as [string, string, string]
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const changed = (place: number) => {
      // The last bits of a signature's last letter may mean nothing.
      const at = (place * 7919) % (token.length - 1)
      const letter = alphabet[(alphabet.indexOf(token[at]!) + 1 + (place % 62)) % 64]!
      return token[at] === '.'
        ? token.slice(0, at) + token.slice(at + 1)
        : token.slice(0, at) + letter + token.slice(at + 1)
    }
    const shapes = [
      '',
      '.',
      '..',
      'null',
      `${token}.`,
      `${token}.${signature}`,
      `.${token}`,
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${header}..${signature}`,
      `${header}.${payload}.${signature}=`,
      `${payload}.${header}.${signature}`,
      `${header}.${base64({ ...decoded(payload), sub: 'bob' })}.${signature}`,
      `${header}.${base64([decoded(payload)])}.${signature}`,
      `${base64('{"alg":"RS256","alg":"none"}')}.${payload}.`,
      `${base64({ ...decoded(header), b64: false, crit: ['b64'] })}.${payload}.${signature}`,
      `${base64({ ...decoded(header), zip: 'DEF' })}.${payload}.${signature}`,
      `${header}.${'A'.repeat(9000)}.${signature}`,
      `${base64({ ...decoded(header), x: 'y'.repeat(6000) })}.${payload}.${signature}`,
      `${'A.'.repeat(3000)}A`,
      `${token} ${token}`,
      `${token},${token}`,
      `"${token}"`,
      ...Array.from({ length: 60 }, (_, i) => token.slice(0, Math.floor((i * token.length) / 61))),
      ...Array.from({ length: 320 }, (_, i) => changed(i)),
    ]
    expect(shapes.length).toBeGreaterThan(400)
    for (const shape of shapes) {
      const answer = await post(server.url, list, bearer(shape))
      const text = (await answer.text()) + (answer.headers.get('www-authenticate') ?? '')
      expect([401, 431], shape).toContain(answer.status)
      expect(text).not.toMatch(/ann|first|RS256|eyJ/)
    }
  })
})

describe('the header with the token', () => {
  it('a second header is refused, whichever of both is right', async () => {
    const token = await issuer.sign()
    const body = JSON.stringify({ jsonrpc: '2.0', ...list })
    for (const [first, second] of [
      [token, 'x.y.z'],
      ['x.y.z', token],
      [token, token],
      ['ann-0123456789abcdef', token],
    ]) {
      const headers = {
        authorization: `Bearer ${first}\r\nauthorization: Bearer ${second}`,
        connection: 'close',
      }
      expect(await sendBytes(server.url, rawPost(server.url, body, headers)).closed()).toMatch(
        /^HTTP\/1\.1 401 /,
      )
    }
  })

  it('a token in the address, in the body or of another scheme counts for nothing', async () => {
    const token = await issuer.sign()
    expect((await post(`${server.url}?access_token=${token}`, list)).status).toBe(401)
    expect((await post(server.url, { ...list, access_token: token })).status).toBe(401)
    for (const scheme of ['Basic', 'DPoP', 'Token', ''])
      expect((await post(server.url, list, { authorization: `${scheme} ${token}` })).status).toBe(401)
  })
})
