// Scopes of a login: the table, and the refusal of what a token does not allow.
import { describe, expect, it } from 'vitest'
import {
  grantedScopes,
  neededScopes,
  scopes,
  scopesOfTools,
} from '../../../../../src/server/http/login/scopes.ts'
import { promptNames } from '../../../../../src/server/prompts.ts'
import { tools } from '../../../../../src/server/tools/index.ts'
import { answerOf, eventsOf, openSession, post, serversOfEachTest } from '../../../../support/e2e/http.ts'
import { bearer, issuersOfEachTest } from '../../../../support/login/issuer.ts'

const [read, write, spend] = scopes
const issuerOf = issuersOfEachTest()
const serve = serversOfEachTest()

const call = (name: string, args: object = {}) => ({
  id: 1,
  method: 'tools/call',
  params: { name, arguments: args },
})
const modern = {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  },
}
const modernHeaders = (method: string, name?: string) => ({
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': method,
  ...(name && { 'mcp-name': name }),
})

describe('the table', () => {
  it('names each tool, and no other', () => {
    expect(Object.keys(scopesOfTools).sort()).toEqual(tools.map(({ name }) => name).sort())
  })

  it('agrees with the annotations: all need to read, those that change something to write, those that pay to spend', () => {
    for (const { name, annotations } of tools) {
      const needed = scopesOfTools[name]!
      expect(needed, name).toContain(read)
      expect(needed.includes(write), name).toBe(!annotations.readOnlyHint)
      expect(needed.includes(spend), name).toBe(annotations.openWorldHint)
    }
  })

  it('a tool that it does not have needs all scopes, also with a name that every object has', () => {
    for (const name of [
      'new_tool',
      'constructor',
      '__proto__',
      'toString',
      '',
      undefined,
      7,
      ['get_transcript'],
    ])
      expect(neededScopes({ method: 'tools/call', params: { name } }, false)).toEqual(scopes)
    expect(neededScopes({ method: 'tools/call' }, false)).toEqual(scopes)
  })

  it('what is the same for everybody needs none', () => {
    const methods = [
      'initialize',
      'ping',
      'server/discover',
      'tools/list',
      'prompts/list',
      'resources/templates/list',
    ]
    for (const method of [...methods, 'notifications/initialized', 'constructor', undefined])
      expect(neededScopes({ method }, false), method).toEqual([])
    expect(neededScopes(undefined, false)).toEqual([])
  })

  it('a batch needs what its messages need, and a resumed stream needs to read', () => {
    const batch = [{ method: 'ping' }, call('export_transcript'), { method: 'resources/read' }, null, 'x']
    expect(neededScopes(batch, false)).toEqual([read, write])
    expect(neededScopes(undefined, true)).toEqual([read])
  })

  it.each([
    [{ scope: 'a b' }, ['a', 'b']],
    [{ scp: 'a  b ' }, ['a', 'b']],
    [{ scp: ['a', 'b', 7, null] }, ['a', 'b']],
    [{ scope: 'a', scp: ['b'] }, ['a', 'b']],
    [{ scope: { a: true } }, []],
    [{}, []],
  ])('the scopes of %j are %j', (claims, granted) => {
    expect([...grantedScopes(claims)]).toEqual(granted)
  })
})

