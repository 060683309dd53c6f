// HTTP statuses of calls in protocol 2026-07-28.
import { setTimeout as pause } from 'node:timers/promises'
import { inputRequired, McpServer } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import type { BatchPlan } from '../../../src/domain/batch/batch.ts'
import { answerOf, post, serversOfEachTest } from '../../support/e2e/http.ts'

const serve = serversOfEachTest()

/** Has a tool that leaves the look for the capability to the SDK, which ours do not. */
function asking(): McpServer {
  const server = new McpServer({ name: 'asking', version: '0' })
  server.registerTool('ask', { description: 'Asks the model of the client' }, async () => {
    // The look for the capability may take its time.
    await pause(100)
    return inputRequired({
      inputRequests: { answer: inputRequired.createMessage({ messages: [], maxTokens: 1 }) },
    })
  })
  return server
}

function call(url: string, name: string, capabilities: object, args: object = {}) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  }
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name }
  return post(url, { id: 1, method: 'tools/call', params: { name, arguments: args, _meta } }, headers)
}

it('a call that needs a capability the client lacks gets status 400', async () => {
  const { url } = await serve({ serverOf: asking })
  const refused = await call(url, 'ask', {})
  expect(refused.status).toBe(400)
  expect(await refused.json()).toMatchObject({
    id: 1,
    error: { code: -32_021, data: { requiredCapabilities: { sampling: {} } } },
  })
})

it('a call that finds the capability gets its questions as a stream', async () => {
  const { url } = await serve({ serverOf: asking })
  const asked = await call(url, 'ask', { sampling: {} })
  expect([asked.status, asked.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  expect(await answerOf(asked)).toMatchObject({
    result: { resultType: 'input_required', inputRequests: { answer: { method: 'sampling/createMessage' } } },
  })
})

it('a call that takes long has its headers before its answer', async () => {
  const { url, jobs } = await serve()
  const response = await call(url, 'transcribe_audio', {}, { audio: '/a.wav' })
  expect([response.status, jobs.waiting()]).toEqual([200, 1])
  jobs.release()
  expect(await answerOf(response)).toMatchObject({
    result: { structuredContent: { transcript_id: 'tr_local' } },
  })
})

describe('our own tools look for the capability themselves', () => {
  const plan: BatchPlan = {
    recordings: [
      { audio: '/talks/a.wav', id: 'tr_a', content: 'a', name: 'a.wav', seconds: 1, state: 'new', usd: 0.01 },
    ],
    copies: [],
    unreadable: [],
    seconds: 1,
    newSeconds: 1,
    usd: 0.01,
    unknownLengths: 0,
  }

  async function order(capabilities: object) {
    const { url, jobs } = await serve()
    jobs.sourcesIn = async () => ['/talks']
    jobs.orderBatch = async () => ({ plan, mostUsd: 0.01 })
    const response = await call(url, 'transcribe_audio', capabilities, { audio: '/talks' })
    return { status: response.status, ...(await answerOf(response)) }
  }

  it.each([{}, { sampling: {} }, { elicitation: { url: {} } }])(
    'a client with the capabilities %j gets the price as an answer',
    async capabilities => {
      expect(await order(capabilities)).toMatchObject({
        status: 200,
        result: { structuredContent: { status: 'planned' } },
      })
    },
  )

  it.each([
    { elicitation: {} },
    { elicitation: { form: {} } },
    { elicitation: { form: {}, url: {} } },
    { elicitation: { later: {} } },
  ])('a client with the capabilities %j is asked', async capabilities => {
    expect(await order(capabilities)).toMatchObject({
      status: 200,
      result: { resultType: 'input_required', inputRequests: { price: { method: 'elicitation/create' } } },
    })
  })
})

it('a wrong argument of our own tool is a failed call, and an unknown tool an error, both with status 200', async () => {
  const { url } = await serve()
  const wrong = await call(url, 'transcribe_audio', {}, { audio: { no: 'text' } })
  expect([wrong.status, await answerOf(wrong)]).toMatchObject([200, { result: { isError: true } }])
  const unknown = await call(url, 'no_such_tool', {})
  expect([unknown.status, await answerOf(unknown)]).toMatchObject([200, { error: { code: -32_602 } }])
})
