// HTTP without sessions: a server for each request, and for each owner the changes of what is theirs.
import {
  createMcpHandler,
  type LegacyHttpHandler,
  legacyStatelessFallback,
  type McpHttpHandler,
} from '@modelcontextprotocol/server'
import type { Change } from '../../jobs/jobs.ts'
import { log } from '../../log.ts'
import { mostSubscriptions, shortestGap } from '../changes.ts'
import type { ServerOptions } from '../connection.ts'
import { createServer } from '../server.ts'
import { type Paced, paced } from '../throttled.ts'
import { transcriptIdOf, transcriptUris } from '../uris.ts'
import type { HttpLimits } from './limits.ts'
import { listenedUris } from './messages.ts'

/** Stands for the list among the addresses. */
const list = 'list'

interface Desk {
  /** Protocol 2026-07-28. */
  modern: McpHttpHandler
  /** Clients of 2025 that open no session. */
  legacy: LegacyHttpHandler
  told: Paced
}

export interface Desks {
  /** Each owner has a desk of their own, so that nobody hears of another's changes. */
  of(owner: string): Desk
  /** Watches what a `subscriptions/listen` names, also where another process changes it. The answer ends it. */
  follow(owner: string, body: unknown): () => void
  close(): Promise<void>
}

export function openDesks(options: ServerOptions, limits: HttpLimits): Desks {
  const desks = new Map<string, Desk>()
  const unsubscribe = options.jobs.subscribe(change => announce(desks.get(change.owner), change))
  return {
    of(owner) {
      const desk = desks.get(owner) ?? openDesk(options, owner, limits)
      desks.set(owner, desk)
      return desk
    },
    follow(owner, body) {
      const ids = listenedUris(body).flatMap(uri => transcriptIdOf(uri) ?? [])
      const few = [...new Set(ids)].slice(0, mostSubscriptions)
      const ends = few.map(id => options.jobs.follow(owner, id))
      return () => {
        for (const end of ends) end()
      }
    },
    async close() {
      unsubscribe()
      for (const { told } of desks.values()) told.stop()
      await Promise.allSettled([...desks.values()].map(({ modern }) => modern.close()))
    },
  }
}

function openDesk(options: ServerOptions, owner: string, limits: HttpLimits): Desk {
  const maxRequestBodySize = limits.bodyBytes
  const onerror = (error: Error) => log.info('protocol', { error: error.name })
  const modern = createMcpHandler(
    () => createServer(options, { owner, era: 'modern', push: false, closingCancels: true }),
    {
      legacy: 'reject',
      // Only a stream is kept alive while a call waits in silence; a plain answer might be cut off by a proxy.
      responseMode: 'sse',
      maxSubscriptions: limits.subscriptionsPerOwner,
      maxRequestBodySize,
      onerror,
    },
  )
  const legacy = legacyStatelessFallback(
    () => createServer(options, { owner, era: 'legacy', push: false, closingCancels: false }),
    onerror,
    { maxRequestBodySize },
  )
  const told = paced(uri => {
    if (uri === list) modern.notify.resourcesChanged()
    else modern.notify.resourceUpdated(uri)
  }, shortestGap)
  return { modern, legacy, told }
}

function announce(desk: Desk | undefined, { id, listChanged }: Change): void {
  if (listChanged) desk?.told.call(list)
  for (const uri of transcriptUris(id)) desk?.told.call(uri)
}
