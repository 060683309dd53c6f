// A plain HTTP client of the emulator's text models, in the protocols of DashScope and Gemini.
import type { DashscopeEmulator } from '../../../emulators/dashscope/dashscope.ts'

export interface RequestOptions {
  system?: string
  parameters?: Record<string, unknown>
  headers?: Record<string, string>
  signal?: AbortSignal
  /** Requests a stream; `incremental_output` makes DashScope send only new text in each frame. */
  stream?: boolean
  /** Replaces the whole body. */
  body?: unknown
}

export const SSE = { 'x-dashscope-sse': 'enable', accept: 'text/event-stream' }

function send(url: string, body: unknown, headers: Record<string, string>, { signal }: RequestOptions) {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal && { signal }),
  })
}

type Route = 'text-generation' | 'multimodal-generation'

/** The content is a string or a list, depending on the route. */
export function askQwen(
  cloud: DashscopeEmulator,
  user: string,
  options: RequestOptions & { model?: string; route?: Route } = {},
): Promise<Response> {
  const { model = 'qwen-flash', route = 'text-generation', system, parameters, stream } = options
  const content = (text: string) => (route === 'text-generation' ? text : [{ text }])
  const messages = [
    ...(system === undefined ? [] : [{ role: 'system', content: content(system) }]),
    { role: 'user', content: content(user) },
  ]
  const defaultBody = { model, input: { messages }, parameters: { result_format: 'message', ...parameters } }
  const headers = {
    authorization: `Bearer ${cloud.apiKey}`,
    ...(stream && SSE),
    ...options.headers,
  }
  return send(`${cloud.url}/services/aigc/${route}/generation`, options.body ?? defaultBody, headers, options)
}

export function askGemini(
  cloud: DashscopeEmulator,
  user: string,
  options: RequestOptions & { model?: string; method?: string; url?: string } = {},
): Promise<Response> {
  const { model = 'gemini-2.5-flash-lite', system, parameters, stream, url = cloud.geminiUrl } = options
  const { method = stream ? 'streamGenerateContent?alt=sse' : 'generateContent' } = options
  const defaultBody = {
    contents: [{ role: 'user', parts: [{ text: user }] }],
    ...(system !== undefined && { systemInstruction: { parts: [{ text: system }] } }),
    ...(parameters && { generationConfig: parameters }),
  }
  const headers = { 'x-goog-api-key': cloud.geminiKey, ...options.headers }
  return send(`${url}/models/${model}:${method}`, options.body ?? defaultBody, headers, options)
}

/** The parts of a frame or body of either protocol that tests check. */
export interface Part {
  text: string
  thoughts: string
  finish: string | null | undefined
  error?: { code: string | number; message: string }
}

// biome-ignore lint/suspicious/noExplicitAny: answers of two protocols
export function partOf(body: any): Part {
  const choice = body.output?.choices?.[0]
  const candidate = body.candidates?.[0]
  const list: { text: string; thought?: boolean }[] = candidate?.content?.parts ?? []
  const content = choice?.message.content ?? body.output?.text ?? list.filter(part => !part.thought)
  const text =
    typeof content === 'string' ? content : content.map((part: { text: string }) => part.text).join('')
  const thought = list.find(part => part.thought)?.text
  const error = body.error ?? (body.code && { code: body.code, message: body.message })
  return {
    text,
    thoughts: choice?.message.reasoning_content ?? thought ?? '',
    finish: choice?.finish_reason ?? body.output?.finish_reason ?? candidate?.finishReason,
    ...(error && { error }),
  }
}

/** The frames of a stream. Throws for a frame that is not JSON. */
export async function framesOf(response: Response): Promise<Part[]> {
  const lines = (await response.text()).split(/\r?\n/).filter(line => line.startsWith('data:'))
  return lines.map(line => partOf(JSON.parse(line.slice(5))))
}

export async function textOf(response: Response): Promise<string> {
  const type = response.headers.get('content-type') ?? ''
  if (!type.startsWith('text/event-stream')) return partOf(await response.json()).text
  return (await framesOf(response)).map(({ text }) => text).join('')
}
