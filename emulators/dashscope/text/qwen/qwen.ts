// DashScope's text protocol: one body, or server-sent events with an id, an event and a status.
import { randomUUID } from 'node:crypto'
import { dashscopeErrors, errorBody } from '../../errors.ts'
import { sendError, sendJson } from '../../http.ts'
import { contentRefused } from '../../wording.ts'
import type { AnswerPart, ParsedTextRequest, TextProtocol } from '../protocol.ts'
import { readQwenRequest } from './request.ts'

export const qwen: TextProtocol = {
  read: readQwenRequest,
  body(request, part, id) {
    return { output: outputOf(request, part), usage: usageOf(request, part), request_id: id }
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
  errorBody,
  send: sendJson,
  refuse: sendError,
  blocked: ({ forms }) => ({ error: contentRefused(forms) }),
  rateLimited: () => dashscopeErrors.rateQuota,
}

function outputOf(request: ParsedTextRequest, { text, thoughts, finish }: AnswerPart): object {
  // While in progress it is the string "null".
  const reason = finish === undefined ? {} : { finish_reason: finish ?? 'null' }
  if (request.plainForm) return { text, ...reason }
  const content = request.model.route === 'text-generation' ? text : text ? [{ text }] : []
  const reasoning = request.thinks ? { reasoning_content: thoughts ?? '' } : {}
  const message = { role: 'assistant', content, ...reasoning }
  return { choices: [request.stream === 'none' ? { ...reason, message } : { message, ...reason }] }
}

function usageOf(request: ParsedTextRequest, { tokens: { input, output, thoughts } }: AnswerPart): object {
  return {
    total_tokens: input + output + thoughts,
    output_tokens: output + thoughts,
    input_tokens: input,
    ...(request.model.name !== 'qwen-turbo' && { prompt_tokens_details: { cached_tokens: 0 } }),
    ...(request.thinks && { output_tokens_details: { reasoning_tokens: thoughts } }),
  }
}
