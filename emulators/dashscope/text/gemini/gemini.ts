// Gemini's text protocol: one body, server-sent events, or an incrementally sent JSON array.
import type { CloudError } from '../../errors.ts'
import { sendBody } from '../../http.ts'
import type { AnswerPart, TextProtocol } from '../protocol.ts'
import { type GeminiError, geminiErrors, retryInfo } from './errors.ts'
import { readGeminiRequest } from './request.ts'

const finishReasons: Record<string, string> = { stop: 'STOP', length: 'MAX_TOKENS' }

const headers = {
  'content-type': 'application/json; charset=UTF-8',
  vary: 'Origin, X-Origin, Referer',
  server: 'scaffolding on HTTPServer2',
}

export const gemini: TextProtocol = {
  read: readGeminiRequest,
  body(request, part, id) {
    const finish = part.finish ? { finishReason: finishReasons[part.finish] ?? part.finish } : {}
    return {
      candidates: [{ content: contentOf(part), ...finish, index: 0 }],
      ...metadata(request.model.name, part, id),
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
  blocked({ reason = 'SAFETY', midway, id }) {
    if (midway) return { finish: reason }
    const usageMetadata = { promptTokenCount: 1, totalTokenCount: 1 }
    return { body: { promptFeedback: { blockReason: reason }, usageMetadata, responseId: id } }
  },
  rateLimited: seconds => ({ ...geminiErrors.resourceExhausted, details: retryInfo(seconds) }),
}

// No `parts` without text.
function contentOf({ text, thoughts }: AnswerPart): object {
  const parts = [...(thoughts ? [{ text: thoughts, thought: true }] : []), ...(text ? [{ text }] : [])]
  return { ...(parts.length > 0 && { parts }), role: 'model' }
}

function metadata(model: string, { tokens: { input, output, thoughts } }: AnswerPart, id: string): object {
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
