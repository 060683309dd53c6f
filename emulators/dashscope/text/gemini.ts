// Gemini's way to ask for text and to answer: one body, frames of server-sent events, or a list that grows.
import type { CloudError } from '../errors.ts'
import { sendBody } from '../http.ts'
import type { Dialect, Said } from './dialect.ts'
import { type GeminiError, geminiErrors, retryInfo } from './gemini-errors.ts'
import { readGeminiOrder } from './gemini-request.ts'

const FINISH: Record<string, string> = { stop: 'STOP', length: 'MAX_TOKENS' }

const headers = {
  'content-type': 'application/json; charset=UTF-8',
  vary: 'Origin, X-Origin, Referer',
  server: 'scaffolding on HTTPServer2',
}

export const gemini: Dialect = {
  read: readGeminiOrder,
  say(order, said, id) {
    const finish = said.finish ? { finishReason: FINISH[said.finish] ?? said.finish } : {}
    return {
      candidates: [{ content: contentOf(said), ...finish, index: 0 }],
      ...tail(order.model.name, said, id),
    }
  },
  frame(body, { number, stream }) {
    if (stream === 'array') return `${number === 1 ? '[' : ',\r\n'}${JSON.stringify(body)}`
    return `data: ${JSON.stringify(body)}\r\n\r\n`
  },
  end: stream => (stream === 'array' ? ']' : ''),
  streamHeaders: stream => (stream === 'sse' ? { ...headers, 'content-type': 'text/event-stream' } : headers),
  errorBody: ({ status, code, message, details }: GeminiError) => ({
    error: { code: status, message, status: code, ...(details && { details }) },
  }),
  send(request, response, status, body) {
    sendBody(request, response, status, body, headers)
  },
  refuse(request, response, error: CloudError) {
    sendBody(request, response, error.status, gemini.errorBody(error), headers)
  },
  filtered(reason = 'SAFETY', midway, id) {
    if (midway) return { finish: reason }
    const usageMetadata = { promptTokenCount: 1, totalTokenCount: 1 }
    return { body: { promptFeedback: { blockReason: reason }, usageMetadata, responseId: id } }
  },
  tooOften: seconds => ({ ...geminiErrors.resourceExhausted, details: retryInfo(seconds) }),
}

// Without text there are no parts.
function contentOf({ text, thoughts }: Said): object {
  const parts = [...(thoughts ? [{ text: thoughts, thought: true }] : []), ...(text ? [{ text }] : [])]
  return { ...(parts.length > 0 && { parts }), role: 'model' }
}

function tail(model: string, { tokens: { input, output, thoughts } }: Said, id: string): object {
  return {
    usageMetadata: {
      promptTokenCount: input,
      ...(output > 0 && { candidatesTokenCount: output }),
      ...(thoughts > 0 && { thoughtsTokenCount: thoughts }),
      totalTokenCount: input + output + thoughts,
    },
    modelVersion: model,
    responseId: id,
  }
}
