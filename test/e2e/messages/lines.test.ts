// Lines over stdio that are no messages: each is answered as JSON-RPC says, and the next line is served, in both protocols.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RawStdio, startRawStdio } from '../../support/e2e/raw-stdio.ts'
import { type TempFolder, tempFolder } from '../../support/e2e/system.ts'

let folder: TempFolder
beforeAll(async () => {
  folder = await tempFolder()
})
afterAll(() => folder.remove())
const env = () => ({ PATH: process.env.PATH ?? '', SPEECH_DATA_DIR: join(folder.path, 'data') })

describe.each([
  ['2025-11-25', false],
  ['2026-07-28', true],
])('stdio of %s', (_, isModern) => {
  let raw: RawStdio
  beforeAll(async () => {
    raw = startRawStdio(env(), isModern)
    if (!isModern) await raw.initialize()
  })
  afterAll(() => raw.close())

  it('a client that reads its answers only after 300 requests gets them all', async () => {
    const ids = Array.from({ length: 300 }, (_, n) => `many ${n}`)
    raw.server.stdin.write(ids.map(id => `${raw.request('tools/list', {}, id)}\n`).join(''))
    const answered: unknown[] = []
    while (answered.length < ids.length) answered.push((await raw.next()).id)
    expect(answered.sort()).toEqual(ids.sort())
  })

  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  it.each([
    ['text', 'hello', -32700, null],
    ['a NUL byte', '\0', -32700, null],
    ['NUL bytes within', '{"jsonrpc":"2.0",\0"id":1}', -32700, null],
    ['invalid UTF-8', Buffer.from('{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}', 'latin1'), -32700, null],
    ['half a message', '{"jsonrpc":"2.0","id":1,"meth', -32700, null],
    ['a number of the language JavaScript', '{"jsonrpc":"2.0","id":NaN,"method":"x"}', -32700, null],
    ['null', 'null', -32600, null],
    ['a huge number', '1e999', -32600, null],
    ['an empty batch', '[]', -32600, null],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]', -32600, null],
    ['100,000 brackets', deep, -32600, null],
    ['no version', '{"id":1,"method":"tools/list"}', -32600, 1],
    ['no method', '{"jsonrpc":"2.0","id":"a"}', -32600, 'a'],
    ['a method that is a number', '{"jsonrpc":"2.0","id":2,"method":7}', -32600, 2],
    ['params that are text', '{"jsonrpc":"2.0","id":3,"method":"tools/list","params":"x"}', -32602, 3],
    ['params that are a list', '{"jsonrpc":"2.0","id":3,"method":"tools/list","params":[]}', -32602, 3],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"tools/list"}', -32600, null],
    ['an id that is null', '{"jsonrpc":"2.0","id":null,"method":"tools/list"}', -32600, null],
    ['an id that is a fraction', '{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}', -32600, null],
    ['an id that is no finite number', '{"jsonrpc":"2.0","id":1e999,"method":"tools/list"}', -32600, null],
    ['a method of no protocol', '{"jsonrpc":"2.0","id":4,"method":"__proto__"}', -32601, 4],
  ])('a line with %s is answered with its error', async (_, line, code, id) => {
    const [answer, ...more] = await raw.answersTo(line)
    expect(more).toEqual([])
    expect(answer).toEqual({ jsonrpc: '2.0', id, error: { code, message: expect.stringMatching(/\w/) } })
  })

  it.each([
    ['is blank', ' \t\r\n\n'],
    ['answers nothing that was asked', '{"jsonrpc":"2.0","id":9,"result":{}}'],
    ['reports an error of nothing that was asked', '{"jsonrpc":"2.0","id":{},"error":7}'],
    ['is a notification of no protocol', '{"jsonrpc":"2.0","method":"nothing"}'],
  ])('a line that %s gets no answer', async (_, line) => {
    expect(await raw.answersTo(line)).toEqual([])
  })

  it('a request with __proto__ keys, 100,000 brackets or an end of \\r\\n is served', async () => {
    const params = `"__proto__":{"a":1},"constructor":${deep}`
    const line = raw.request('tools/list', {}, 5).replace('"params":{', `"params":{${params},`)
    const [answer] = await raw.answersTo(`${line.replace(',}', '}')}\r`)
    expect(answer).toMatchObject({ id: 5, result: { tools: expect.any(Array) } })
  })

  it('requests that share an id are each answered', async () => {
    const line = raw.request('tools/list', {}, 6)
    const answers = await raw.answersTo(`${line}\n${line}`)
    expect(answers.map(({ id, result }) => [id, result !== undefined])).toEqual([
      [6, true],
      [6, true],
    ])
  })

  it('a message may arrive in pieces', async () => {
    const line = Buffer.from(raw.request('tools/list', { note: 'ü' }, 7))
    const [answer] = await raw.answersTo(...[...line].map(byte => Buffer.of(byte)))
    expect(answer).toMatchObject({ id: 7, result: {} })
  })

  const long = Buffer.alloc(1_000_000, 'x')
  const lines = Array.from({ length: 11 }, () => long)
  const call = '"method":"tools/call","params":{"arguments":{"id":1,"text":"'
  it.each([
    ['with its id first', `{"jsonrpc":"2.0","id":8,${call}`, '"}}}', 8],
    ['with its id last', `{${call}`, '"}},"jsonrpc":"2.0","id":"a\\"b"}', 'a"b'],
    ['with an id only within its arguments', `{${call}`, '","id":3}}}', null],
    ['that never was a message', '', '', null],
  ])('a line over 10 MB %s is dropped, and answered with advice', async (_, head, tail, id) => {
    const [answer, ...more] = await raw.answersTo(head, ...lines, tail)
    expect(more).toEqual([])
    expect(answer).toEqual({
      jsonrpc: '2.0',
      id,
      error: { code: -32600, message: expect.stringMatching(/^TOO_LARGE: .*10 MB\. Pass .* path /) },
    })
  })

  it.runIf(process.platform === 'linux')('a line of 100 MB is never held in memory', async () => {
    const peak = () =>
      Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${raw.server.pid}/status`, 'utf8'))?.[1]) / 1000
    const before = peak()
    await raw.answersTo(...Array.from({ length: 100 }, () => long))
    expect(peak() - before).toBeLessThan(50)
  })
})

it('a last line without an end is answered before the server ends', async () => {
  const raw = startRawStdio(env(), false)
  raw.server.stdin.end('{"jsonrpc":"2.0","id":1,"meth')
  expect(await raw.next()).toMatchObject({ id: null, error: { code: -32700 } })
  expect(await once(raw.server, 'exit')).toEqual([0, null])
})
