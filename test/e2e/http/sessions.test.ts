// Sessions of 2025-11-25 over HTTP: ownership, resumable streams, limits and expiry.
import { describe, expect, it, vi } from 'vitest'
import {
  answerOf,
  eventsOf,
  initialize,
  openSession,
  type RawSession,
  serversOfEachTest,
  startTestServer,
} from '../../support/e2e/http.ts'

const tokens = [
  { name: 'ann', token: 'ann-0123456789abcdef' },
  { name: 'bob', token: 'bob-0123456789abcdef' },
]
const bearer = (name: string) => ({ authorization: `Bearer ${name}-0123456789abcdef` })
const wait = {
  method: 'tools/call',
  params: {
    name: 'transcribe_audio',
    arguments: { audio: '/a.wav' },
    _meta: { progressToken: 'p' },
  },
}

const serve = serversOfEachTest()

/** Reads a stream until the first event with a message, and breaks the connection. */
async function breakOff(response: Response, stop: AbortController): Promise<string> {
  for await (const { id, message } of eventsOf(response)) {
    if (!message) continue
    stop.abort()
    return id!
  }
  throw new Error('The stream ended.')
}

describe('a session', () => {
  it('a session answers until it is deleted', async () => {
    const { url } = await serve()
    const session = await openSession(url)
    expect(await session.ask({ id: 1, method: 'ping' })).toMatchObject({ id: 1, result: {} })
    expect((await session.end()).status).toBe(200)
    const after = await session.post({ id: 2, method: 'ping' })
    expect(after.status).toBe(404)
    expect(await after.json()).toMatchObject({ error: { code: -32001 } })
  })

  it('a session of another owner gets the same response as an unknown one', async () => {
    const { url } = await serve({ tokens })
    const { headers } = await openSession(url, bearer('ann'))
    const ask = async (method: string, more: Record<string, string>) => {
      const answer = await fetch(url, {
        method,
        headers: {
          ...headers,
          ...bearer('bob'),
          ...more,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        ...(method === 'POST' && { body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' }),
      })
      return { status: answer.status, body: await answer.text() }
    }
    for (const method of ['POST', 'GET', 'DELETE']) {
      const foreign = await ask(method, {})
      expect(foreign.status, method).toBe(404)
      expect(await ask(method, { 'mcp-session-id': 'never-was' }), method).toEqual(foreign)
    }
  })

  it('a session notifies only its own client of changes', async () => {
    const { url, jobs } = await serve({ tokens })
    const [ann, bob] = [await openSession(url, bearer('ann')), await openSession(url, bearer('bob'))]
    await ann.ask({ id: 1, method: 'resources/subscribe', params: { uri: 'transcript://tr_ann' } })
    const [annEvents, bobEvents] = [eventsOf(await ann.listen()), eventsOf(await bob.listen())]
    jobs.emitChange({ owner: 'ann', id: 'tr_ann', listChanged: false })
    jobs.emitChange({ owner: 'bob', id: 'tr_bob', listChanged: true })
    expect((await annEvents.next()).value).toMatchObject({
      message: { method: 'notifications/resources/updated', params: { uri: 'transcript://tr_ann' } },
    })
    expect((await bobEvents.next()).value).toMatchObject({
      message: { method: 'notifications/resources/list_changed' },
    })
  })

  it('a session serves concurrent calls, each on its own stream', async () => {
    const { url, jobs } = await serve()
    const session = await openSession(url)
    const [first, second] = [await session.post({ id: 1, ...wait }), await session.post({ id: 2, ...wait })]
    await vi.waitFor(() => expect(jobs.waiting()).toBe(2))
    expect(await session.ask({ id: 3, method: 'ping' })).toMatchObject({ id: 3 })
    jobs.release()
    expect((await answerOf(first)).id).toBe(1)
    expect((await answerOf(second)).id).toBe(2)
  })
})

describe('a broken stream', () => {
  it('a broken stream is resumed after the last event while the call continues', async () => {
    const { url, jobs } = await serve()
    const session = await openSession(url)
    const stop = new AbortController()
    const last = await breakOff(await session.post({ id: 1, ...wait }, stop.signal), stop)
    const resumed = await session.listen(last)
    jobs.release()
    expect(await answerOf(resumed)).toMatchObject({ id: 1, result: { structuredContent: {} } })
    expect(jobs.disconnectReasons).toEqual([])
  })

  it('a resumed stream delivers an answer that was sent meanwhile', async () => {
    const { url, jobs } = await serve()
    const session = await openSession(url)
    const stop = new AbortController()
    const last = await breakOff(await session.post({ id: 1, ...wait }, stop.signal), stop)
    jobs.release()
    await session.ask({ id: 2, method: 'ping' })
    expect(await answerOf(await session.listen(last))).toMatchObject({ id: 1, result: {} })
  })

  it('a resumed stream delivers no events of another stream', async () => {
    const { url, jobs } = await serve()
    const session = await openSession(url)
    const stop = new AbortController()
    const last = await breakOff(await session.post({ id: 1, ...wait }, stop.signal), stop)
    const other = await session.post({ id: 2, ...wait })
    await vi.waitFor(() => expect(jobs.waiting()).toBe(2))
    jobs.release()
    await answerOf(other)
    const answered: unknown[] = []
    for await (const { message } of eventsOf(await session.listen(last))) answered.push(message?.id)
    expect(answered.filter(id => id !== undefined)).toEqual([1])
  })

  it('a stream can be resumed before the server has noticed the broken connection', async () => {
    const { url, jobs } = await serve()
    const session = await openSession(url)
    const old = eventsOf(await session.post({ id: 1, ...wait }))
    const first = await old.next()
    const resumed = await session.listen((first.value as { id: string }).id)
    expect(resumed.status).toBe(200)
    jobs.release()
    expect(await answerOf(resumed)).toMatchObject({ id: 1, result: {} })
  })

  it('a stream cannot be resumed after an event of another session', async () => {
    const { url, jobs } = await serve()
    const [one, other] = [await openSession(url), await openSession(url)]
    const stop = new AbortController()
    const last = await breakOff(await one.post({ id: 1, ...wait }, stop.signal), stop)
    jobs.release()
    for (const event of [last, 'made-up', '_1', 'x_99']) {
      const answer = await other.listen(event)
      expect(answer.status, event).toBe(400)
      expect(await answer.text()).not.toContain('result')
    }
  })

  it('a broken notification stream can be reopened at once', async () => {
    const { url, jobs } = await serve()
    const session = await openSession(url)
    const stop = new AbortController()
    const first = await session.listen(undefined, stop.signal)
    expect((await session.listen()).status).toBe(409)
    stop.abort()
    await expect(first.text()).rejects.toThrow()
    const again = await vi.waitFor(async () => {
      const response = await session.listen()
      expect(response.status).toBe(200)
      return response
    })
    jobs.emitChange({ owner: 'local', id: 'tr_local', listChanged: true })
    expect((await eventsOf(again).next()).value).toMatchObject({ message: {} })
  })
})

describe('sessions', () => {
  it('idle sessions are closed, but not while a stream is open or a call waits', async () => {
    let time = 0
    const { url, jobs } = await serve({ limits: { sweepIntervalMs: 10, now: () => time } })
    const listening = await openSession(url)
    await listening.listen()
    const waiting = await openSession(url)
    const stop = new AbortController()
    await breakOff(await waiting.post({ id: 1, ...wait }, stop.signal), stop)
    const forgotten = await openSession(url)
    const before = jobs.listeners()
    time += 31 * 60_000
    await vi.waitFor(() => expect(jobs.listeners()).toBe(before - 1))
    expect((await forgotten.post({ id: 1, method: 'ping' })).status).toBe(404)
    expect((await listening.post({ id: 2, method: 'ping' })).status).toBe(200)
    expect((await waiting.post({ id: 2, method: 'ping' })).status).toBe(200)
    jobs.release()
  })

  it('the fifty-first session of an owner takes the place of the one unused for longest, also with a stream', async () => {
    let time = 0
    const { url } = await serve({ tokens, limits: { maxSessionsPerOwner: 3, now: () => ++time } })
    const sessions = []
    for (let i = 0; i < 3; i++) {
      sessions.push(await openSession(url, bearer('ann')))
      await sessions[i]!.listen()
    }
    const [first, second, third] = sessions as [RawSession, RawSession, RawSession]
    const other = await openSession(url, bearer('bob'))
    await first.ask({ id: 1, method: 'ping' })
    await openSession(url, bearer('ann'))
    expect((await second.post({ id: 2, method: 'ping' })).status).toBe(404)
    for (const session of [first, third, other])
      expect(await session.ask({ id: 3, method: 'ping' })).toMatchObject({ result: {} })
  })

  it('an owner whose calls run in too many sessions is rejected; other owners are not affected', async () => {
    const { url, jobs } = await serve({ tokens, limits: { maxSessionsPerOwner: 2 } })
    const [first, second] = [await openSession(url, bearer('ann')), await openSession(url, bearer('ann'))]
    for (const session of [first, second]) await session.post({ id: 1, ...wait })
    await vi.waitFor(() => expect(jobs.waiting()).toBe(2))
    const refused = await initialize(url, bearer('ann'))
    expect(refused.status).toBe(503)
    expect(await refused.json()).toMatchObject({
      error: { message: expect.stringContaining('Too many sessions') },
    })
    await openSession(url, bearer('bob'))
    await second.end()
    await openSession(url, bearer('ann'))
  })

  it('a new session is rejected if there are too many in total', async () => {
    const { url } = await serve({ tokens, limits: { maxSessions: 1 } })
    await openSession(url, bearer('ann'))
    expect((await initialize(url, bearer('bob'))).status).toBe(503)
  })

  it('abandoned sessions are closed to make room for new ones', async () => {
    const { url } = await serve({ limits: { maxSessionsPerOwner: 2, minIdleMs: 0 } })
    const staying = await openSession(url)
    await staying.listen()
    const forgotten = await openSession(url)
    await openSession(url)
    expect((await forgotten.post({ id: 1, method: 'ping' })).status).toBe(404)
    expect((await staying.post({ id: 1, method: 'ping' })).status).toBe(200)
  })

  it('an invalid first request does not count as a session, and takes the place of none', async () => {
    const { url } = await serve({ limits: { maxSessionsPerOwner: 1, minIdleMs: 0 } })
    const refused = async () => (await initialize(url, { accept: 'application/json' })).status
    for (let i = 0; i < 3; i++) expect(await refused()).toBe(406)
    const session = await openSession(url)
    expect(await refused()).toBe(406)
    expect((await session.post({ id: 1, method: 'ping' })).status).toBe(200)
  })

  it('the call limit of an owner includes calls with broken connections', async () => {
    const { url, jobs } = await serve({ limits: { maxRequestsPerOwner: 2 } })
    const session = await openSession(url)
    for (const id of [1, 2]) {
      const stop = new AbortController()
      await breakOff(await session.post({ id, ...wait }, stop.signal), stop)
    }
    expect((await session.post({ id: 3, method: 'ping' })).status).toBe(429)
    jobs.release()
    await vi.waitFor(async () => expect((await session.post({ id: 4, method: 'ping' })).status).toBe(200))
  })

  it('a cancelled call of a session no longer counts towards the limit', async () => {
    const { url, jobs } = await serve({ limits: { maxRequestsPerOwner: 2 } })
    const session = await openSession(url)
    await session.post({ id: 1, ...wait })
    await vi.waitFor(() => expect(jobs.waiting()).toBe(1))
    await session.post({ method: 'notifications/cancelled', params: { requestId: 1 } })
    await vi.waitFor(() => expect(jobs.disconnectReasons).toEqual(['cancelled']))
    const both = [await session.post({ id: 2, ...wait }), await session.post({ id: 3, ...wait })]
    expect(both.map(({ status }) => status)).toEqual([200, 200])
  })
})

it('closing the server ends open streams', async () => {
  const { url, jobs, close } = await startTestServer()
  const session = await openSession(url)
  const stream = await session.listen()
  const call = await session.post({ id: 1, ...wait })
  await vi.waitFor(() => expect(jobs.waiting()).toBe(1))
  const events = eventsOf(stream)
  const ended = events.next()
  await close(async () => jobs.release())
  expect(await answerOf(call)).toMatchObject({ id: 1, result: {} })
  expect((await ended).done).toBe(true)
  await expect(fetch(url)).rejects.toThrow()
})
