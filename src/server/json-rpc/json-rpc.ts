// JSON-RPC around the SDK: reads the bytes of a message, and writes the errors of messages that never reach a server.
import { ProtocolErrorCode, type RequestId } from '@modelcontextprotocol/server'
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
