// Params that do not fit, unknown names and odd cursors: the protocol's code for each, in both protocols, over stdio and HTTP.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerOf, openSession, post } from '../../support/e2e/http.ts'
import { type Answer, modernMeta, type RawStdio, startRawStdio } from '../../support/e2e/raw-stdio.ts'
import { type HttpServer, startHttpServer, type TempFolder, tempFolder } from '../../support/e2e/system.ts'

let folder: TempFolder
let http: HttpServer
let env: Record<string, string>
beforeAll(async () => {
  folder = await tempFolder()
  env = { PATH: process.env.PATH ?? '', SPEECH_DATA_DIR: join(folder.path, 'data') }
  http = await startHttpServer(env)
})
afterAll(async () => {
  await http.stop()
  await folder.remove()
})

type Ask = (method: string, params: object) => Promise<Answer>

function overStdio(isModern: boolean) {
  let raw: RawStdio
  return {
    async open(): Promise<Ask> {
      raw = startRawStdio(env, isModern)
      if (!isModern) await raw.initialize()
      return raw.ask
    },
    close: async () => void (await raw.close()),
  }
}

function overHttp(open: () => Promise<(message: { method: string; params: object }) => Promise<Response>>) {
  return {
    async open(): Promise<Ask> {
      const send = await open()
      return async (method, params) => (await answerOf(await send({ method, params }))) as Answer
    },
    close: async () => {},
  }
}

/** Headers carry neither long names nor those outside of ASCII. */
const headerOf = (value: unknown) => (/^[ -~]{1,200}$/.test(String(value)) ? String(value) : 'x')

const doors = {
  'stdio of 2025-11-25': overStdio(false),
  'stdio of 2026-07-28': overStdio(true),
  'HTTP of 2025-11-25': overHttp(async () => {
    const session = await openSession(http.url)
    return message => session.post({ id: 1, ...message })
  }),
  'HTTP of 2026-07-28': overHttp(async () => ({ method, params }) => {
    const { name, uri } = params as { name?: unknown; uri?: unknown }
    const named = ['tools/call', 'prompts/get'].includes(method)
      ? name
      : method === 'resources/read'
        ? uri
        : undefined
    const headers = {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(named !== undefined && { 'mcp-name': headerOf(named) }),
    }
    return post(http.url, { id: 1, method, params: { ...params, _meta: modernMeta } }, headers)
  }),
}

const long = 'x'.repeat(200_000)
const prompt = (args: unknown) => ({ name: 'summarize_meeting', arguments: args })
const complete = (ref: unknown, name: unknown, value: unknown = '') => ({ ref, argument: { name, value } })
const promptRef = { type: 'ref/prompt', name: 'summarize_meeting' }
const templateRef = { type: 'ref/resource', uri: 'transcript://{id}' }
const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

const misfits: [method: string, params: object][] = [
  ['resources/read', {}],
  ['resources/read', { uri: 7 }],
  ['resources/read', { uri: ['transcript://tr_x'] }],
  ['resources/read', { uri: 'no address' }],
  ['resources/list', { cursor: 7 }],
  ['resources/list', { cursor: [] }],
  ['resources/list', { cursor: null }],
  ['resources/list', { cursor: 'x' }],
  ['resources/list', { cursor: long }],
  ['resources/list', { cursor: cursorOf([1, 'a']) }],
  ['resources/list', { cursor: cursorOf({}) }],
  ...['tools/list', 'prompts/list', 'resources/templates/list'].flatMap((method): [string, object][] => [
    [method, { cursor: 7 }],
    [method, { cursor: 'x' }],
  ]),
  ['prompts/get', {}],
  ['prompts/get', { name: 7 }],
  ['prompts/get', { name: '__proto__', arguments: {} }],
  ['prompts/get', { name: 'summarize_meeting' }],
  ...[{}, [], ['x'], 'x', 7, null].map((args): [string, object] => ['prompts/get', prompt(args)]),
  ['prompts/get', prompt({ transcript_id: 7 })],
  ['prompts/get', prompt({ transcript_id: long })],
  ['prompts/get', prompt({ transcript_id: 'tr_x' })],
  ['prompts/get', prompt({ transcript_id: 'tr_x', language: {} })],
  ['completion/complete', {}],
  ['completion/complete', complete(7, 'id')],
  ['completion/complete', complete({ type: 'nothing' }, 'id')],
  ['completion/complete', complete({ type: 'ref/prompt', name: 'nothing' }, 'transcript_id')],
  ['completion/complete', complete({ type: 'ref/prompt', name: 'nothing' }, 'transcript_id')],
  ['completion/complete', complete({ type: 'ref/resource', uri: 'nothing://{id}' }, 'id')],
  ['completion/complete', complete({ type: 'ref/resource', uri: 7 }, 'id')],
  ...[promptRef, templateRef].flatMap(ref =>
    ['nothing', '__proto__', 'constructor', 7].map((name): [string, object] => [
      'completion/complete',
      complete(ref, name),
    ]),
  ),
  ['completion/complete', complete(templateRef, 'id', 7)],
  ['completion/complete', { ...complete(promptRef, 'transcript_id'), context: 7 }],
  ['tools/call', {}],
  ['tools/call', { name: 7 }],
  ...[[], 'x', 7].map((args): [string, object] => [
    'tools/call',
    { name: 'search_transcripts', arguments: args },
  ]),
]

