// Server-sent events: told apart by their data lines, wherever the network cuts them, and what comes in their place.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEvents, readJsonBody, type ServerSentEvent } from '../../../../src/drivers/http/sse.ts'
import { sseEvent } from '../../../support/servers/text-server.ts'

async function* inPieces(...pieces: string[]): AsyncGenerator<string, void> {
  yield* pieces
}

async function read(...pieces: string[]): Promise<ServerSentEvent[]> {
  const frames: ServerSentEvent[] = []
  for await (const frame of readEvents(inPieces(...pieces))) frames.push(frame)
  return frames
}

const jsonOf = async (...pieces: string[]) => (await read(...pieces)).map(({ json }) => json)

const captured = [
  sseEvent({ a: 1 }, 1),
  sseEvent({ b: '二' }, 2),
  sseEvent({ code: 'X' }, 3, 'error', 400),
].join('')
const frames = [
  { event: 'result', status: 200, json: { a: 1 } },
  { event: 'result', status: 200, json: { b: '二' } },
  { event: 'error', status: 400, json: { code: 'X' } },
]

describe('frames', () => {
  it('have the name, the status and the JSON of their event', async () => {
    expect(await read(captured)).toEqual(frames)
  })

  it.each([
    ['a single newline between them', captured.replaceAll('\n\n', '\n')],
    ['CRLF', captured.replaceAll('\n', '\r\n')],
    [
      'more blank lines than needed',
      captured.replaceAll('\n', '\n\n\n').replaceAll(/(event|id|:)(.*)\n+/g, '$1$2\n'),
    ],
    ['a blank after the colon', captured.replaceAll('data:', 'data: ')],
    ['no end of the last line', captured.trimEnd()],
    ['comments that keep the line open', `: ping\n\n${captured}: ping\n\n`],
    ['[DONE] at the end', `${captured}data: [DONE]\n\n`],
    ['data without anything', `data:\n\n${captured}data:\n\n`],
  ])('are the same with %s', async (_, text) => {
    expect(await read(text)).toEqual(frames)
  })

  it('are the same wherever the network cuts them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: captured.length })), fc.boolean(), async (cuts, crlf) => {
        const text = crlf ? captured.replaceAll('\n', '\r\n') : captured
        const places = [0, ...cuts.sort((a, b) => a - b), text.length]
        const pieces = places.slice(1).map((end, i) => text.slice(places[i], end))
        expect(await read(...pieces)).toEqual(frames)
      }),
    )
  })

  it('that say nothing but their data have no name and no status', async () => {
    expect(await read('data: {"a":1}\r\n\r\ndata: {"b":2}\r\n\r\n')).toEqual([
      { event: '', json: { a: 1 } },
      { event: '', json: { b: 2 } },
    ])
  })

  it('may have their data in several lines', async () => {
    expect(await jsonOf('data: {\ndata: "a": 1\ndata: }\n\ndata: {"b":2}\n\n')).toEqual([{ a: 1 }, { b: 2 }])
  })

  it('that are half JSON are told of, and do not spoil the next', async () => {
    expect(await jsonOf('data:{"output":{"ch\n\ndata:{"b":2}\n\n')).toEqual([undefined, { b: 2 }])
    expect(await jsonOf('id:1\ndata:{"output":{"ch')).toEqual([undefined])
  })

  it('lend their name to no other', async () => {
    expect(await read('event:error\ndata:{}\n\ndata:{}\n\n')).toMatchObject([
      { event: 'error' },
      { event: '' },
    ])
  })
})

describe('in place of a stream', () => {
  it.each([
    ['a JSON document', '{"a": 1}', [{ a: 1 }]],
    ['one over several lines', '\n{\n  "a": 1\n}\n', [{ a: 1 }]],
    ['a list of what would be frames', '[{"a":1}\n,\n{"b":2}]', [{ a: 1 }, { b: 2 }]],
    ['half a document', '{"a":', []],
    ['the page of a proxy', '<html>\ndata: {"a":1}\n</html>', []],
    ['nothing', '', []],
  ])('%s', async (_, text, expected) => {
    expect(await jsonOf(text)).toEqual(expected)
  })

  it('what an error says of itself is its JSON, in a frame or without, or nothing', async () => {
    expect(await readJsonBody(inPieces(sseEvent({ code: 'X' }, 1, 'error', 400)))).toEqual({ code: 'X' })
    expect(await readJsonBody(inPieces('{"code":"X"}'))).toEqual({ code: 'X' })
    expect(await readJsonBody(inPieces('<html>'))).toBeUndefined()
  })
})