describe('a token without a scope', () => {
  const transcript = `tr_any`
  const reading = [
    call('get_transcript', { transcript_id: transcript }),
    call('search_transcripts', { query: 'x' }),
    { id: 1, method: 'resources/list', params: {} },
    { id: 1, method: 'resources/read', params: { uri: `transcript://${transcript}` } },
    { id: 1, method: 'resources/subscribe', params: { uri: `transcript://${transcript}` } },
    { id: 1, method: 'subscriptions/listen', params: { notifications: { resourcesListChanged: true } } },
    {
      id: 1,
      method: 'completion/complete',
      params: {
        ref: { type: 'ref/resource', uri: 'transcript://{id}' },
        argument: { name: 'id', value: 'tr' },
      },
    },
    ...promptNames.map(name => ({
      id: 1,
      method: 'prompts/get',
      params: { name, arguments: { transcript_id: transcript } },
    })),
  ]
  const paying = ['transcribe_audio', 'diarize_audio', 'format_text'].map(name =>
    call(name, { audio: '/a.wav' }),
  )
  const changing = [
    'update_transcript',
    'delete_transcript',
    'cancel_transcription',
    'export_transcript',
  ].map(name => call(name, { transcript_id: transcript }))

  it.each([
    ['reads nothing', `${write} ${spend}`, reading, read],
    ['spends nothing', `${read} ${write}`, paying, spend],
    ['changes nothing', `${read} ${spend}`, changing, write],
    ['of this server does nothing', 'openid offline_access', [...reading, ...paying, ...changing], read],
  ])('%s, in both versions of the protocol', async (_, scope, messages, missing) => {
    const issuer = await issuerOf()
    const { url, jobs } = await serve({ login: issuer.login() })
    const token = bearer(await issuer.sign({ scope }))
    const session = await openSession(url, token)
    for (const { params, ...message } of messages) {
      const name = (params as { name?: string }).name
      const headers = { ...token, ...modernHeaders(message.method, name) }
      const answers = [
        await session.post({ ...message, params }),
        await post(url, { ...message, params: { ...params, ...modern } }, headers),
        await post(url, JSON.stringify([{ jsonrpc: '2.0', ...message, params }]), token),
      ]
      for (const answer of answers) {
        expect(answer.status, message.method).toBe(403)
        const challenge = answer.headers.get('www-authenticate')!
        expect(challenge).toMatch(
          /^Bearer error="insufficient_scope", scope="[a-z: ]+", resource_metadata="https:[^"]+"$/,
        )
        expect(challenge).toContain(missing)
        expect(await answer.text()).not.toContain('tr_')
      }
    }
    expect(jobs.waiting()).toBe(0)
  })

  it('is told all scopes that it needs beside those it has, and none of other servers', async () => {
    const issuer = await issuerOf()
    const { url } = await serve({ login: issuer.login() })
    const token = bearer(await issuer.sign({ scope: `openid ${spend}` }))
    const answer = await post(url, call('get_transcript'), token)
    expect(answer.headers.get('www-authenticate')).toContain(`scope="${read} ${spend}"`)
    expect(await answer.json()).toMatchObject({ error: { message: expect.stringContaining(read) } })
  })

  it('may see the lists that are the same for everybody', async () => {
    const issuer = await issuerOf()
    const { url } = await serve({ login: issuer.login() })
    const session = await openSession(url, bearer(await issuer.sign({ scope: undefined })))
    for (const method of ['tools/list', 'prompts/list', 'resources/templates/list'])
      expect(await session.ask({ id: 1, method, params: {} }), method).toHaveProperty('result')
  })

  it('repeats no answer of a stream that a better token has opened', async () => {
    const issuer = await issuerOf()
    const { url } = await serve({ login: issuer.login() })
    const session = await openSession(url, bearer(await issuer.sign()))
    const answer = await session.post({ id: 1, method: 'resources/list', params: {} })
    const events: (string | undefined)[] = []
    for await (const { id } of eventsOf(answer)) events.push(id)
    const lesser = bearer(await issuer.sign({ scope: spend }))
    const resumed = (token: Record<string, string>) =>
      fetch(url, {
        headers: { ...session.headers, ...token, accept: 'text/event-stream', 'last-event-id': events[0]! },
      })
    expect((await resumed(lesser)).status).toBe(403)
    expect((await resumed({})).status).toBe(200)
  })

  it('is told of no changes that a better token has subscribed to', async () => {
    const issuer = await issuerOf()
    const { url } = await serve({ login: issuer.login() })
    const session = await openSession(url, bearer(await issuer.sign()))
    const lesser = bearer(await issuer.sign({ scope: spend }))
    const headers = { ...session.headers, ...lesser, accept: 'text/event-stream' }
    const answer = await fetch(url, { headers })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST, DELETE'])
  })

  it('with all scopes each of these calls reaches the server', async () => {
    const issuer = await issuerOf()
    const { url } = await serve({ login: issuer.login() })
    const session = await openSession(url, bearer(await issuer.sign()))
    for (const message of [...reading.slice(0, 4), ...changing]) {
      const answer = await session.post(message)
      expect(answer.status).toBe(200)
      expect(await answerOf(answer)).toHaveProperty('id', 1)
    }
  })
})
