// Asks the user, through a client that can show a form, whether a batch may cost its price.
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  inputRequired,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import * as z from 'zod/v4'

export interface Question {
  message: string
  /** The price, in US dollars; absent where the user has to name an amount. */
  usd?: number
}

export interface Agreement {
  /** The price that the user has agreed to. */
  usd?: number
  /** True where the user was asked in this call, whatever the answer. */
  wasAsked: boolean
  /** True where the client can ask the user: then an argument of the model is no agreement. */
  canAsk: boolean
}

const key = 'price'
const form = z.object({ agreed_usd: z.number().min(0) })

export function agreementOf(server: McpServer, context: ServerContext): Agreement {
  const { inputResponses } = context.mcpReq
  const usd = acceptedContent(inputResponses, key, form)?.agreed_usd
  return { usd, wasAsked: inputResponses !== undefined, canAsk: canAsk(server, context) }
}

/** True for a client with forms. Clients of the later protocol say so with each request. */
function canAsk({ server }: McpServer, { mcpReq: { envelope } }: ServerContext): boolean {
  const declared = (envelope as Record<string, ClientCapabilities | undefined> | undefined)?.[
    CLIENT_CAPABILITIES_META_KEY
  ]
  const { elicitation } = declared ?? server.getClientCapabilities() ?? {}
  return elicitation !== undefined && ('form' in elicitation || !('url' in elicitation))
}

/** The client shows the form, and the call begins again with its answer. */
export function ask({ message, usd }: Question) {
  const price = inputRequired.elicit({
    message,
    requestedSchema: {
      type: 'object',
      properties: {
        agreed_usd: {
          type: 'number',
          title: 'Pay at most (US dollars)',
          minimum: 0,
          ...(usd !== undefined && { default: usd }),
        },
      },
      required: ['agreed_usd'],
    },
  })
  return inputRequired({ inputRequests: { [key]: price } })
}
