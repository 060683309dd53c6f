// The suite's tools that ask a client of 2026 by their result: the client calls again with the answers.
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  createRequestStateCodec,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { text } from './content.ts'

/** Signs the state that a client carries from one round to the next. */
export const state = createRequestStateCodec<{ round: number }>({
  key: crypto.getRandomValues(new Uint8Array(32)),
})

export type Requests = NonNullable<InputRequiredResult['inputRequests']>

export const form = (message: string, field: string, isFlag = false) =>
  inputRequired.elicit({
    message,
    requestedSchema: {
      type: 'object',
      properties: { [field]: isFlag ? { type: 'boolean' } : { type: 'string' } },
      required: [field],
    },
  })

const sampling = (prompt: string, maxTokens: number) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: text(prompt) }], maxTokens })

export function registerRounds(server: McpServer): void {
  asking(server, 'test_input_required_result_elicitation', {
    user_name: form('What is your name?', 'name'),
  })
  asking(server, 'test_streaming_elicitation', { user_name: form('What is your name?', 'name') })
  asking(server, 'test_input_required_result_sampling', {
    capital_question: sampling('What is the capital of France?', 100),
  })
  asking(server, 'test_missing_capability', { answer: sampling('Are you there?', 10) })
  asking(server, 'test_input_required_result_list_roots', { client_roots: inputRequired.listRoots() })

  const confirm = { confirm: form('Please confirm', 'ok', true) }
  withState(server, 'test_input_required_result_request_state', [confirm])
  withState(server, 'test_input_required_result_tampered_state', [confirm])
  withState(server, 'test_input_required_result_multiple_inputs', [
    {
      user_name: form('What is your name?', 'name'),
      greeting: sampling('Generate a greeting', 50),
      client_roots: inputRequired.listRoots(),
    },
  ])
  withState(server, 'test_input_required_result_multi_round', [
    { step1: form('Step 1: What is your name?', 'name') },
    { step2: form('Step 2: What is your favorite color?', 'color') },
  ])

  server.registerTool(
    'test_input_required_result_capabilities',
    { description: 'Asks as it may' },
    context => {
      const able = capabilitiesOf(context)
      const requests = {
        ...(able.elicitation && { user_name: form('What is your name?', 'name') }),
        ...(able.sampling && { greeting: sampling('Generate a greeting', 50) }),
      }
      return isAnswered(context, requests)
        ? { content: [text('Thank you.')] }
        : inputRequired({ inputRequests: requests })
    },
  )
}

/** Asks until each question has an answer of its kind. */
function asking(server: McpServer, name: string, inputRequests: Requests): void {
  server.registerTool(name, { description: 'Asks, and repeats the answers' }, context =>
    isAnswered(context, inputRequests)
      ? { content: [text(`Hello, ${described(context)}!`)] }
      : inputRequired({ inputRequests }),
  )
}

/** Asks in rounds; the state says which of them was answered. */
function withState(server: McpServer, name: string, rounds: Requests[]): void {
  server.registerTool(name, { description: 'Asks in rounds, with a signed state' }, async context => {
    const asked = context.mcpReq.requestState<{ round: number }>()?.round ?? 0
    const isDone = asked > 0 && isAnswered(context, rounds[asked - 1]!)
    if (isDone && asked === rounds.length) return { content: [text(`state-ok: ${described(context)}`)] }
    const round = isDone ? asked + 1 : Math.max(1, asked)
    return inputRequired({ inputRequests: rounds[round - 1]!, requestState: await state.mint({ round }) })
  })
}

export function isAnswered({ mcpReq }: ServerContext, requests: Requests): boolean {
  return Object.keys(requests).every(key => {
    const answer = inputResponse(mcpReq.inputResponses, key)
    return answer.kind === 'elicit' ? answer.action === 'accept' : answer.kind !== 'missing'
  })
}

export function capabilitiesOf({ mcpReq }: ServerContext): ClientCapabilities {
  const envelope: Record<string, unknown> = mcpReq.envelope ?? {}
  return (envelope[CLIENT_CAPABILITIES_META_KEY] ?? {}) as ClientCapabilities
}

function described({ mcpReq }: ServerContext): string {
  const { name } = acceptedContent<{ name?: string }>(mcpReq.inputResponses, 'user_name') ?? {}
  return name ?? JSON.stringify(mcpReq.inputResponses)
}
