// Sign-in at the home page with the account of a real authorization server.
import { describe, expect, it } from 'vitest'
import { ownerOf } from '../../../src/server/http/login/login.ts'
import { createSeals } from '../../../src/server/http/pages/seals.ts'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import { visit } from '../../support/home/visitor.ts'
import { allScopes, issuersOfEachTest } from '../../support/login/issuer.ts'
import { logIn } from '../../support/login/person.ts'
import { homeAddress, homeClients, providerAudience, startProvider } from '../../support/login/provider.ts'
import { uploadServersOfEachTest } from '../../support/servers/upload-server.ts'

const providerOf = closedAfterEach(startProvider)
const issuerOf = issuersOfEachTest()
const serve = uploadServersOfEachTest()
const seals = createSeals(async () => Buffer.alloc(32, 1))
const [read, write] = allScopes.split(' ') as [string, string]
const [publicClient] = homeClients

async function open({ client = publicClient!, tokenLife = 600 } = {}) {
  const [provider, issuer] = await Promise.all([providerOf({ tokenLife }), issuerOf()])
  const audiences = [providerAudience, `${homeAddress}/mcp`]
  const login = issuer.login({ issuer: provider.url, audiences, client })
  let moved = 0
  const server = await serve({ login, seals, limits: { now: () => Date.now() + moved } })
  const { origin } = new URL(server.url)
  return {
    provider,
    origin,
    move(ms: number): void {
      moved = ms
    },
    idOf: (name: string) => `tr_${ownerOf(provider.url, 'sub', name)}`,
    /** From the button to the way back. */
    async leave() {
      const { status, headers } = await visit(origin).ask('/sign-in')
      expect(status).toBe(303)
      const target = new URL(headers.get('location')!)
      return { target, cookie: headers.getSetCookie()[0]! }
    },
    /** The provider's address for the way back, as the browser asks this server for it. */
    async comeBack(address: URL, cookie: string) {
      const path = address.href.slice(homeAddress.length)
      const answer = await visit(origin, cookie.split(';')[0]).ask(path, { headers: { 'x-speech-page': '' } })
      const cookies = answer.headers.getSetCookie()
      return { ...answer, cookies, session: cookies.find(one => one.startsWith('__Host-speech_session=')) }
    },
  }
}

