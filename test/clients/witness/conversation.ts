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

export interface Findings {
  messages: number
  /** Tool calls with a result that is no error. */
  answeredCalls: number
  /** Errors of the protocol, one a sentence. */
  problems: string[]
}

export interface Conversation {
  /** Takes a message as it was sent; returns what it is. */
  hear(by: Side, text: string): Kind
}

export type Kind = 'request' | 'notification' | 'answer' | 'broken'

type Id = string | number

interface Message {
  id?: Id
  method?: string
  params?: { _meta?: { progressToken?: Id }; progressToken?: Id; requestId?: Id; name?: unknown } & Record<
    string,
    unknown
  >
  result?: { isError?: boolean }
  error?: { code: number; message: string }
}

interface Asked extends Pick<Message, 'method' | 'params'> {
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
const methodNotFound = -32_601
const shown = (text: string) => text.slice(0, 200)

export const noFindings = (): Findings => ({ messages: 0, answeredCalls: 0, problems: [] })

export function createConversation(findings: Findings): Conversation {
  const open: Record<Side, Map<Id, Asked>> = { client: new Map(), server: new Map() }
  const problem = (by: Side, what: string) => void findings.problems.push(`The ${by} sent ${what}`)

  function hear(by: Side, text: string): Kind {
    findings.messages++
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      problem(by, `what is no JSON: ${shown(text)}`)
      return 'broken'
    }
    if (!JSONRPCMessageSchema.safeParse(json).success) {
      problem(by, `no message of JSON-RPC: ${shown(text)}`)
      return 'broken'
    }
    const message = json as Message
    if (message.method === undefined) {
      answer(by, message, text)
      return 'answer'
    }
    if (message.id === undefined) {
      notify(by, message, text)
      return 'notification'
    }
    if (open[by].has(message.id)) problem(by, `a second request with the id of an open one: ${shown(text)}`)
    open[by].set(message.id, message)
    return 'request'
  }

  function notify(by: Side, { method, params = {} }: Message, text: string): void {
    const { requestId, progressToken } = params
    if (method === 'notifications/cancelled' && requestId !== undefined) {
      const asked = open[by].get(requestId)
      if (asked) asked.isCancelled = true
    }
    if (method !== 'notifications/progress') return
    const asked = [...open[other(by)].values()]
    if (!asked.some(one => one.params?._meta?.progressToken === progressToken))
      problem(by, `progress of no open request: ${shown(text)}`)
  }

  function answer(by: Side, { id, result, error }: Message, text: string): void {
    const asked = id === undefined ? undefined : open[other(by)].get(id)
    if (!asked) {
      problem(by, `an answer to no open request: ${shown(text)}`)
      return
    }
    open[other(by)].delete(id!)
    const { method = '', isCancelled } = asked
    if (error) {
      if (!isCancelled && !isWrongOnPurpose(asked) && error.code !== methodNotFound)
        problem(by, `an error to ${method}: ${shown(text)}`)
      return
    }
    const schema = Object.hasOwn(results, method) ? results[method as keyof typeof results] : undefined
    const parsed = schema?.safeParse(result)
    if (parsed?.success === false) problem(by, `a wrong result of ${method}: ${parsed.error.message}`)
    if (by === 'server' && method === 'tools/call' && !result?.isError) findings.answeredCalls++
  }

  return { hear }
}

const other = (side: Side): Side => (side === 'client' ? 'server' : 'client')

/** Calls of the scenario about errors. */
function isWrongOnPurpose({ method, params = {} }: Asked): boolean {
  if (method !== 'tools/call') return false
  const { audio } = (params.arguments ?? {}) as { audio?: unknown }
  return params.name === 'no_such_tool' || (typeof audio === 'object' && !Array.isArray(audio))
}
