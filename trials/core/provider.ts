// A provider on loopback that answers at once and without listening; a round may replace its answers.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { closeAtOnce, listenOnLoopback } from '../../emulators/loopback.ts'

export interface ProviderCall {
  path: string
  // biome-ignore lint/suspicious/noExplicitAny: any request body
  json: any
}

/** Returns true if it has taken the response over. */
export type Answer = (call: ProviderCall, response: ServerResponse, request: IncomingMessage) => boolean

export interface Provider {
  /** Value for DASHSCOPE_BASE_URL. */
  url: string
  /** Requests so far. */
  count(): number
  answerWith(answer: Answer | undefined): void
  close(): Promise<void>
}

export const spokenText = 'Good morning everybody, the budget for the next quarter is on the table.'

export async function startProvider(): Promise<Provider> {
  let count = 0
  let answer: Answer | undefined
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('error', () => {})
    response.on('error', () => {})
    request.on('end', () => {
      count++
      const call = { path: request.url ?? '', json: parse(Buffer.concat(parts).toString()) }
      if (!answer?.(call, response, request)) answerWell(call, response)
    })
  })
  server.keepAliveTimeout = 60_000
  const port = await listenOnLoopback(server)
  return {
    url: `http://127.0.0.1:${port}/api/v1`,
    count: () => count,
    answerWith(other) {
      answer = other
    },
    close: () => closeAtOnce(server),
  }
}

/** Recognition returns `spokenText`, a text model returns its prompt; nothing else exists. */
function answerWell({ path, json }: ProviderCall, response: ServerResponse): void {
  if (path.includes('/multimodal-generation/')) sendJson(response, 200, recognition(spokenText))
  else if (path.includes('/text-generation/')) sendJson(response, 200, generation(promptOf(json)))
  else sendJson(response, 404, { code: 'NotFound', message: 'There is no such route.' })
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

export function recognition(text: string) {
  const message = {
    role: 'assistant',
    annotations: [{ language: 'en', type: 'audio_info' }],
    content: [{ text }],
  }
  return {
    output: { choices: [{ finish_reason: 'stop', message }] },
    usage: { seconds: 2 },
    request_id: 'trial',
  }
}

function generation(content: string) {
  const message = { role: 'assistant', content }
  return {
    output: { choices: [{ finish_reason: 'stop', message }] },
    usage: { input_tokens: 1, output_tokens: 1 },
    request_id: 'trial',
  }
}

function promptOf(json: { input?: { messages?: { content?: unknown }[] } } | undefined): string {
  return String(json?.input?.messages?.at(-1)?.content ?? '')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