describe('sign-in with an account', () => {
  it.each(homeClients)('a person logs in as client $id, and sees what is theirs', async client => {
    const { origin, leave, comeBack, idOf, provider } = await open({ client })
    expect((await visit(origin).ask('/home/me')).json.ways).toEqual({ token: false, login: true })
    const { target, cookie } = await leave()
    expect(target.origin).toBe(provider.url)
    expect(Object.fromEntries(target.searchParams)).toMatchObject({
      response_type: 'code',
      redirect_uri: `${homeAddress}/signed-in`,
      code_challenge_method: 'S256',
      resource: `${homeAddress}/mcp`,
      scope: allScopes,
    })
    expect(cookie).toMatch(/^__Host-speech_way=[\w-]+; Max-Age=900; Path=\/; HttpOnly; SameSite=Lax; Secure$/)
    const back = await comeBack(await logIn(target, 'ann', homeAddress), cookie)
    expect([back.status, back.headers.get('location')]).toEqual([303, './'])
    expect(back.session).toMatch(/; HttpOnly; SameSite=Strict; Secure$/)
    expect(back.cookies).toContainEqual(expect.stringMatching(/^__Host-speech_way=; Max-Age=0;/))
    const ann = visit(origin, back.session!.split(';')[0])
    expect((await ann.ask('/home/me')).json).toMatchObject({ isSignedIn: true, canSignOut: true })
    const found = await ann.call('search_transcripts', {})
    expect(found.json.structuredContent.transcripts[0]).toMatchObject({ transcript_id: idOf('ann') })
  })

  it('the session ends with the token, and may do only what its scopes allow', async () => {
    const { origin, leave, comeBack, provider, move, idOf } = await open({ tokenLife: 300 })
    provider.grants = read
    const tokensAlone = await serve({ tokens: [{ name: 'bob', token: 'bob-0123456789abcdef' }], seals })
    const { target, cookie } = await leave()
    const { session } = await comeBack(await logIn(target, 'ann', homeAddress), cookie)
    const ann = visit(origin, session!.split(';')[0])
    const { may } = (await ann.ask('/home/me')).json
    expect(may).toContain('search_transcripts')
    for (const tool of ['request_upload', 'transcribe_audio', 'delete_transcript', 'cancel_transcription'])
      expect(may).not.toContain(tool)
    expect((await ann.call('delete_transcript', { transcript_id: idOf('ann') })).status).toBe(403)
    expect((await ann.call('request_upload', {})).status).toBe(403)
    expect((await ann.ask('/home/price', { body: { audio: 'upload://a' } })).status).toBe(403)
    expect((await ann.ask(`/home/open/${idOf('ann')}`)).status).toBe(303)
    const there = visit(new URL(tokensAlone.url).origin, ann.cookie)
    expect((await there.call('search_transcripts', {})).status).toBe(401)
    move(400_000)
    expect((await ann.call('search_transcripts', {})).status).toBe(401)
  })

  it('the session counts where the token would: with the same provider, audience and claim', async () => {
    const { leave, comeBack, provider } = await open()
    const { target, cookie } = await leave()
    const { session } = await comeBack(await logIn(target, 'ann', homeAddress), cookie)
    const statusAt = async (changed: object) => {
      const audiences = [providerAudience, `${homeAddress}/mcp`]
      const issuer = await issuerOf()
      const login = {
        ...issuer.login({ issuer: provider.url, audiences, client: publicClient! }),
        ...changed,
      }
      const there = await serve({ login, seals })
      const ann = visit(new URL(there.url).origin, session!.split(';')[0])
      return (await ann.call('search_transcripts', {})).status
    }
    expect(await statusAt({})).toBe(200)
    expect(await statusAt({ audiences: ['another server'] })).toBe(401)
    expect(await statusAt({ ownerClaim: 'email' })).toBe(401)
    expect(await statusAt({ issuer: 'https://another.example' })).toBe(401)
  })

  it('without the scope to read, neither the list nor a link opens anything', async () => {
    const { origin, leave, comeBack, provider, idOf } = await open()
    provider.grants = write
    const { target, cookie } = await leave()
    const { session } = await comeBack(await logIn(target, 'ann', homeAddress), cookie)
    const ann = visit(origin, session!.split(';')[0])
    for (const path of ['/home/changes', `/home/open/${idOf('ann')}`])
      expect((await ann.ask(path)).status).toBe(403)
    expect((await ann.call('search_transcripts', {})).status).toBe(403)
  })

  it('an answer that another browser asked for, that is late, or that is changed, signs nobody in', async () => {
    const { leave, comeBack, move } = await open()
    const [mine, other] = [await leave(), await leave()]
    const address = await logIn(mine.target, 'ann', homeAddress)
    const changed = (name: string, value: string) => {
      const copy = new URL(address)
      copy.searchParams.set(name, value)
      return copy
    }
    const refused = async (address: URL, cookie: string) => {
      const { status, session } = await comeBack(address, cookie)
      return status >= 400 && session === undefined
    }
    expect(await refused(address, other.cookie)).toBe(true)
    expect(await refused(address, '__Host-speech_way=')).toBe(true)
    expect(await refused(changed('state', 'x'), mine.cookie)).toBe(true)
    expect(await refused(changed('iss', 'https://evil.example'), mine.cookie)).toBe(true)
    expect(await refused(changed('code', 'x'), mine.cookie)).toBe(true)
    move(16 * 60_000)
    expect(await refused(address, mine.cookie)).toBe(true)
  })

  it('where too many sign in at once, a person may try again, with the same answer of the provider', async () => {
    const { leave, comeBack, provider } = await open()
    const { target, cookie } = await leave()
    const address = await logIn(target, 'ann', homeAddress)
    let release = () => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    provider.onTokens = () => released
    const others = await Promise.all(Array.from({ length: 9 }, leave))
    const answers = others.map(({ target, cookie }) => {
      const state = target.searchParams.get('state')
      return comeBack(new URL(`${homeAddress}/signed-in?code=x&state=${state}`), cookie)
    })
    // All others wait then.
    expect((await Promise.race(answers)).status).toBe(429)
    const refused = await comeBack(address, cookie)
    expect([refused.status, refused.headers.get('retry-after'), refused.cookies]).toEqual([429, '5', []])
    release()
    await Promise.all(answers)
    expect((await comeBack(address, cookie)).status).toBe(303)
    expect((await comeBack(address, cookie)).text).toMatch(/This sign-in has been used/)
  })

  it('a person who says no is told so, in text that no page can abuse', async () => {
    const { leave, comeBack } = await open()
    const { target, cookie } = await leave()
    const address = new URL(`${homeAddress}/signed-in?error=${encodeURIComponent('<b>access_denied</b>')}`)
    address.searchParams.set('state', target.searchParams.get('state')!)
    const { status, text, headers } = await comeBack(address, cookie)
    expect([status, text]).toEqual([403, expect.stringMatching(/has not signed you in \(<b>access_denied/)])
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8')
  })

  it('without the setting for it there is no such sign-in', async () => {
    const [provider, issuer] = await Promise.all([providerOf(), issuerOf()])
    const login = issuer.login({ issuer: provider.url, audiences: [providerAudience] })
    const { origin } = new URL((await serve({ login, seals })).url)
    expect((await visit(origin).ask('/home/me')).json.ways).toEqual({ token: false, login: false })
    for (const path of ['/sign-in', '/signed-in']) expect((await visit(origin).ask(path)).status).toBe(404)
  })

  it('a provider that does not answer is told in words', async () => {
    const { origin, provider } = await open()
    await provider.close()
    const { status, text } = await visit(origin).ask('/sign-in')
    expect([status, text]).toEqual([503, expect.stringMatching(/^You are not signed in\. /)])
  })
})
