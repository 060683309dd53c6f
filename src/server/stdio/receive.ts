// Receives messages over stdio: each line is delivered, or answered with the error that JSON-RPC asks for.
import { type JSONRPCMessage, ProtocolErrorCode, type RequestId } from '@modelcontextprotocol/server'
import {
  type ErrorMessage,
  errorMessage,
  idOf,
  notJson,
  parseJson,
  parseMessage,
  tooLarge,
} from '../json-rpc/json-rpc.ts'
import { type Line, readLines } from './lines.ts'

/** Larger than any argument that a tool accepts, so that mostly the tool itself says what is too large. */
export const maxLineBytes = 10_000_000

export interface Receiver {
  /** Resolves once the next message may be read. */
  deliver(message: JSONRPCMessage): Promise<void>
  /** Resolves once the error is written: a client that does not read its errors is not read either. */
  answer(error: ErrorMessage): Promise<void>
}

/** Resolves when the stream ends, and rejects if it breaks. */
export async function receive(input: AsyncIterable<Buffer>, { deliver, answer }: Receiver): Promise<void> {
  for await (const line of readLines(input, maxLineBytes)) {
    const { message, error } = readMessage(line)
    if (message) await deliver(message)
    if (error) await answer(error)
  }
}

/** Neither a message nor an error: the line is blank, or a response that JSON-RPC forbids to answer. */
function readMessage(line: Line): { message?: JSONRPCMessage; error?: ErrorMessage } {
  if (!('bytes' in line)) return { error: errorMessage(...tooLarge(maxLineBytes), idInEnds(line)) }
  if (line.bytes.every(byte => byte <= 0x20 && byte > 0)) return {}
  const parsed = parseJson(line.bytes)
  if (parsed === undefined) return { error: errorMessage(...notJson) }
  if (Array.isArray(parsed)) return { error: errorMessage(...batch) }
  const read = parseMessage(parsed)
  const { method, result, error } = Object(parsed) as Record<string, unknown>
  const isResponse = method === undefined && (result ?? error) !== undefined
  return read.error && isResponse ? {} : read
}

const batch = [
  ProtocolErrorCode.InvalidRequest,
  'Invalid Request: batches are not supported, send each message as a line.',
] as const

const id = String.raw`"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)\s*`
const field = String.raw`"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*`
const idFirst = new RegExp(String.raw`^\s*\{\s*(?:${field},\s*)*${id}[,}]`)
const idLast = new RegExp(String.raw`,\s*${id}(?:,\s*${field})*\}\s*$`)

/** The id of a request that was dropped; null if it is at neither end. Clients differ: the SDK's write it last. */
function idInEnds({ head, tail }: { head: Buffer; tail: Buffer }): RequestId | null {
  const found = idFirst.exec(head.toString())?.[1] ?? idLast.exec(tail.toString())?.[1]
  return found === undefined ? null : idOf({ id: parseJson(Buffer.from(found)) })
}
