// A home page without a browser: the cookie of a session, and requests as the page sends them.

export interface HomeVisitor {
  /** `name=value`, as a browser sends it back. */
  cookie: string
  ask(path: string, options?: HomeRequest): Promise<HomeAnswer>
  /** The result of a tool, called at /mcp as the page does. */
  call(tool: string, given: object, headers?: Record<string, string>): Promise<HomeAnswer>
}

export interface HomeRequest {
  method?: string
  body?: unknown
  headers?: Record<string, string>
}

export interface HomeAnswer {
  status: number
  headers: Headers
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
  json: any
}

/** `origin`: address of the server, without a path. */
export function visit(origin: string, cookie = ''): HomeVisitor {
  async function ask(path: string, { method, body, headers }: HomeRequest = {}): Promise<HomeAnswer> {
    const response = await fetch(new URL(path, origin), {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      redirect: 'manual',
      headers: {
        'x-speech-page': '1',
        ...(cookie && { cookie }),
        ...(body !== undefined && { origin, 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const json = /^(?:data: )?(\{.*)$/m.exec(text)?.[1]
    return { status: response.status, headers: response.headers, text, json: json && JSON.parse(json) }
  }
  return {
    cookie,
    ask,
    async call(tool, given, headers = {}) {
      const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: given } }
      const accept = 'application/json, text/event-stream'
      const answer = await ask('/mcp', { body, headers: { accept, ...headers } })
      return { ...answer, json: answer.json?.result ?? answer.json }
    },
  }
}

/** Signs in with a token. */
export async function signIn(origin: string, token: string): Promise<HomeVisitor> {
  const { status, headers, text } = await visit(origin).ask('/home/sign-in', { body: { token } })
  if (status !== 200) throw new Error(`${status} ${text}`)
  return visit(origin, headers.get('set-cookie')!.split(';')[0])
}
