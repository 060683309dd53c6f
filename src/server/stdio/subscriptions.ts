// Tracks the subscriptions of a 2026 client over stdio by reading its messages: the SDK's serveStdio does not expose them.
import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import * as z from 'zod/v4'
import { maxSubscriptions } from '../changes.ts'
import { transcriptIdOf } from '../uris.ts'

const requestId = z.union([z.string(), z.number()])
const listen = z.object({
  method: z.literal('subscriptions/listen'),
  id: requestId,
  params: z.object({ notifications: z.object({ resourceSubscriptions: z.array(z.string()) }) }),
})
const cancel = z.object({ method: z.literal('notifications/cancelled'), params: z.object({ requestId }) })

/** Calls `watch` for each subscribed transcript id, and the function it returns when the subscription ends. */
export function trackSubscriptions(watch: (id: string) => () => void) {
  /** For each listen request, the functions that stop its watches. */
  const open = new Map<string | number, (() => void)[]>()
  let count = 0

  function end(id: string | number): void {
    const watches = open.get(id) ?? []
    for (const stop of watches) stop()
    count -= watches.length
    open.delete(id)
  }

  return {
    /** Reads a message from the client. */
    onMessage(message: JSONRPCMessage): void {
      const cancelled = cancel.safeParse(message)
      if (cancelled.success) end(cancelled.data.params.requestId)
      const started = listen.safeParse(message)
      if (!started.success || open.has(started.data.id)) return
      const { id, params } = started.data
      const ids = params.notifications.resourceSubscriptions.flatMap(uri => transcriptIdOf(uri) ?? [])
      const accepted = [...new Set(ids)].slice(0, maxSubscriptions - count)
      count += accepted.length
      open.set(id, accepted.map(watch))
    },
    close(): void {
      for (const id of [...open.keys()]) end(id)
    },
  }
}