describe.each(Object.entries(doors))('%s', (door, { open, close }) => {
  let ask: Ask
  beforeAll(async () => {
    ask = await open()
  })
  afterAll(close)
  const isModern = door.includes('2026')

  it.each(
    misfits.map(
      ([method, params]) => [`${method} ${JSON.stringify(params).slice(0, 100)}`, method, params] as const,
    ),
  )('a request %s has invalid params', async (_, method, params) => {
    const { error, result } = await ask(method, params)
    expect(result).toBeUndefined()
    expect(error?.code).toBe(-32602)
    // A sentence, without the dump of a schema or the inner life of the server.
    expect(error?.message).toMatch(/^[\w"][^\n{}]*$/)
  })

  it.each([
    'transcript://tr_x',
    'transcript://tr_x/srt',
    'transcript://tr_x/exe',
    'transcript://',
    'file:///etc/passwd',
    'transcript://__proto__',
  ])('an unknown resource has the code of its protocol: %s', async uri => {
    expect((await ask('resources/read', { uri })).error?.code).toBe(isModern ? -32602 : -32002)
  })

  it.each(['nothing', '__proto__', 'constructor', 'toString'])(
    'a tool or prompt that does not exist is not found: %s',
    async name => {
      const message = (kind: string) => ({ code: -32602, message: `${kind} ${name} not found` })
      expect((await ask('tools/call', { name, arguments: {} })).error).toMatchObject(message('Tool'))
      expect((await ask('prompts/get', { name })).error).toMatchObject(message('Prompt'))
    },
  )

  it('an unknown method is not found, whatever its name', async () => {
    for (const method of ['nothing', '__proto__', 'constructor', ''])
      expect((await ask(method, {})).error?.code).toBe(-32601)
  })

  it('arguments that do not fit are an error of the tool, which its model can read', async () => {
    const calls = [{ query: [7] }, { cursor: 'x' }, { limit: 1e308 }, { query: 'x'.repeat(1_000) }]
    for (const args of calls) {
      const { result } = await ask('tools/call', { name: 'search_transcripts', arguments: args })
      expect(result).toMatchObject({ isError: true })
    }
  })

  it('arguments that fit are completed', async () => {
    const { result } = await ask(
      'completion/complete',
      complete({ type: 'ref/resource', uri: 'transcript://{id}/{format}' }, 'format', 's'),
    )
    expect(result).toMatchObject({ completion: { values: ['srt'] } })
    const other = await ask('completion/complete', complete(promptRef, 'focus', long))
    expect(other.result).toMatchObject({ completion: { values: [] } })
  })
})

describe('a message that does not fit', () => {
  let raw: RawStdio
  beforeAll(async () => {
    raw = startRawStdio(env, false)
    await raw.initialize()
  })
  afterAll(() => raw.close())

  it.each<[fields: object, code: number, reason: string]>([
    [{ params: 'x' }, -32602, 'params has to be an object'],
    [{ params: [1] }, -32602, 'params has to be an object'],
    [{ params: null }, -32602, 'params has to be an object'],
    [{ params: { _meta: 7 } }, -32602, 'params._meta has to be an object'],
    [{ params: { _meta: { progressToken: {} } } }, -32602, 'params._meta.progressToken has to be text or'],
    [{ id: 1.5 }, -32600, 'id has to be text or a whole number'],
    [{ id: {} }, -32600, 'id has to be text or a whole number'],
    [{ id: null, params: 'x' }, -32600, 'id has to be text or a whole number'],
    [{ method: 7 }, -32600, 'method has to be text'],
    [{ jsonrpc: '1.0' }, -32600, 'jsonrpc has to be "2.0"'],
    [{ more: 1 }, -32600, 'a request has only jsonrpc, id, method and params'],
  ])('is told what is wrong with it, over stdio and HTTP: %j', async (fields, code, reason) => {
    const line = JSON.stringify({ jsonrpc: '2.0', id: 'a', method: 'tools/list', ...fields })
    const kind = code === -32602 ? 'Invalid params' : 'Invalid Request'
    const expected = {
      jsonrpc: '2.0',
      id: 'id' in fields ? null : 'a',
      error: { code, message: expect.stringContaining(`${kind}: ${reason}`) },
    }
    expect(await raw.answersTo(line)).toEqual([expected])
    const response = await post(http.url, line)
    expect([response.status, await response.json()]).toEqual([400, expected])
  })
})

it('an initialize that does not fit has invalid params', async () => {
  const answer = await answerOf(
    await post(http.url, { id: 1, method: 'initialize', params: { protocolVersion: 7 } }),
  )
  expect((answer as Answer).error?.code).toBe(-32602)
})
