// Sign-in at the home page where the identity provider, or those who come back from it, do what is unusual.
import type { ServerResponse } from 'node:http'
import { describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../src/domain/errors.ts'
import { createSeals } from '../../../src/server/http/pages/seals.ts'
import { visit } from '../../support/home/visitor.ts'
import { allScopes, issuersOfEachTest } from '../../support/login/issuer.ts'
import { uploadServersOfEachTest } from '../../support/servers/upload-server.ts'

const issuerOf = issuersOfEachTest()
const serve = uploadServersOfEachTest()
const seals = createSeals(async () => Buffer.alloc(32, 1))

/** A provider that answers requests for a token as the test says. */
async function open(
  answerToken: (response: ServerResponse, sign: (claims: object) => Promise<string>) => void,
) {
  const requests = { count: 0 }
  const issuer = await issuerOf({
    answer(path, response) {
      if (path !== '/token') return false
      requests.count++
      answerToken(response, claims => issuer.sign(claims as Record<string, unknown>))
      return true
    },
  })
  issuer.metadata = { authorization_endpoint: `${issuer.url}/auth`, token_endpoint: `${issuer.url}/token` }
  const login = issuer.login({ client: { id: 'home' } })
  const { url } = await serve({ login, seals })
  const { origin } = new URL(url)
  return {
    ...{ issuer, requests, origin },
    async leave() {
      const { headers } = await visit(origin).ask('/sign-in')
      const state = new URL(headers.get('location')!).searchParams.get('state')!
      return { cookie: headers.get('set-cookie')!.split(';')[0]!, path: `/signed-in?code=c&state=${state}` }
    },
  }
}

describe('sign-in with an account', () => {
  it('a person with many scopes signs in: only those of this server are kept', async () => {
    const many = Array.from({ length: 150 }, (_, i) => `https://api.example/a.long.name.of.scope.${i}`)
    const { leave, origin } = await open(async (response, sign) => {
      const token = await sign({ scope: [...many, ...allScopes.split(' ')].join(' ') })
      response.end(JSON.stringify({ access_token: token }))
    })
    const { cookie, path } = await leave()
    const back = await visit(origin, cookie).ask(path)
    const session = back.headers.getSetCookie().find(one => one.includes('speech_session='))!
    expect([back.status, session.length < 4096]).toEqual([303, true])
    const { json } = await visit(origin, session.split(';')[0]).ask('/home/me')
    expect(json.may).toContain('delete_transcript')
  })

  it('the way back is used once: the provider is asked for one token', async () => {
    const { leave, origin, requests } = await open(response => response.writeHead(400).end('{}'))
    const { cookie, path } = await leave()
    expect((await visit(origin, cookie).ask(path)).status).toBe(403)
    expect((await visit(origin, cookie).ask(path)).status).toBe(400)
    expect(requests.count).toBe(1)
  })

  it('the provider is asked for four tokens at once, four people wait, and others are told to', async () => {
    const held: ServerResponse[] = []
    let isHeld = true
    const refuse = (response: ServerResponse) => response.writeHead(400).end('{}')
    const { leave, origin, requests } = await open(response => {
      if (isHeld) held.push(response)
      else refuse(response)
    })
    const ways = await Promise.all(Array.from({ length: 11 }, leave))
    const statuses: number[] = []
    const asked = ways.map(async ({ cookie, path }) => {
      const { status, headers } = await visit(origin, cookie).ask(path)
      statuses.push(status)
      if (status === 429) expect(headers.get('retry-after')).not.toBeNull()
    })
    await vi.waitFor(() => expect([statuses, held.length]).toEqual([[429, 429, 429], 4]))
    expect(requests.count).toBe(4)
    isHeld = false
    for (const response of held) refuse(response)
    await Promise.all(asked)
    expect([statuses.filter(status => status === 403).length, requests.count]).toEqual([8, 8])
  })

  it('a provider whose keys cannot be had is no refusal: the person is told to come again', async () => {
    const { leave, origin, issuer } = await open(async (response, sign) => {
      response.end(JSON.stringify({ access_token: await sign({}) }))
    })
    const { cookie, path } = await leave()
    issuer.metadata.jwks_uri = `${issuer.url}/none`
    const { status, text } = await visit(origin, cookie).ask(path)
    expect([status, text]).toEqual([503, expect.stringMatching(/identity provider does not answer/)])
  })

  it('an answer of the provider that makes no sense is a refusal', async () => {
    const { leave, origin } = await open(response => response.end('{"error":{"toString":1}}'))
    const { cookie, path } = await leave()
    const { status, text } = await visit(origin, cookie).ask(path)
    expect([status, text]).toEqual([403, expect.stringMatching(/has given no access token/)])
  })

  it('while the key of sessions cannot be read, the server says so without the words of the bucket', async () => {
    const hint = 'Delete the object speech-mcp/uploads/keys/here.'
    const failing = createSeals(async () => {
      throw new SpeechError('BUCKET_REFUSED', 'The key of pages in the bucket is damaged.', { hint })
    })
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const tokens = [{ name: 'ann', token: 'ann-0123456789abcdef' }]
    const issuer = await issuerOf()
    issuer.metadata = { authorization_endpoint: `${issuer.url}/auth`, token_endpoint: `${issuer.url}/token` }
    const login = issuer.login({ client: { id: 'home' } })
    const [named, open] = await Promise.all([
      serve({ tokens, login, seals: failing }),
      serve({ seals: failing }),
    ])
    const home = visit(new URL(named.url).origin, `speech_session=${'A'.repeat(84)}`)
    const answers = [
      await home.ask('/home/sign-in', { body: { token: tokens[0]!.token } }),
      await home.ask('/home/me'),
      await home.ask('/sign-in'),
      await visit(new URL(open.url).origin).ask('/home/open/tr_local'),
    ]
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503])
    for (const { text } of answers) expect(text).not.toMatch(/BUCKET|object|damaged/)
    const logged = write.mock.calls.map(([line]) => JSON.parse(String(line)))
    write.mockRestore()
    expect(logged.map(({ code }) => code)).toEqual(answers.map(() => 'BUCKET_REFUSED'))
  })
})
