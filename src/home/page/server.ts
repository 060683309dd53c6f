// Asks the server: tools at /mcp, as clients of MCP call them, and a few addresses of the page's own.

/** The session has ended, or there was none yet. */
export class SignedOut extends Error {}

export const signedOutText = 'Please sign in again.'

/** Id of the owner whom the page shows. */
let shown = '1'

export function showOwner(id: string): void {
  shown = id
}

interface RequestOptions {
  body?: unknown
  signal?: AbortSignal
  accept?: string
}

/** Rejects with a sentence for the reader, or with `SignedOut`. */
export async function send(path: string, { body, signal, accept }: RequestOptions = {}): Promise<Response> {
  const response = await fetch(path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      'x-speech-page': path === 'home/me' ? '1' : shown,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(accept !== undefined && { accept }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  }).catch(error => {
    throw signal?.aborted ? error : new Error('The server does not answer. Try again later.')
  })
  if (response.ok) return response
  const { error } = (await response.json().catch(() => ({}))) as { error?: unknown }
  const { message = `The server answered ${response.status}.` } =
    typeof error === 'string' ? { message: error } : ((error ?? {}) as { message?: string })
  if (response.status === 401 && path !== 'home/sign-in') throw new SignedOut(signedOutText)
  throw new Error(withoutCode(message))
}

export async function ask<T>(path: string, body?: unknown): Promise<T> {
  return (await (await send(path, { body })).json()) as T
}

interface ToolResult {
  isError?: boolean
  content?: { text?: string }[]
  structuredContent?: unknown
}

/** The structured result of a tool. Rejects with the tool's own words. */
export async function call<T>(name: string, given: object): Promise<T> {
  const response = await send('mcp', {
    body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: given } },
    accept: 'application/json, text/event-stream',
  })
  for await (const text of messagesOf(response)) {
    const { result, error } = JSON.parse(text) as { result?: ToolResult; error?: { message: string } }
    if (error) throw new Error(error.message)
    if (!result) continue
    if (result.isError) throw new Error(withoutCode(result.content?.[0]?.text ?? 'The tool failed.'))
    return result.structuredContent as T
  }
  throw new Error('The server ended the connection. Try again.')
}

async function* messagesOf(response: Response): AsyncGenerator<string> {
  if (response.headers.get('content-type')?.includes('event-stream')) yield* eventsOf(response)
  else yield await response.text()
}

/** The data of each event of a stream, until it ends. */
export async function* eventsOf(response: Response): AsyncGenerator<string> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const blocks = (rest + value).split('\n\n')
    rest = blocks.pop()!
    for (const block of blocks) {
      const data = /^data: (.+)$/m.exec(block)?.[1]
      if (data !== undefined) yield data
    }
  }
}

/** Codes are for programs. */
const withoutCode = (text: string) => text.replace(/^[A-Z_]+: /, '')
