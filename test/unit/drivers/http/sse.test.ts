// Server-sent events: separated by their data lines, wherever the network splits them, and the documents sent instead.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEvents, readJsonBody, type ServerSentEvent } from '../../../../src/drivers/http/sse.ts'
import { sseEvent } from '../../../support/servers/text-server.ts'

async function* inChunks(...chunks: string[]): AsyncGenerator<string, void> {
  yield* chunks
}

async function read(...chunks: string[]): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = []
  for await (const event of readEvents(inChunks(...chunks))) events.push(event)
  return events
}

const jsonOf = async (...chunks: string[]) => (await read(...chunks)).map(({ json }) => json)

const captured = [
  sseEvent({ a: 1 }, 1),
  sseEvent({ b: '二' }, 2),
  sseEvent({ code: 'X' }, 3, 'error', 400),
].join('')
const expectedEvents = [
  { event: 'result', status: 200, json: { a: 1 } },
  { event: 'result', status: 200, json: { b: '二' } },
  { event: 'error', status: 400, json: { code: 'X' } },
]

describe('events', () => {
  it('events have their name, status and JSON', async () => {
    expect(await read(captured)).toEqual(expectedEvents)
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
    ['comments that keep the connection open', `: ping\n\n${captured}: ping\n\n`],
    ['[DONE] at the end', `${captured}data: [DONE]\n\n`],
    ['data without anything', `data:\n\n${captured}data:\n\n`],
  ])('events are the same with %s', async (_, text) => {
    expect(await read(text)).toEqual(expectedEvents)
  })

  it('events are the same wherever the network splits them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: captured.length })), fc.boolean(), async (cuts, crlf) => {
        const text = crlf ? captured.replaceAll('\n', '\r\n') : captured
        const offsets = [0, ...cuts.sort((a, b) => a - b), text.length]
        const chunks = offsets.slice(1).map((end, i) => text.slice(offsets[i], end))
        expect(await read(...chunks)).toEqual(expectedEvents)
      }),
    )
  })

  it('events with data only have no name and no status', async () => {
    expect(await read('data: {"a":1}\r\n\r\ndata: {"b":2}\r\n\r\n')).toEqual([
      { event: '', json: { a: 1 } },
      { event: '', json: { b: 2 } },
    ])
  })

  it('events may have their data in several lines', async () => {
    expect(await jsonOf('data: {\ndata: "a": 1\ndata: }\n\ndata: {"b":2}\n\n')).toEqual([{ a: 1 }, { b: 2 }])
  })

  it('events with half a JSON text are reported, and leave the next one intact', async () => {
    expect(await jsonOf('data:{"output":{"ch\n\ndata:{"b":2}\n\n')).toEqual([undefined, { b: 2 }])
    expect(await jsonOf('id:1\ndata:{"output":{"ch')).toEqual([undefined])
  })

  it('events do not pass their name to the next one', async () => {
    expect(await read('event:error\ndata:{}\n\ndata:{}\n\n')).toMatchObject([
      { event: 'error' },
      { event: '' },
    ])
  })
})

describe('a document instead of a stream', () => {
  it.each([
    ['a JSON document', '{"a": 1}', [{ a: 1 }]],
    ['one over several lines', '\n{\n  "a": 1\n}\n', [{ a: 1 }]],
    ['a list of events', '[{"a":1}\n,\n{"b":2}]', [{ a: 1 }, { b: 2 }]],
    ['half a document', '{"a":', []],
    ['the page of a proxy', '<html>\ndata: {"a":1}\n</html>', []],
    ['nothing', '', []],
  ])('a document is read: %s', async (_, text, expected) => {
    expect(await jsonOf(text)).toEqual(expected)
  })

  it('the body of an error is its JSON, as an event or as a document, or undefined', async () => {
    expect(await readJsonBody(inChunks(sseEvent({ code: 'X' }, 1, 'error', 400)))).toEqual({ code: 'X' })
    expect(await readJsonBody(inChunks('{"code":"X"}'))).toEqual({ code: 'X' })
    expect(await readJsonBody(inChunks('<html>'))).toBeUndefined()
  })
})
