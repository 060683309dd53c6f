// Follows the transcripts that a 2026 client listens to over stdio, which serveStdio keeps to itself.
import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import * as z from 'zod/v4'
import { mostSubscriptions } from './changes.ts'
import { transcriptIdOf } from './uris.ts'

export interface Listens {
  /** Takes note of a message of the client. */
  hear(message: JSONRPCMessage): void
  end(): void
}

const requestId = z.union([z.string(), z.number()])
const listen = z.object({
  method: z.literal('subscriptions/listen'),
  id: requestId,
  params: z.object({ notifications: z.object({ resourceSubscriptions: z.array(z.string()) }) }),
})
const cancel = z.object({
  method: z.literal('notifications/cancelled'),
  params: z.object({ requestId }),
})

/** `follow` is called for the id of each transcript that is listened to, and its answer when that is over. */
export function followListens(follow: (id: string) => () => void): Listens {
  /** What ends the following, for each listening request. */
  const open = new Map<string | number, (() => void)[]>()
  let followed = 0

  function end(id: string | number): void {
    const ends = open.get(id) ?? []
    for (const stop of ends) stop()
    followed -= ends.length
    open.delete(id)
  }

  return {
    hear(message) {
      const over = cancel.safeParse(message)
      if (over.success) return end(over.data.params.requestId)
      const begun = listen.safeParse(message)
      if (!begun.success || open.has(begun.data.id)) return
      const ids = begun.data.params.notifications.resourceSubscriptions.flatMap(
        uri => transcriptIdOf(uri) ?? [],
      )
      const fresh = [...new Set(ids)].slice(0, mostSubscriptions - followed)
      followed += fresh.length
      open.set(begun.data.id, fresh.map(follow))
    },
    end() {
      for (const id of [...open.keys()]) end(id)
    },
  }
}
