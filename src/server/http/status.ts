// The one error of a call that has an HTTP status of its own: the client lacks a capability that the call needs.
import { AsyncLocalStorage } from 'node:async_hooks'
import { ProtocolErrorCode } from '@modelcontextprotocol/server'
import { parseJson } from '../json-rpc/json-rpc.ts'

const calls = new AsyncLocalStorage<() => void>()

/** Settles the status of the response to the request under way, for a call that cannot end with that error. */
export function callBegan(): () => void {
  return calls.getStore() ?? (() => {})
}

/**
 * The same response, as soon as it has an event or its call has begun; where the first event is that error, a plain
 * response with status 400, as the protocol demands.
 */
export async function withOwnStatus(respond: () => Promise<Response>): Promise<Response> {
  let begin = () => {}
  const begun = new Promise<undefined>(resolve => {
    begin = () => resolve(undefined)
  })
  const response = await calls.run(begin, respond)
  const { body, status, headers } = response
  if (body === null || headers.get('content-type') !== 'text/event-stream') return response
  const reader = body.getReader()
  let next: ReturnType<typeof reader.read> | undefined = reader.read()
  const first = await Promise.race([next.catch(() => undefined), begun])
  const error = missingCapability(first?.value)
  if (error !== undefined) {
    await reader.cancel().catch(() => {})
    return Response.json(error, { status: 400 })
  }
  const rest = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await (next ?? reader.read())
        next = undefined
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: reason => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
  return new Response(rest, { status, headers })
}

function missingCapability(event: Uint8Array | undefined): unknown {
  const json = event && /^data: (.+)$/m.exec(Buffer.from(event).toString())?.[1]
  const message =
    json === undefined ? undefined : (parseJson(Buffer.from(json)) as { error?: { code?: unknown } })
  return message?.error?.code === ProtocolErrorCode.MissingRequiredClientCapability ? message : undefined
}
