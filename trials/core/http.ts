// The program over HTTP, as raw requests.
import { Agent, request as httpRequest } from 'undici'
import { type ProgramOptions, startProgram } from './child.ts'
import { clientInfo, type Door, type Era, paramsOf, type Reply } from './door.ts'
import { factsOf } from './process-facts.ts'

export interface HttpDoor extends Door {
  /** URL of the MCP endpoint. */
  url: string
  post(body: string, options?: PostOptions): Promise<Reply & { sessionId?: string }>
  /** The same door for another client. Sessions are for 2025-11-25 only. */
  as(token: string | undefined, era: Era): Promise<Door['request']>
}

export interface PostOptions {
  token?: string | undefined
  timeoutMs?: number
  headers?: Record<string, string>
}

const startMs = 20_000

/** Starts `speech-mcp http` on a free port. Throws if it does not say its address. */
export async function openHttp(options: ProgramOptions, era: Era, token?: string): Promise<HttpDoor> {
  const env = { ...options.env, SPEECH_HTTP_PORT: '0' }
  const program = startProgram({ ...options, args: ['http'], env })
  const { child } = program
  child.stdout!.resume()
  const failed = () => new Error(`The server did not start: ${program.stderr().slice(-500)}`)
  const url = await Promise.race([program.firstUrl, program.whenEnded.then(() => undefined)])
  if (url === undefined) throw failed()
  const agent = new Agent({ connections: 1000, pipelining: 1 })

  async function post(
    body: string,
    { token, timeoutMs = startMs, headers }: PostOptions = {},
  ): Promise<Reply & { sessionId?: string }> {
    try {
      const response = await httpRequest(url!, {
        method: 'POST',
        body,
        dispatcher: agent,
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...headers,
        },
      })
      const text = await response.body.text()
      const sessionId = response.headers['mcp-session-id']
      return {
        ...responseIn(text),
        status: response.statusCode,
        ...(sessionId !== undefined && { sessionId: String(sessionId) }),
      }
    } catch (error) {
      if (program.ended() !== undefined) return { lost: 'gone' }
      return { lost: error instanceof Error && error.name === 'TimeoutError' ? 'late' : 'broken' }
    }
  }

  async function as(token: string | undefined, era: Era): Promise<Door['request']> {
    let lastId = 0
    const bodyOf = (method: string, params: unknown) =>
      JSON.stringify({ jsonrpc: '2.0', id: ++lastId, method, params })
    let session: Record<string, string> = {}
    if (era === '2025-11-25') {
      const greeting = { protocolVersion: era, capabilities: {}, clientInfo }
      const { sessionId } = await post(bodyOf('initialize', greeting), { token })
      if (sessionId === undefined) throw failed()
      session = { 'mcp-session-id': sessionId, 'mcp-protocol-version': era }
    }
    return (method, params, timeoutMs) => {
      const headers = era === '2025-11-25' ? session : modernHeaders(method, params)
      return post(bodyOf(method, paramsOf(era, params)), { token, timeoutMs, headers })
    }
  }

  return {
    name: `http ${era}`,
    pid: program.pid,
    url,
    post,
    as,
    request: await as(token, era),
    ended: program.ended,
    facts: () => factsOf(program.pid),
    faults: () => [],
    async close() {
      await agent.destroy()
      return program.end(() => void child.kill('SIGTERM'))
    },
    kill: program.kill,
  }
}

/** Since 2026-07-28 headers repeat the method and the name, where a header can hold it. */
function modernHeaders(method: string, params: Record<string, unknown>): Record<string, string> {
  const name = params.name ?? params.uri
  return {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': encodeHeader(method),
    ...(name !== undefined && {
      'mcp-name': encodeHeader(typeof name === 'string' ? name : JSON.stringify(name)),
    }),
  }
}

function encodeHeader(value: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)) return value
  return `=?base64?${Buffer.from(value).toString('base64')}?=`
}

/** The response in a JSON body, or the last one in an event stream. */
function responseIn(text: string): Reply {
  const candidates = [
    text,
    ...text.split('\n').flatMap(line => (line.startsWith('data:') ? line.slice(5) : [])),
  ]
  for (const candidate of candidates.reverse())
    try {
      const message = JSON.parse(candidate)
      if (message.result !== undefined || message.error !== undefined) return message
    } catch {
      // A comment, or an event that holds no response.
    }
  return {}
}
