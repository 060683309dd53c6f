// The judge of what a client and a server say to each other: it finds each error of the protocol, and no other.
import { beforeEach, describe, expect, it } from 'vitest'
import { type Conversation, createConversation, noFindings } from '../../clients/witness/conversation.ts'

let findings = noFindings()
let conversation: Conversation

beforeEach(() => {
  findings = noFindings()
  conversation = createConversation(findings)
})

const client = (message: object) =>
  conversation.hear('client', JSON.stringify({ jsonrpc: '2.0', ...message }))
const server = (message: object) =>
  conversation.hear('server', JSON.stringify({ jsonrpc: '2.0', ...message }))
const call = (id: number, more: object = {}) =>
  client({
    id,
    method: 'tools/call',
    params: { name: 'find_recordings', arguments: {}, _meta: { progressToken: id }, ...more },
  })
const result = { content: [{ type: 'text', text: 'Found.' }] }
const progress = (progressToken: number) =>
  server({ method: 'notifications/progress', params: { progressToken, progress: 1 } })

it('a call with progress and its result has no error', () => {
  call(1)
  progress(1)
  server({ id: 1, result })
  expect(findings).toEqual({ messages: 3, answeredCalls: 1, problems: [] })
})

it('answers of two calls in another order have no error', () => {
  call(1)
  call(2)
  server({ id: 2, result })
  server({ id: 1, result })
  expect(findings).toMatchObject({ answeredCalls: 2, problems: [] })
})

it('what comes late of a cancelled call is no error', () => {
  call(1)
  client({ method: 'notifications/cancelled', params: { requestId: 1 } })
  progress(1)
  server({ id: 1, error: { code: -32_000, message: 'Cancelled.' } })
  expect(findings.problems).toEqual([])
})

it('an error that the client has asked for is none', () => {
  call(1, { name: 'no_such_tool' })
  server({ id: 1, error: { code: -32_602, message: 'No such tool.' } })
  call(2, { arguments: { audio: { no: 'text' } } })
  server({ id: 2, error: { code: -32_602, message: 'Not a text.' } })
  client({ id: 3, method: 'tasks/list' })
  server({ id: 3, error: { code: -32_601, message: 'Method not found' } })
  expect(findings).toMatchObject({ answeredCalls: 0, problems: [] })
})

describe('an error of the protocol', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['a line of a log', () => conversation.hear('server', 'Listening'), /^The server sent what is no JSON/],
    ['another version', () => server({ jsonrpc: '1.0', id: 1, result }), /no message of JSON-RPC/],
    ['an answer to nothing', () => server({ id: 9, result }), /an answer to no open request/],
    ['progress of nothing', () => progress(9), /progress of no open request/],
    [
      'an id twice',
      () => {
        call(1)
        call(1)
      },
      /^The client sent a second request with the id of an open one/,
    ],
    [
      'a second answer',
      () => {
        call(1)
        server({ id: 1, result })
        server({ id: 1, result })
      },
      /an answer to no open request/,
    ],
    [
      'progress after the result',
      () => {
        call(1)
        server({ id: 1, result })
        progress(1)
      },
      /progress of no open request/,
    ],
    [
      'an error to a good call',
      () => {
        call(1)
        server({ id: 1, error: { code: -32_603, message: 'No.' } })
      },
      /an error to tools\/call/,
    ],
    [
      'a result of another type',
      () => {
        call(1)
        server({ id: 1, result: { content: 'Found.' } })
      },
      /a wrong result of tools\/call/,
    ],
  ])('%s is found', (_, happen, expected) => {
    happen()
    expect(findings.problems).toEqual([expect.stringMatching(expected)])
  })
})
