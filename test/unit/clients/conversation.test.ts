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
const progress = (progressToken: number, value = 1) =>
  server({ method: 'notifications/progress', params: { progressToken, progress: value } })

it('a call with progress and its result has no error', () => {
  call(1)
  progress(1)
  progress(1, 2)
  server({ id: 1, result })
  conversation.end()
  expect(findings).toEqual({ messages: 4, answeredCalls: 1, cutOff: [], problems: [] })
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

it('a cancelled call, one that was given up and a subscription need no answer', () => {
  call(1)
  client({ method: 'notifications/cancelled', params: { requestId: 1 } })
  call(2)
  conversation.giveUp(2)
  client({ id: 3, method: 'subscriptions/listen', params: { notifications: {} } })
  conversation.end()
  expect(findings).toMatchObject({ cutOff: [], problems: [] })
})

it('a call that is open while the run kills the server is counted apart', () => {
  call(1)
  call(2)
  conversation.cutOff(2)
  expect(findings).toMatchObject({ cutOff: ['tools/call'], problems: [] })
  conversation.cutOff()
  call(3)
  conversation.end()
  expect(findings.cutOff).toEqual(['tools/call', 'tools/call'])
  expect(findings.problems).toEqual([expect.stringMatching(/^The server left unanswered: .*"id":3/)])
})

it('an error that the client has asked for is none', () => {
  call(1, { name: 'no_such_tool' })
  server({ id: 1, error: { code: -32_602, message: 'No such tool.' } })
  call(2, { arguments: { audio: { no: 'text' } } })
  server({ id: 2, error: { code: -32_602, message: 'Not a text.' } })
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
        call(1, { _meta: {} })
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
      'progress that stands still',
      () => {
        call(1)
        progress(1)
        progress(1)
      },
      /progress that does not increase/,
    ],
    [
      'a progress token twice',
      () => {
        call(1)
        call(2, { _meta: { progressToken: 1 } })
      },
      /with the progress token of an open one/,
    ],
    [
      'an id again after its answer',
      () => {
        call(1)
        server({ id: 1, result })
        call(1)
      },
      /^The client sent a request with the id of an earlier one/,
    ],
    [
      'a result with an error beside',
      () => server({ id: 1, result, error: { code: -32_603, message: 'No.' } }),
      /no message of JSON-RPC/,
    ],
    ['an answer without an id', () => server({ result }), /no message of JSON-RPC/],
    [
      'a missing method',
      () => {
        client({ id: 1, method: 'tools/list' })
        server({ id: 1, error: { code: -32_601, message: 'Method not found' } })
      },
      /an error to tools\/list/,
    ],
    [
      'another error to a call that is wrong on purpose',
      () => {
        call(1, { name: 'no_such_tool' })
        server({ id: 1, error: { code: -32_603, message: 'No.' } })
      },
      /an error to tools\/call/,
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

  it('a request that is left open is found on both sides', () => {
    call(1)
    server({ id: 1, method: 'roots/list' })
    conversation.end()
    conversation.end()
    expect(findings.problems).toEqual([
      expect.stringMatching(/^The server left unanswered: .*tools\/call/),
      expect.stringMatching(/^The client left unanswered: .*roots\/list/),
    ])
  })
})
