// Lines over stdio and bodies over HTTP that no client would send; the next ordinary request must be answered.
import { request } from '../core/call.ts'
import type { Door } from '../core/door.ts'
import type { HttpDoor } from '../core/http.ts'
import type { Trial } from '../core/round.ts'
import type { StdioDoor } from '../core/stdio.ts'

const list = '{"jsonrpc":"2.0","id":"odd","method":"tools/list"}'

/** More than the program reads of one line or body. */
const tooLong = 12 * 1024 * 1024

function deep(depth: number): string {
  return `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
}

const odd: Record<string, () => string | Buffer> = {
  empty: () => '',
  blanks: () => ' \t \r',
  'broken JSON': () => '{"jsonrpc":"2.0","id":1,',
  'not JSON': () => 'GET / HTTP/1.1',
  NUL: () => '\0\0\0',
  'NUL in a string': () => list.replace('odd', 'o\0d'),
  'bytes that are not UTF-8': () => Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0x7b]),
  'deep nesting': () => list.replace('}', `,"params":${deep(100_000)}}`),
  'deep arrays': () => '['.repeat(100_000),
  null: () => 'null',
  'a number': () => '1',
  'an empty batch': () => '[]',
  'a batch': () => `[${list},${list}]`,
  'an id that is an object': () => list.replace('"odd"', '{"a":1}'),
  'an id that is null': () => list.replace('"odd"', 'null'),
  'an id that is huge': () => list.replace('"odd"', '1e999'),
  'a method that is a number': () => list.replace('"tools/list"', '5'),
  'params that are a text': () => list.replace('}', ',"params":"x"}'),
  'another version': () => list.replace('2.0', '3.0'),
  'a response to no request': () => '{"jsonrpc":"2.0","id":99999,"result":{}}',
  'an error response': () => '{"jsonrpc":"2.0","id":99999,"error":{"code":1,"message":"x"}}',
  'a cancellation of nothing': () =>
    '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{"a":1}}}',
  __proto__: () => list.replace('}', ',"params":{"__proto__":{"x":1},"cursor":null}}'),
  'over the limit': () => `{"a":"${'x'.repeat(tooLong)}"}`,
  'a request over the limit': () => list.replace('}', `,"params":{"cursor":"${'x'.repeat(tooLong)}"}}`),
}

export async function tryLines({ tally }: Trial, door: StdioDoor): Promise<void> {
  for (const [name, make] of Object.entries(odd))
    await tally.attempt(`${door.name}, a line: ${name}`, async () => {
      door.write(Buffer.concat([Buffer.from(make()), Buffer.from('\n')]))
      return stillAnswers(door)
    })
}

export async function tryBodies({ tally }: Trial, door: HttpDoor): Promise<void> {
  for (const [name, make] of Object.entries(odd))
    await tally.attempt(`${door.name}, a body: ${name}`, async () => {
      const { status, lost, error } = await door.post(make().toString(), { timeoutMs: 6000 })
      if (lost) return `no answer (${lost})`
      if (status === undefined || status >= 500 || error?.code === -32603)
        return `HTTP ${status}: ${error?.message}`
      return stillAnswers(door)
    })
}

async function stillAnswers(door: Door): Promise<string | undefined> {
  const { fault, error } = await request(door, 'tools/list', {})
  return fault ?? error?.message
}
