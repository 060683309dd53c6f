// DashScope's way to ask for text and to answer: one body, or frames with an id, an event and a status.
import { randomUUID } from 'node:crypto'
import { dashscopeErrors } from '../errors.ts'
import { sendError, sendJson } from '../http.ts'
import type { Dialect, Said, TextOrder } from './dialect.ts'
import { readQwenOrder } from './qwen-request.ts'

export const qwen: Dialect = {
  read: readQwenOrder,
  say(order, said, id) {
    return { output: outputOf(order, said), usage: usageOf(order, said), request_id: id }
  },
  frame(body, { number, status }) {
    const event = status === undefined ? 'result' : 'error'
    return `id:${number}\nevent:${event}\n:HTTP_STATUS/${status ?? 200}\ndata:${JSON.stringify(body)}\n\n`
  },
  end: () => '',
  streamHeaders: () => ({
    'content-type': 'text/event-stream;charset=UTF-8',
    'x-request-id': randomUUID(),
    'x-dashscope-call-gateway': 'true',
    server: 'istio-envoy',
  }),
  errorBody: ({ code, message }) => ({ code, message, request_id: randomUUID() }),
  send: sendJson,
  refuse: sendError,
  filtered: () => ({ error: dashscopeErrors.dataInspectionFailed }),
  tooOften: () => dashscopeErrors.rateQuota,
}

function outputOf(order: TextOrder, { text, thoughts, finish }: Said): object {
  // In progress it is a string, not a null.
  const reason = finish === undefined ? {} : { finish_reason: finish ?? 'null' }
  if (order.plainForm) return { text, ...reason }
  const content = order.model.route === 'text-generation' ? text : text ? [{ text }] : []
  const reasoning = order.thinks ? { reasoning_content: thoughts ?? '' } : {}
  const message = { role: 'assistant', content, ...reasoning }
  return { choices: [order.stream === 'none' ? { ...reason, message } : { message, ...reason }] }
}

function usageOf(order: TextOrder, { tokens: { input, output, thoughts } }: Said): object {
  return {
    total_tokens: input + output + thoughts,
    output_tokens: output + thoughts,
    input_tokens: input,
    ...(order.model.name !== 'qwen-turbo' && { prompt_tokens_details: { cached_tokens: 0 } }),
    ...(order.thinks && { output_tokens_details: { reasoning_tokens: thoughts } }),
  }
}
