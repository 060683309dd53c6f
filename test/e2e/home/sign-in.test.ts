// Sign-in at the home page: sessions, the requests that other pages make, and owners apart.
import { EventEmitter, once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { createSeals } from '../../../src/server/http/pages/seals.ts'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import { rawRequest } from '../../support/e2e/http.ts'
import { type HomeVisitor, signIn, visit } from '../../support/home/visitor.ts'
import { uploadServersOfEachTest } from '../../support/servers/upload-server.ts'

const serve = uploadServersOfEachTest()
const tokens = ['ann', 'bob'].map(name => ({ name, token: `${name}-0123456789abcdef` }))
const seals = createSeals(async () => Buffer.alloc(32, 1))
const originOf = ({ url }: { url: string }) => new URL(url).origin
const hours = 3600_000

describe('a server without tokens', () => {
  it('the page opens at once for a browser, and clients of MCP see the answer of before', async () => {
    const origin = originOf(await serve())
    const page = await fetch(origin, { headers: { accept: 'text/html,*/*' } })
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    const policy = page.headers.get('content-security-policy')
    expect(policy).toMatch(
      /^default-src 'none'; script-src 'sha256-[^ ]+'; style-src 'sha256-[^ ]+'; connect/,
    )
    expect(policy).toMatch(/form-action 'none'; frame-ancestors 'none'$/)
    expect((await page.text()).length).toBeLessThan(25_000)
    for (const accept of ['*/*', 'application/json, text/event-stream'])
      expect((await fetch(origin, { headers: { accept } })).status).toBe(404)
    expect((await fetch(`${origin}/favicon.ico`, { headers: { accept: 'image/*' } })).status).toBe(404)
    expect((await fetch(origin, { method: 'POST', headers: { accept: 'text/html' } })).status).toBe(404)
  })

  it('the page may call the tools that clients are shown, as the one user there is', async () => {
    const home = visit(originOf(await serve()))
    const { json } = await home.ask('/home/me')
    expect(json).toMatchObject({ isSignedIn: true, canSignOut: false })
    expect(json.may).toEqual(expect.arrayContaining(['request_upload', 'search_transcripts']))
    expect(json.may).not.toContain('find_recordings')
    const found = await home.call('search_transcripts', {})
    expect(found.json.structuredContent.transcripts[0]).toMatchObject({ title: 'What local said' })
  })

  it('a request of another page is refused, and one with another name of the server too', async () => {
    const { url } = await serve()
    const me = new URL('/home/me', url).href
    const own = { 'x-speech-page': '1' }
    const of = async (headers: Record<string, string>) => (await rawRequest(me, { headers })).status
    expect(await of(own)).toBe(200)
    expect(await of({})).toBe(403)
    expect(await of({ ...own, origin: 'http://localhost:9999' })).toBe(403)
    expect(await of({ ...own, 'sec-fetch-site': 'same-site' })).toBe(403)
    expect(await of({ ...own, 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await of({ ...own, 'sec-fetch-site': 'same-origin' })).toBe(200)
    expect(await of({ ...own, host: 'evil.example' })).toBe(403)
    const asked = { origin: 'http://localhost:9999', 'access-control-request-headers': 'x-speech-page' }
    const preflight = await rawRequest(me, {
      method: 'OPTIONS',
      headers: { ...asked, 'access-control-request-method': 'POST' },
    })
    expect(preflight.headers['access-control-allow-headers'] ?? '').not.toMatch(/speech-page/i)
  })
})

describe('sign-in with a token', () => {
  it('a token is taken once, and a cookie that no script can read stands for it', async () => {
    const origin = originOf(await serve({ tokens, seals }))
    expect((await visit(origin).ask('/home/me')).json).toEqual({
      isSignedIn: false,
      ways: { token: true, login: false },
    })
    const answer = await visit(origin).ask('/home/sign-in', { body: { token: ` ${tokens[0]!.token}\n` } })
    const cookie = answer.headers.get('set-cookie')!
    expect(cookie).toMatch(/^speech_session=[\w-]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/)
    expect(cookie).not.toMatch(/ann/)
    const ann = visit(origin, cookie.split(';')[0])
    expect((await ann.ask('/home/me')).json).toMatchObject({ isSignedIn: true, owner: 'ann' })
    const found = await ann.call('search_transcripts', {})
    expect(found.json.structuredContent.transcripts[0]).toMatchObject({ transcript_id: 'tr_ann' })
    const foreign = await ann.call('get_transcript', { transcript_id: 'tr_bob' })
    expect(foreign.json.content[0].text).toMatch(/^TRANSCRIPT_NOT_FOUND/)
  })

  it('over HTTPS the cookie is sent over HTTPS only', async () => {
    const { url } = await serve({ tokens, seals, allowedHosts: ['speech.example'] })
    const proxied = { origin: 'https://speech.example', host: 'speech.example' }
    const answer = await visit(originOf({ url })).ask('/home/sign-in', {
      body: { token: tokens[0]!.token },
      headers: proxied,
    })
    const [cookie = '', ...others] = answer.headers.getSetCookie()
    expect(others).toEqual([expect.stringMatching(/^speech_session=; Max-Age=0;.*Strict$/)])
    expect(cookie).toMatch(/^__Host-speech_session=.*; Path=\/; HttpOnly; SameSite=Strict; Secure$/)
    const [pair] = cookie.split(';') as [string]
    const statusWith = async (cookie: string) =>
      (await visit(originOf({ url }), cookie).call('search_transcripts', {}, proxied)).status
    expect(await statusWith(pair)).toBe(200)
    // Hosts beside this one can set a cookie of any other name.
    expect(await statusWith(pair.replace('__Host-', ''))).toBe(401)
    // So the page shows the form, not the transcripts of a session that may do nothing.
    const left = visit(originOf({ url }), pair.replace('__Host-', ''))
    const { json } = await left.ask('/home/me', { body: {}, headers: proxied })
    expect(json.isSignedIn).toBe(false)
    const planted = `speech_session=${'A'.repeat(84)}`
    expect(await statusWith(`${planted}; ${pair}`)).toBe(200)
  })

  it.each(['', 'ann', 'ann-0123456789abcdeg', { a: 1 }])('%j is no token', async token => {
    const origin = originOf(await serve({ tokens, seals }))
    const answer = await visit(origin).ask('/home/sign-in', { body: { token } })
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([401, null])
  })

  it('a session ends after 12 hours, with its token, and when its person signs out', async () => {
    let now = Date.now()
    const first = await serve({ tokens, seals, limits: { now: () => now } })
    const ann = await signIn(originOf(first), tokens[0]!.token)
    now += 11.9 * hours
    expect((await ann.call('search_transcripts', {})).status).toBe(200)
    now += 0.2 * hours
    expect((await ann.call('search_transcripts', {})).status).toBe(401)
    expect((await ann.ask('/home/changes')).status).toBe(401)
    const next = await serve({ tokens: tokens.slice(1), seals })
    const again = await signIn(originOf(first), tokens[0]!.token)
    expect((await again.ask('/home/me')).json.isSignedIn).toBe(true)
    const there = visit(originOf(next), again.cookie)
    expect((await there.ask('/home/me')).json.isSignedIn).toBe(false)
    const out = await again.ask('/home/sign-out', { body: {} })
    expect(out.headers.getSetCookie()).toEqual(
      ['speech_session', '__Host-speech_session'].map(name => expect.stringMatching(`^${name}=; Max-Age=0;`)),
    )
  })

  it('a session goes on with a server that was started again', async () => {
    const ann = await signIn(originOf(await serve({ tokens, seals })), tokens[0]!.token)
    const same = visit(originOf(await serve({ tokens, seals })), ann.cookie)
    expect((await same.ask('/home/me')).json).toMatchObject({ owner: 'ann' })
  })

  it('200 changed cookies, and texts sealed for other uses, open nothing', async () => {
    const origin = originOf(await serve({ tokens, seals }))
    const { cookie } = await signIn(origin, tokens[0]!.token)
    const sealed = cookie.split('=')[1]!
    const forged = Array.from({ length: 200 }, (_, i) => {
      const at = (i * 7) % sealed.length
      const letter = sealed[at] === 'A' ? 'B' : 'A'
      return i % 5 === 4 ? sealed.slice(0, at) : sealed.slice(0, at) + letter + sealed.slice(at + 1)
    })
    const page = await seals.seal('page', JSON.stringify({ owner: 'ann' }), Date.now() + hours)
    const unknown = await seals.seal('session', JSON.stringify({ owner: 'ann' }), Date.now() + hours)
    const otherKey = createSeals(async () => Buffer.alloc(32, 2))
    const foreign = await otherKey.seal('session', JSON.stringify({ owner: 'ann' }), Date.now() + hours)
    for (const text of [...forged, page, unknown, foreign]) {
      const { status } = await visit(origin, `speech_session=${text}`).call('search_transcripts', {})
      expect(status).toBe(401)
    }
  })

  it('the cookie alone opens nothing: another page cannot use it', async () => {
    const { url } = await serve({ tokens, seals })
    const { cookie } = await signIn(originOf({ url }), tokens[0]!.token)
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
    const accept = 'application/json, text/event-stream'
    const post = (headers: Record<string, string>) =>
      fetch(new URL('/mcp', url), {
        method: 'POST',
        headers: { cookie, accept, 'content-type': 'application/json', ...headers },
        body,
      })
    const own = { 'x-speech-page': '1' }
    expect((await post(own)).status).toBe(200)
    expect((await post({})).status).toBe(401)
    expect((await post({ ...own, origin: 'http://127.0.0.1:1' })).status).toBe(401)
    expect((await post({ ...own, 'sec-fetch-site': 'same-site' })).status).toBe(401)
    expect((await post({ ...own, origin: 'https://evil.example' })).status).toBe(403)
    const form = { 'content-type': 'text/plain' }
    const out = await visit(originOf({ url }), cookie).ask('/home/sign-out', { body: {}, headers: form })
    expect([out.status, out.headers.get('set-cookie')]).toEqual([400, null])
  })

  it('a page that shows one owner does nothing for another, who has signed in elsewhere in that browser', async () => {
    const origin = originOf(await serve({ tokens, seals }))
    const [ann, bob] = await Promise.all(tokens.map(({ token }) => signIn(origin, token)))
    const { id } = (await ann!.ask('/home/me')).json
    const page = { 'x-speech-page': id }
    expect((await ann!.call('search_transcripts', {}, page)).status).toBe(200)
    expect((await bob!.call('search_transcripts', {}, page)).status).toBe(401)
    expect((await bob!.ask('/home/changes', { headers: page })).status).toBe(401)
    const signOut = async (visitor: HomeVisitor) => {
      const { status, headers } = await visitor.ask('/home/sign-out', { body: {}, headers: page })
      return [status, headers.getSetCookie().length]
    }
    expect(await signOut(bob!)).toEqual([200, 0])
    expect(await signOut(ann!)).toEqual([200, 2])
  })

  it('a bearer token counts before a cookie', async () => {
    const origin = originOf(await serve({ tokens, seals }))
    const ann = await signIn(origin, tokens[0]!.token)
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
    const asBob = await ann.call('search_transcripts', {}, bearer(tokens[1]!.token))
    expect(asBob.json.structuredContent.transcripts[0]).toMatchObject({ transcript_id: 'tr_bob' })
    expect((await ann.call('search_transcripts', {}, bearer('wrong'))).status).toBe(401)
  })
})

describe('jobs under way', () => {
  const open = closedAfterEach(async (options?: { origin: string; cookie: string }) => {
    const { origin, cookie } = options!
    const gone = new AbortController()
    const headers = { cookie, 'x-speech-page': '1' }
    const response = await fetch(new URL('/home/changes', origin), { headers, signal: gone.signal })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    return {
      status: response.status,
      next: async () => (await reader.read()).value,
      close: async () => gone.abort(),
    }
  })

  it('an owner is told of changes of her own transcripts, and of no others', async () => {
    const server = await serve({ tokens, seals })
    const ann = await signIn(originOf(server), tokens[0]!.token)
    const stream = await open({ origin: originOf(server), cookie: ann.cookie })
    expect(await stream.next()).toBe('data: {"running":[],"listChanges":0}\n\n')
    server.jobs.emitChange({ owner: 'bob', id: 'tr_bob', listChanged: true })
    server.jobs.emitChange({ owner: 'ann', id: 'tr_ann', listChanged: true })
    expect(await stream.next()).toBe('data: {"running":[],"listChanges":1}\n\n')
  })

  it('an owner has at most 20 such streams', async () => {
    const server = await serve({ tokens, seals })
    const ann = await signIn(originOf(server), tokens[0]!.token)
    for (let i = 0; i < 20; i++)
      expect((await open({ origin: originOf(server), cookie: ann.cookie })).status).toBe(200)
    expect((await ann.ask('/home/changes')).status).toBe(429)
  })

  it('a stream that is not read ends when the server stops', async () => {
    const server = await serve()
    server.jobs.unfinished = async () => [
      {
        id: 'tr_1',
        tool: 'transcribe_audio',
        title: 'x'.repeat(20e6),
        state: 'running',
        progress: { done: 0, message: '' },
      },
    ]
    const { host, port } = new URL(server.url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`GET /home/changes HTTP/1.1\r\nhost: ${host}\r\nx-speech-page: 1\r\n\r\n`)
    // Begins another request: Node closes connections without one at once.
    socket.write('GET / HTTP/1.1\r\n')
    await once(socket, 'readable')
    const closed = server.close()
    const change = { owner: 'local', id: 'tr_1', listChanged: true }
    await vi.waitFor(
      () => {
        server.jobs.emitChange(change)
        expect(server.jobs.listeners()).toBe(0)
      },
      { timeout: 20_000 },
    )
    socket.destroy()
    await closed
  })

  it('a stream that is still being checked when the server stops does not begin', async () => {
    const ann = await signIn(originOf(await serve({ tokens, seals })), tokens[0]!.token)
    const steps = new EventEmitter()
    const [asked, released] = [once(steps, 'asked'), once(steps, 'released')]
    const slow = createSeals(async () => {
      steps.emit('asked')
      await released
      return Buffer.alloc(32, 1)
    })
    const server = await serve({ tokens, seals: slow })
    const answer = visit(originOf(server), ann.cookie).ask('/home/changes')
    await asked
    const closed = server.close()
    steps.emit('released')
    expect((await answer).status).toBe(503)
    await closed
  })

  it('a stream ends with its session', async () => {
    // Sessions end at whole seconds.
    let now = Math.ceil(Date.now() / 1000) * 1000
    const server = await serve({ tokens, seals, limits: { now: () => now } })
    const ann = await signIn(originOf(server), tokens[0]!.token)
    now += 12 * hours - 100
    const stream = await open({ origin: originOf(server), cookie: ann.cookie })
    expect(stream.status).toBe(200)
    await stream.next()
    await expect(stream.next()).rejects.toThrow()
  })
})
