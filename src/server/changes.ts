// Sends change notifications to a connected client: for the transcripts it subscribed to, and for the list of transcripts.
import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
} from '@modelcontextprotocol/server'
import type { Jobs } from '../jobs/jobs.ts'
import type { Connection } from './connection.ts'
import { readTranscript } from './resources.ts'
import { throttled } from './throttled.ts'
import { transcriptIdOf, transcriptUris } from './uris.ts'

export const maxSubscriptions = 100
/** Minimum interval between two notifications for one URI. */
export const notificationIntervalMs = 1_000
/** Key of the list in the throttle, beside the URIs. */
export const listKey = 'list'

/** Subscribes to the jobs once the client is initialized, until it disconnects. */
export function pushChanges(mcpServer: McpServer, jobs: Jobs, { owner, era }: Connection): void {
  const { server } = mcpServer
  const notifications = throttled(key => {
    const sent = key === listKey ? server.sendResourceListChanged() : server.sendResourceUpdated({ uri: key })
    // Sending fails if the client has disconnected.
    sent.catch(() => {})
  }, notificationIntervalMs)
  let unsubscribe: (() => void) | undefined
  const subscriptions = trackSubscribed(mcpServer, jobs, { owner, era, onSubscribe: start })

  function start(): void {
    unsubscribe ??= jobs.subscribe(change => {
      if (change.owner !== owner) return
      if (change.listChanged) notifications.call(listKey)
      for (const uri of transcriptUris(change.id)) if (subscriptions.has(uri)) notifications.call(uri)
    })
  }

  server.onclose = () => {
    unsubscribe?.()
    notifications.stop()
    subscriptions.close()
  }
  // A modern server is created on the client's first message, and closed if it is discarded.
  if (era === 'modern') start()
  else server.oninitialized = start
}

interface Subscriptions {
  has(uri: string): boolean
  close(): void
}

/** For modern clients the SDK's transport keeps the subscriptions and filters the notifications. */
function trackSubscribed(
  { server }: McpServer,
  jobs: Jobs,
  { owner, era, onSubscribe }: Pick<Connection, 'owner' | 'era'> & { onSubscribe(): void },
): Subscriptions {
  if (era === 'modern') return { has: () => true, close: () => {} }
  /** For each URI, the function that stops watching its transcript. */
  const unwatch = new Map<string, () => void>()
  const drop = (uri: string) => {
    unwatch.get(uri)?.()
    unwatch.delete(uri)
  }
  server.setRequestHandler('resources/subscribe', async ({ params: { uri } }) => {
    onSubscribe()
    const id = transcriptIdOf(uri)
    if (id === undefined) throw new ResourceNotFoundError(uri)
    if (unwatch.has(uri)) return {}
    if (unwatch.size >= maxSubscriptions)
      throw new ProtocolError(
        ProtocolErrorCode.InvalidParams,
        `A connection may have ${maxSubscriptions} subscriptions. Unsubscribe from resources that are no longer needed.`,
      )
    // Registered before the check, so that a concurrent unsubscribe finds the subscription.
    unwatch.set(uri, jobs.follow(owner, id))
    await readTranscript(jobs, owner, uri).catch(error => {
      drop(uri)
      throw error
    })
    return {}
  })
  server.setRequestHandler('resources/unsubscribe', async ({ params: { uri } }) => {
    drop(uri)
    return {}
  })
  return {
    has: uri => unwatch.has(uri),
    close() {
      for (const uri of [...unwatch.keys()]) drop(uri)
    },
  }
}
