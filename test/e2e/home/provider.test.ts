// Sign-in at the home page where the identity provider, or those who come back from it, do what is unusual.
import type { ServerResponse } from 'node:http'
import { describe, expect, it, vi } from 'vitest'
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
    const session = back.headers.getSetCookie().find(one => one.startsWith('speech_session='))!
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
})
