// MCP over HTTP for clients of all generations: owners, notifications, cancellation, sessionless and slow calls.
import { describe, expect, it, vi } from 'vitest'
import {
  answerOf,
  openSession,
  post,
  sendIncompleteRequest,
  serversOfEachTest,
} from '../../support/e2e/http.ts'
import { httpClients } from '../../support/e2e/mcp-clients.ts'

const tokens = [
  { name: 'ann', token: 'ann-0123456789abcdef' },
  { name: 'bob', token: 'bob-0123456789abcdef' },
  { name: 'ann', token: 'new-0123456789abcdef' },
]
const serve = serversOfEachTest()

describe.each(httpClients)('%s', (_, connectHttp) => {
  it('a client lists tools, calls them, and sees only the transcripts of its owner', async () => {
    const { url, jobs } = await serve({ tokens })
    const [ann, bob] = await Promise.all([
      connectHttp({ url, token: 'ann-0123456789abcdef' }),
      connectHttp({ url, token: 'bob-0123456789abcdef' }),
    ])
    expect((await ann.listTools()).tools.map(({ name }) => name)).toContain('transcribe_audio')
    const { resources } = await ann.listResources()
    expect(resources.map(({ uri }) => uri)).toEqual(['transcript://tr_ann'])
    expect((await bob.readResource('transcript://tr_bob'))[0]!.text).toContain('What bob said')
    await expect(bob.readResource('transcript://tr_ann')).rejects.toThrow()
    const call = ann.call('transcribe_audio', { audio: '/a.wav' })
    await vi.waitFor(() => expect(jobs.waiting()).toBe(1))
    jobs.release()
    expect((await call).structuredContent).toMatchObject({ transcript_id: 'tr_ann' })
    await Promise.all([ann.close(), bob.close()])
  })

  it('a client is notified of the changes of its owner only', async () => {
    const { url, jobs } = await serve({ tokens })
    const [ann, bob] = await Promise.all([
      connectHttp({ url, token: 'ann-0123456789abcdef' }),
      connectHttp({ url, token: 'bob-0123456789abcdef' }),
    ])
    const received: string[] = []
    const ends = [
      await ann.onListChanged(() => received.push('list')),
      await ann.subscribe('transcript://tr_ann', () => received.push('transcript')),
      await ann.subscribe('transcript://tr_ann/srt', () => received.push('srt')),
    ]
    expect(new Set(jobs.followedIds)).toEqual(new Set(['ann/tr_ann']))
    const bobNotified = new Promise<void>(
      resolve => void bob.onListChanged(resolve).then(() => notify('bob')),
    )
    const notify = (owner: string) => jobs.emitChange({ owner, id: 'tr_ann', listChanged: true })
    await bobNotified
    // A notification sent before this answer would have been received.
    await ann.listTools()
    expect(received).toEqual([])
    notify('ann')
    await vi.waitFor(() => expect(received.sort()).toEqual(['list', 'srt', 'transcript']))
    for (const end of ends) await end()
    await vi.waitFor(() => expect(jobs.followedIds).toEqual([]))
    await Promise.all([ann.close(), bob.close()])
  })

  it('open subscriptions do not count as requests of a client', async () => {
    const { url } = await serve({ limits: { maxRequestsPerOwner: 2 } })
    const client = await connectHttp({ url })
    for (let i = 0; i < 4; i++) await client.onListChanged(() => {})
    expect((await client.listTools()).tools).not.toEqual([])
    await client.close()
  })

  it('a client that cancels a call stops its job', async () => {
    const { url, jobs } = await serve()
    const client = await connectHttp({ url })
    const stop = new AbortController()
    const call = client.call('transcribe_audio', { audio: '/a.wav' }, { signal: stop.signal })
    call.catch(() => {})
    await vi.waitFor(() => expect(jobs.waiting()).toBe(1))
    stop.abort()
    await expect(call).rejects.toThrow()
    await vi.waitFor(() => expect(jobs.disconnectReasons).toHaveLength(1))
    expect(jobs.disconnectReasons[0]).toMatch(/^(?:cancelled|disconnected)$/)
    await client.close()
  })

  it('a client without a valid token is rejected', async () => {
    const { url } = await serve({ tokens })
    await expect(connectHttp({ url })).rejects.toThrow()
    await expect(connectHttp({ url, token: 'eve-0123456789abcdef' })).rejects.toThrow()
  })
})

describe('a client of 2025 without a session', () => {
  it('a client of 2025 without a session is served', async () => {
    const { url } = await serve()
    const listed = await answerOf(await post(url, { id: 1, method: 'tools/list' }))
    expect(listed).toMatchObject({ id: 1, result: { tools: expect.any(Array) } })
  })

  it('a client of 2025 without a session that disconnects does not stop its job', async () => {
    const { url, jobs } = await serve()
    const stop = new AbortController()
    const params = { name: 'transcribe_audio', arguments: { audio: '/a.wav' } }
    await post(url, { id: 1, method: 'tools/call', params }, {}, stop.signal)
    await vi.waitFor(() => expect(jobs.waiting()).toBe(1))
    stop.abort()
    await vi.waitFor(() => expect(jobs.disconnectReasons).toEqual(['detached']))
  })
})

describe('a slow call', () => {
  it('a slow call in the protocol without sessions sends keep-alive data before its answer', async () => {
    const { url, jobs } = await serve()
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    }
    const params = { name: 'transcribe_audio', arguments: { audio: '/a.wav' }, _meta: meta }
    const headers = {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'transcribe_audio',
    }
    // Resolves with the headers, which are sent at once.
    const response = await post(url, { id: 1, method: 'tools/call', params }, headers)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    await vi.waitFor(() => expect(jobs.waiting()).toBe(1))
    jobs.release()
    const content = [{ type: 'text' }, { type: 'resource_link' }]
    expect(await answerOf(response)).toMatchObject({ id: 1, result: { content } })
  })

  it('a slow call is not cut off by the time limit for request bodies', async () => {
    const { url, jobs } = await serve({ limits: { headersTimeoutMs: 1_000, requestTimeoutMs: 1_000 } })
    const session = await openSession(url)
    const call = await session.post({
      id: 1,
      method: 'tools/call',
      params: { name: 'transcribe_audio', arguments: { audio: '/a.wav' } },
    })
    await vi.waitFor(() => expect(jobs.waiting()).toBe(1))
    expect(await sendIncompleteRequest(url, 100)).toContain(' 408 ')
    jobs.release()
    expect(await answerOf(call)).toMatchObject({ id: 1, result: {} })
  })
})
