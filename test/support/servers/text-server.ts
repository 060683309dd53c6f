// A server that writes as text models do on the wire, as a test tells it; with frames as they were captured or documented.
import type { ServerResponse } from 'node:http'
import { say, startTaskServer, type TaskServer } from './task-server.ts'

export type Answer = Parameters<TaskServer['answer']>[0]

export interface TextServer extends TaskServer {
  /** As GEMINI_BASE_URL has it. */
  geminiUrl: string
}

export async function startTextServer(): Promise<TextServer> {
  const server = await startTaskServer()
  // The same object, as what it has seen changes.
  return Object.assign(server, { geminiUrl: `${server.origin}/v1beta` })
}

/** A stream of these pieces, which then ends, or stays open. */
export const stream =
  (pieces: readonly (string | Uint8Array)[], { open = false } = {}): Answer =>
  async (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream;charset=UTF-8' })
    for (const piece of pieces) await written(response, piece)
    if (!open) response.end()
  }

function written(response: ServerResponse, piece: string | Uint8Array): Promise<void> {
  return new Promise(resolve => response.write(piece, () => setImmediate(resolve)))
}

const usage = { total_tokens: 47, output_tokens: 39, input_tokens: 8 }

/** The body of one frame, and of an answer that comes whole. `list` is how the newer route has its content. */
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
export function sse(body: object, number = 1, event = 'result', status = 200): string {
  return `id:${number}\nevent:${event}\n:HTTP_STATUS/${status}\ndata:${JSON.stringify(body)}\n\n`
}

/** A whole answer: the news in each frame, and an empty last one. */
export function qwenFrames(...news: string[]): string[] {
  return [...news.map(text => qwenBody(text)), qwenBody('', 'stop')].map((body, i) => sse(body, i + 1))
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

export const geminiFrame = (body: object) => `data: ${JSON.stringify(body)}\r\n\r\n`

export const geminiAnswer = (...news: string[]): Answer =>
  stream([...news.map(text => geminiBody(text)), geminiBody('', 'STOP')].map(geminiFrame))

export function geminiError(
  code: number,
  status: string,
  message = 'Told in words.',
  details: object[] = [],
) {
  return say(code, { error: { code, message, status, details } })
}
