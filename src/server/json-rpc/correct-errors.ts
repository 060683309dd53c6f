// Corrects the errors of the SDK: the code that the client's protocol asks for, and a text without the SDK's inner life.
import {
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  type JSONRPCErrorResponse,
  type JSONRPCMessage,
  type McpServer,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'
import * as z from 'zod/v4'
import { describeError, SpeechError } from '../../domain/errors.ts'
import { asLine } from '../../domain/text.ts'
import { log } from '../../log.ts'
import type { Connection } from '../connection.ts'
import { messageAsMeant } from './as-meant.ts'
import { errorMessage, idOf, parseJson } from './json-rpc.ts'

/** Lists that the server gives as one page. The SDK ignores cursors for them, where the protocol asks for an error. */
const unpaged = ['tools/list', 'prompts/list', 'resources/templates/list']
/** The code of an unknown resource up to 2025-11-25; the SDK always sends that of later versions. */
const resourceNotFound = -32_002

/** The SDK's text for names such as `constructor`, which every object has. No tool or prompt is ever disabled. */
const disabled = /^((?:Tool|Prompt) [\s\S]*) disabled$/

const maxMessageChars = 1_000

/** Takes effect when the server connects. */
export function correctErrors(server: McpServer, { era }: Connection): void {
  const connect = server.connect.bind(server)
  server.connect = async transport => {
    const send = transport.send.bind(transport)
    transport.send = (message, options) =>
      send(isJSONRPCErrorResponse(message) ? asLines(corrected(message, era)) : message, options)
    await connect(transport)
    const { onmessage } = transport
    transport.onmessage = (given, extra) => {
      const message = messageAsMeant(given)
      if (!hasForeignCursor(message)) return onmessage?.(message, extra)
      const error = new SpeechError('BAD_INPUT', 'The cursor is not from an earlier page.', {
        hint: 'Start again without a cursor.',
      })
      const refusal = errorMessage(ProtocolErrorCode.InvalidParams, describeError(error), idOf(message))
      transport.send(refusal as JSONRPCMessage).catch(() => {})
    }
  }
}

/** Some clients send an empty cursor for the first page. */
function hasForeignCursor(message: JSONRPCMessage): boolean {
  if (!isJSONRPCRequest(message) || !unpaged.includes(message.method)) return false
  const cursor = message.params?.cursor
  return typeof cursor === 'string' && cursor !== ''
}

/** The SDK repeats names and URIs of the request as they are. */
function asLines({ error, ...response }: JSONRPCErrorResponse): JSONRPCErrorResponse {
  return { ...response, error: { ...error, message: asLine(error.message).slice(0, maxMessageChars) } }
}

function corrected(response: JSONRPCErrorResponse, era: Connection['era']): JSONRPCErrorResponse {
  const error = { ...response.error, message: response.error.message.replace(disabled, '$1 not found') }
  const misfit = describeMisfit(error.message)
  if (misfit) return { ...response, error: { code: ProtocolErrorCode.InvalidParams, message: misfit } }
  if (error.code === ProtocolErrorCode.InternalError && !/^[A-Z_]+: /.test(error.message)) {
    log.error('request-failed', { code: error.code })
    return { ...response, error: { code: error.code, message: describeError(undefined) } }
  }
  return era === 'legacy' && error.message.startsWith('Resource not found:')
    ? { ...response, error: { ...error, code: resourceNotFound } }
    : { ...response, error }
}

const issues = z.array(
  z.looseObject({ path: z.array(z.union([z.string(), z.number()])), message: z.string() }),
)

/** The SDK reports params of a wrong type as an internal error, with the issues of its schema as text. */
function describeMisfit(message: string): string | undefined {
  const dump = /^(?:Invalid tools\/call request: )?(\[\s*\{[\s\S]*\])$/.exec(message)?.[1]
  if (dump === undefined) return undefined
  const found = issues.safeParse(parseJson(Buffer.from(dump)))
  if (!found.success) return undefined
  const places = found.data.map(({ path, message }) => `${path.slice(1).join('.') || 'params'}: ${message}`)
  return `Invalid params: ${places.slice(0, 5).join('; ')}`
}
