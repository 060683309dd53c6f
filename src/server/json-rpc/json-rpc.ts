// JSON-RPC around the SDK: reads the bytes of a message, and writes the errors of messages that never reach a server.
import {
  type JSONRPCMessage,
  ProtocolErrorCode,
  parseJSONRPCMessage,
  type RequestId,
} from '@modelcontextprotocol/server'
import * as z from 'zod/v4'
import { describeError, SpeechError } from '../../domain/errors.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Undefined if the bytes are not JSON in UTF-8. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    return undefined
  }
}

/** The id of a request in any value; null if it has none that JSON-RPC allows. */
export function idOf(message: unknown): RequestId | null {
  const id = (message as { id?: unknown } | null)?.id
  return typeof id === 'string' || Number.isSafeInteger(id) ? (id as RequestId) : null
}

export interface ErrorMessage {
  jsonrpc: '2.0'
  id: RequestId | null
  error: { code: number; message: string }
}

export function errorMessage(code: number, message: string, id: RequestId | null = null): ErrorMessage {
  return { jsonrpc: '2.0', id, error: { code, message } }
}

const textOrNumber = (field: string) =>
  z.union([z.string(), z.int()], `${field} has to be text or a whole number`).optional()
const meta = z.looseObject(
  { progressToken: textOrNumber('params._meta.progressToken') },
  'params._meta has to be an object',
)
/** A sentence for each part, because the SDK's schema says only that a message does not fit. */
const request = z.strictObject(
  {
    jsonrpc: z.literal('2.0', 'jsonrpc has to be "2.0"'),
    id: textOrNumber('id'),
    method: z.string('method has to be text'),
    params: z.looseObject({ _meta: meta.optional() }, 'params has to be an object').optional(),
  },
  {
    error: ({ code }) =>
      code === 'unrecognized_keys'
        ? 'a request has only jsonrpc, id, method and params'
        : 'a message has to be an object',
  },
)

/** The message that a value is, or else the error that says what is wrong with it. */
export function parseMessage(value: unknown): { message?: JSONRPCMessage; error?: ErrorMessage } {
  try {
    return { message: parseJSONRPCMessage(value) }
  } catch {
    const [issue] = request.safeParse(value).error?.issues ?? []
    const [code, kind] =
      issue?.path[0] === 'params'
        ? [ProtocolErrorCode.InvalidParams, 'Invalid params']
        : [ProtocolErrorCode.InvalidRequest, 'Invalid Request']
    return { error: errorMessage(code, `${kind}${issue ? `: ${issue.message}` : ''}.`, idOf(value)) }
  }
}

export const notJson = [
  ProtocolErrorCode.ParseError,
  'Parse error: the message is not JSON in UTF-8.',
] as const

/** Code and text for a message over the limit. */
export function tooLarge(maxBytes: number): readonly [code: number, message: string] {
  const error = new SpeechError('TOO_LARGE', `The message has more than ${maxBytes / 1_000_000} MB.`, {
    hint: 'Pass a recording as a path or an https:// URL instead of a data: URI, and a long text in parts.',
  })
  return [ProtocolErrorCode.InvalidRequest, describeError(error)]
}
