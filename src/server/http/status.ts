// The one error of a call that has an HTTP status of its own: the client lacks a capability that the call needs.
import { setTimeout as pause } from 'node:timers/promises'
import { ProtocolErrorCode } from '@modelcontextprotocol/server'
import { parseJson } from '../json-rpc/json-rpc.ts'

/** Tools find this error before they wait for anything; one that takes longer sends it with status 200. */
const firstEventMs = 25

/** The same response; where its first event is that error, a plain one with status 400, as the protocol demands. */
export async function withOwnStatus(response: Response): Promise<Response> {
  const { body, status, headers } = response
  if (body === null || headers.get('content-type') !== 'text/event-stream') return response
  const reader = body.getReader()
  let next: ReturnType<typeof reader.read> | undefined = reader.read()
  const decided = new AbortController()
  const late = pause(firstEventMs, undefined, { signal: decided.signal }).catch(() => undefined)
  const first = await Promise.race([next.catch(() => undefined), late])
  decided.abort()
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
