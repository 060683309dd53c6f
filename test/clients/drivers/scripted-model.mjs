// A model on loopback that calls the tools it is told to call: Anthropic's messages, streamed or whole.
import { once } from 'node:events'
import { createServer } from 'node:http'

/**
 * `take()` gives the calls of the next answer, as `{ id, name, input }`; `onResult` gets each result by the id of its call.
 * @param {{ take(): { id: string, name: string, input: object }[], onResult(id: string, result: object): void }} script
 */
export async function startModel({ take, onResult }) {
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const piece of request) text += piece
    const path = new URL(request.url, 'http://model').pathname
    if (request.method !== 'POST' || !path.startsWith('/v1/messages')) return sendJson(response, {}, 404)
    if (path.endsWith('/count_tokens')) return sendJson(response, { input_tokens: 10 })
    const body = JSON.parse(text)
    const last = [body.messages.at(-1)?.content].flat()
    for (const block of last) if (block?.type === 'tool_result') onResult(block.tool_use_id, block)
    // Requests without tools are about titles and topics.
    const calls = body.tools?.length > 0 ? take() : []
    answer(response, body, calls)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() }
}

function answer(response, { model, stream }, calls) {
  const content =
    calls.length > 0
      ? calls.map(({ id, name, input }) => ({ type: 'tool_use', id, name, input }))
      : [{ type: 'text', text: 'Done.' }]
  const message = {
    id: `msg_${Date.now()}`,
    type: 'message',
    role: 'assistant',
    model,
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 10 },
  }
  const stop_reason = calls.length > 0 ? 'tool_use' : 'end_turn'
  if (!stream) return sendJson(response, { ...message, content, stop_reason })
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (type, data) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`)
  send('message_start', { message: { ...message, content: [], stop_reason: null } })
  for (const [index, block] of content.entries()) {
    const { input, text, ...head } = block
    const isCall = block.type === 'tool_use'
    send('content_block_start', {
      index,
      content_block: isCall ? { ...head, input: {} } : { ...head, text: '' },
    })
    const delta = isCall
      ? { type: 'input_json_delta', partial_json: JSON.stringify(input) }
      : { type: 'text_delta', text }
    send('content_block_delta', { index, delta })
    send('content_block_stop', { index })
  }
  send('message_delta', { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 10 } })
  send('message_stop', {})
  response.end()
}

function sendJson(response, body, status = 200) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
