// A server with responses of text models set by the test, in the captured or documented wire format.
import type { ServerResponse } from 'node:http'
import { type Responder, reply, startTaskServer, type TaskServer } from './task-server.ts'

export interface TextServer extends TaskServer {
  /** As GEMINI_BASE_URL has it. */
  geminiUrl: string
}

export async function startTextServer(): Promise<TextServer> {
  const server = await startTaskServer()
  // The same object, since its `requests` is a getter.
  return Object.assign(server, { geminiUrl: `${server.origin}/v1beta` })
}

/** A stream of these chunks that ends after the last one, or stays open. */
export const stream =
  (chunks: readonly (string | Uint8Array)[], { open = false } = {}): Responder =>
  async (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream;charset=UTF-8' })
    for (const chunk of chunks) await sent(response, chunk)
    if (!open) response.end()
  }

function sent(response: ServerResponse, chunk: string | Uint8Array): Promise<void> {
  return new Promise(resolve => response.write(chunk, () => setImmediate(resolve)))
}

const usage = { total_tokens: 47, output_tokens: 39, input_tokens: 8 }

/** The body of one event, or of a response in one document. `list`: the content format of the newer route. */
export function qwenBody(
  text: string,
  finish: string | null = 'null',
  { list = false, more = {} } = {},
): object {
  const message = { role: 'assistant', content: list ? [{ text }] : text, ...more }
  return {
    output: { choices: [{ message, finish_reason: finish }] },
    usage,
    request_id: 'e764bfe3-c0b7-97a0-ae57-cd99e1580960',
  }
}

/** `number` is counted from 1. */
export function sseEvent(body: object, number = 1, event = 'result', status = 200): string {
  return `id:${number}\nevent:${event}\n:HTTP_STATUS/${status}\ndata:${JSON.stringify(body)}\n\n`
}

/** A complete response: one event for each new text, and an empty last one. */
export function qwenEvents(...texts: string[]): string[] {
  return [...texts.map(text => qwenBody(text)), qwenBody('', 'stop')].map((body, i) => sseEvent(body, i + 1))
}

export const qwenError = (code: string, message: string) => ({ code, message, request_id: 'r' })

export function geminiBody(text: string | undefined, finishReason?: string): object {
  const content = { parts: [{ text }], role: 'model' }
  return {
    candidates: [{ ...(text !== undefined && { content }), ...(finishReason && { finishReason }), index: 0 }],
    usageMetadata: {
      promptTokenCount: 8,
      candidatesTokenCount: 30,
      thoughtsTokenCount: 9,
      totalTokenCount: 47,
    },
    modelVersion: 'gemini-2.5-flash',
    responseId: 'x',
  }
}

export const geminiEvent = (body: object) => `data: ${JSON.stringify(body)}\r\n\r\n`

export const geminiAnswer = (...texts: string[]): Responder =>
  stream([...texts.map(text => geminiBody(text)), geminiBody('', 'STOP')].map(geminiEvent))

export function geminiError(code: number, status: string, message = 'In words.', details: object[] = []) {
  return reply(code, { error: { code, message, status, details } })
}
