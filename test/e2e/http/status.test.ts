// HTTP statuses of calls in protocol 2026-07-28.
import { setTimeout as pause } from 'node:timers/promises'
import { inputRequired, McpServer } from '@modelcontextprotocol/server'
import { expect, it } from 'vitest'
import { answerOf, post, serversOfEachTest } from '../../support/e2e/http.ts'

const serve = serversOfEachTest()

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
