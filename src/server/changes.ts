// Tells a client that stays connected what has changed: the transcripts it watches, and the list of them.
import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
} from '@modelcontextprotocol/server'
import type { Jobs } from '../jobs/jobs.ts'
import type { Connection } from './connection.ts'
import { readTranscript } from './resources.ts'
import { paced } from './throttled.ts'
import { transcriptIdOf, transcriptUris } from './uris.ts'

export const mostSubscriptions = 100
/** In milliseconds, for each address: chunks can land faster than anyone reads. */
export const shortestGap = 1_000
/** Stands for the list among the addresses. */
const list = 'list'

/** Listens to the jobs from the moment the client is known to stay, until it goes. */
export function pushChanges(server: McpServer, jobs: Jobs, { owner, era }: Connection): void {
  const { server: line } = server
  const told = paced(uri => {
    const sent = uri === list ? line.sendResourceListChanged() : line.sendResourceUpdated({ uri })
    // A client that has gone needs to know nothing.
    sent.catch(() => {})
  }, shortestGap)
  let unsubscribe: (() => void) | undefined
  const watched = subscriptions(server, jobs, { owner, era, onSubscribe: listen })

  function listen(): void {
    unsubscribe ??= jobs.subscribe(change => {
      if (change.owner !== owner) return
      if (change.listChanged) told.call(list)
      for (const uri of transcriptUris(change.id)) if (watched.has(uri)) told.call(uri)
    })
  }

  line.onclose = () => {
    unsubscribe?.()
    told.stop()
    watched.end()
  }
  // In the modern era this server is built for the client's first message, and a discarded one is closed.
  if (era === 'modern') listen()
  else line.oninitialized = listen
}

interface Watched {
  has(uri: string): boolean
  end(): void
}

/** In the modern era the door of the connection keeps the subscriptions, and lets only what fits them pass. */
function subscriptions(
  { server }: McpServer,
  jobs: Jobs,
  { owner, era, onSubscribe }: Pick<Connection, 'owner' | 'era'> & { onSubscribe(): void },
): Watched {
  if (era === 'modern') return { has: () => true, end: () => {} }
  /** What ends the following of each address. */
  const ends = new Map<string, () => void>()
  const drop = (uri: string) => {
    ends.get(uri)?.()
    ends.delete(uri)
  }
  server.setRequestHandler('resources/subscribe', async ({ params: { uri } }) => {
    onSubscribe()
    const id = transcriptIdOf(uri)
    if (id === undefined) throw new ResourceNotFoundError(uri)
    if (ends.has(uri)) return {}
    if (ends.size >= mostSubscriptions)
      throw new ProtocolError(
        ProtocolErrorCode.InvalidParams,
        `A connection may hold ${mostSubscriptions} subscriptions. Unsubscribe from one that is no longer needed.`,
      )
    // Taken down before the check, so that an unsubscription that overtakes it has something to end.
    ends.set(uri, jobs.follow(owner, id))
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
    has: uri => ends.has(uri),
    end() {
      for (const uri of [...ends.keys()]) drop(uri)
    },
  }
}
