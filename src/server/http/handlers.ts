// MCP over HTTP without sessions: one server per request, and change notifications per owner.
import {
  createMcpHandler,
  type LegacyHttpHandler,
  legacyStatelessFallback,
  type McpHttpHandler,
  type McpServer,
} from '@modelcontextprotocol/server'
import type { Change, Jobs } from '../../jobs/jobs.ts'
import { log } from '../../log.ts'
import { listKey, maxSubscriptions, notificationIntervalMs } from '../changes.ts'
import type { Connection } from '../connection.ts'
import { type Throttled, throttled } from '../throttled.ts'
import { transcriptIdOf, transcriptUris } from '../uris.ts'
import type { HttpLimits } from './limits.ts'
import { listenedUris } from './messages.ts'
import { callBegan } from './status.ts'

type ServerOf = (connection: Connection) => McpServer

interface OwnerHandlers {
  /** Clients of protocol 2026-07-28. */
  modern: McpHttpHandler
  /** Clients of 2025 without a session. */
  legacy: LegacyHttpHandler
  notifications: Throttled
}

export function createHandlers(jobs: Jobs, serverOf: ServerOf, limits: HttpLimits) {
  const byOwner = new Map<string, OwnerHandlers>()
  const unsubscribe = jobs.subscribe(change => notify(byOwner.get(change.owner), change))
  return {
    /** Handlers are separate per owner, so that owners do not receive each other's notifications. */
    of(owner: string): OwnerHandlers {
      const handlers = byOwner.get(owner) ?? createOwnerHandlers(serverOf, owner, limits)
      byOwner.set(owner, handlers)
      return handlers
    },
    /** Watches the transcripts of a listen request, including changes by other processes. Returns a function that stops. */
    watch(owner: string, body: unknown): () => void {
      const ids = listenedUris(body).flatMap(uri => transcriptIdOf(uri) ?? [])
      const accepted = [...new Set(ids)].slice(0, maxSubscriptions)
      const watches = accepted.map(id => jobs.follow(owner, id))
      return () => {
        for (const stop of watches) stop()
      }
    },
    async close(): Promise<void> {
      unsubscribe()
      for (const { notifications } of byOwner.values()) notifications.stop()
      await Promise.allSettled([...byOwner.values()].map(({ modern }) => modern.close()))
    },
  }
}

function createOwnerHandlers(serverOf: ServerOf, owner: string, limits: HttpLimits): OwnerHandlers {
  const maxRequestBodySize = limits.maxBodyBytes
  const onerror = (error: Error) => log.info('protocol-error', { error: error.name })
  const modern = createMcpHandler(
    () => serverOf({ owner, era: 'modern', push: false, closingCancels: true, onCallBegins: callBegan() }),
    {
      legacy: 'reject',
      // A stream is kept alive during a long call; a proxy may time out a plain response.
      responseMode: 'sse',
      maxSubscriptions: limits.maxSubscriptionsPerOwner,
      maxRequestBodySize,
      onerror,
    },
  )
  const legacy = legacyStatelessFallback(
    () => serverOf({ owner, era: 'legacy', push: false, closingCancels: false }),
    onerror,
    { maxRequestBodySize },
  )
  const notifications = throttled(key => {
    if (key === listKey) modern.notify.resourcesChanged()
    else modern.notify.resourceUpdated(key)
  }, notificationIntervalMs)
  return { modern, legacy, notifications }
}

function notify(handlers: OwnerHandlers | undefined, { id, listChanged }: Change): void {
  if (listChanged) handlers?.notifications.call(listKey)
  for (const uri of transcriptUris(id)) handlers?.notifications.call(uri)
}
