// Judges what a client and a server say to each other, by JSON-RPC and by the result types of the official SDK.
import {
  CallToolResultSchema,
  InitializeResultSchema,
  JSONRPCMessageSchema,
  ListPromptsResultSchema,
  ListResourcesResultSchema,
  ListResourceTemplatesResultSchema,
  ListToolsResultSchema,
  ReadResourceResultSchema,
} from '@modelcontextprotocol/sdk/types.js'

export type Side = 'client' | 'server'
export type Id = string | number
export type Kind = 'request' | 'notification' | 'answer' | 'broken'

export interface Findings {
  messages: number
  /** Tool calls with a result that is no error. */
  answeredCalls: number
  /** Methods of requests without an answer, as the run killed the server meanwhile. */
  cutOff: string[]
  /** Errors of the protocol, one a sentence. */
  problems: string[]
}

export interface Heard {
  kind: Kind
  id?: Id | undefined
}

export interface Conversation {
  /** Takes a message as it was sent; returns what it is. */
  hear(by: Side, text: string): Heard
  /** The client has given its request up without a message. */
  giveUp(id: Id): void
  /** The run has killed the server: this request has no answer; without an id, none that is open has. */
  cutOff(id?: Id): void
  /** True if a request of the client needs no answer any more. */
  isSettled(id: Id): boolean
  /** Finds the requests that were left open. */
  end(): void
}

interface Message {
  id?: Id
  method?: string
  params?: {
    _meta?: { progressToken?: Id }
    progressToken?: Id
    progress?: number
    requestId?: Id
    name?: unknown
  } & Record<string, unknown>
  result?: { isError?: boolean }
  error?: { code: number; message: string }
}

interface Asked {
  text: string
  method: string
  params: NonNullable<Message['params']>
  progress: number
  isCancelled?: boolean
}

const results = {
  initialize: InitializeResultSchema,
  'tools/list': ListToolsResultSchema,
  'tools/call': CallToolResultSchema,
  'resources/list': ListResourcesResultSchema,
  'resources/templates/list': ListResourceTemplatesResultSchema,
  'resources/read': ReadResourceResultSchema,
  'prompts/list': ListPromptsResultSchema,
}
const invalidParams = -32_602
/** Open as long as the client wants to hear of changes. */
const endless = 'subscriptions/listen'
const shown = (text: string) => text.slice(0, 200)

export const noFindings = (): Findings => ({ messages: 0, answeredCalls: 0, cutOff: [], problems: [] })

export function createConversation(findings: Findings): Conversation {
  const open: Record<Side, Map<Id, Asked>> = { client: new Map(), server: new Map() }
  const used: Record<Side, Set<Id>> = { client: new Set(), server: new Set() }
  const problem = (by: Side, what: string) => void findings.problems.push(`The ${by} ${what}`)

  function hear(by: Side, text: string): Heard {
    findings.messages++
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      problem(by, `sent what is no JSON: ${shown(text)}`)
      return { kind: 'broken' }
    }
    if (!JSONRPCMessageSchema.safeParse(json).success) {
      problem(by, `sent no message of JSON-RPC: ${shown(text)}`)
      return { kind: 'broken' }
    }
    const message = json as Message
    const { id, method } = message
    if (method === undefined) {
      answer(by, message, text)
      return { kind: 'answer', id }
    }
    if (id === undefined) {
      notify(by, message, text)
      return { kind: 'notification' }
    }
    ask(by, id, { text, method, params: message.params ?? {}, progress: Number.NEGATIVE_INFINITY })
    return { kind: 'request', id }
  }

  function ask(by: Side, id: Id, asked: Asked): void {
    const token = asked.params._meta?.progressToken
    if (open[by].has(id))
      problem(by, `sent a second request with the id of an open one: ${shown(asked.text)}`)
    else if (used[by].has(id))
      problem(by, `sent a request with the id of an earlier one: ${shown(asked.text)}`)
    if (token !== undefined && withToken(by, token))
      problem(by, `sent a request with the progress token of an open one: ${shown(asked.text)}`)
    used[by].add(id)
    open[by].set(id, asked)
  }

  const withToken = (by: Side, token: Id | undefined) =>
    [...open[by].values()].find(({ params }) => params._meta?.progressToken === token)

  function notify(by: Side, { method, params = {} }: Message, text: string): void {
    const { requestId, progressToken, progress } = params
    if (method === 'notifications/cancelled' && requestId !== undefined) {
      const asked = open[by].get(requestId)
      if (asked) asked.isCancelled = true
    }
    if (method !== 'notifications/progress') return
    const asked = progressToken === undefined ? undefined : withToken(other(by), progressToken)
    if (!asked) {
      problem(by, `sent progress of no open request: ${shown(text)}`)
      return
    }
    if (!(Number(progress) > asked.progress))
      problem(by, `sent progress that does not increase: ${shown(text)}`)
    asked.progress = Number(progress)
  }

  function answer(by: Side, { id, result, error }: Message, text: string): void {
    const asked = id === undefined ? undefined : open[other(by)].get(id)
    if (!asked) {
      problem(by, `sent an answer to no open request: ${shown(text)}`)
      return
    }
    open[other(by)].delete(id!)
    const { method, isCancelled } = asked
    if (error) {
      const isExpected = isCancelled || isOnPurpose(asked, error.code)
      if (!isExpected) problem(by, `sent an error to ${method}: ${shown(text)}`)
      return
    }
    const schema = Object.hasOwn(results, method) ? results[method as keyof typeof results] : undefined
    const parsed = schema?.safeParse(result)
    if (parsed?.success === false) problem(by, `sent a wrong result of ${method}: ${parsed.error.message}`)
    if (by === 'server' && method === 'tools/call' && !result?.isError) findings.answeredCalls++
  }

  return {
    hear,
    giveUp(id) {
      const asked = open.client.get(id)
      if (asked) asked.isCancelled = true
    },
    cutOff(id) {
      for (const [one, { method, isCancelled }] of open.client) {
        if (id !== undefined && one !== id) continue
        open.client.delete(one)
        if (!isCancelled && method !== endless) findings.cutOff.push(method)
      }
      if (id === undefined) open.server.clear()
    },
    isSettled: id => !open.client.has(id) || open.client.get(id)?.isCancelled === true,
    end() {
      for (const side of ['client', 'server'] as const) {
        for (const { text, method, isCancelled } of open[side].values())
          if (!isCancelled && method !== endless) problem(other(side), `left unanswered: ${shown(text)}`)
        open[side].clear()
      }
    },
  }
}

const other = (side: Side): Side => (side === 'client' ? 'server' : 'client')

/** The error that the calls of the scenario about errors ask for. No client of the matrix asks for a missing method. */
function isOnPurpose({ method, params }: Asked, code: number): boolean {
  if (code !== invalidParams || method !== 'tools/call') return false
  const { audio } = (params.arguments ?? {}) as { audio?: unknown }
  return params.name === 'no_such_tool' || (typeof audio === 'object' && !Array.isArray(audio))
}
