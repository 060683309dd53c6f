// Sessions of 2025-11-25 clients: one server per session, resumable streams, and a limit on their number.
import { randomUUID } from 'node:crypto'
import {
  type JSONRPCMessage,
  type McpServer,
  type RequestId,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { log } from '../../log.ts'
import type { Connection } from '../connection.ts'
import { createEventBuffers, type EventBuffer } from './events.ts'
import type { Exchange } from './exchange.ts'
import type { HttpLimits, Release } from './limits.ts'
import { cancelledId, requestIds } from './messages.ts'
import { refusals, streamed, toResponse } from './responses.ts'

/** How long a client should wait before it reconnects to a broken stream. */
const retryIntervalMs = 1_000

/** Releases by request id. A list, because a client may wrongly use an id twice at a time. */
type Calls = Map<RequestId, Release[]>

interface Session {
  owner: string
  server: McpServer
  transport: WebStandardStreamableHTTPServerTransport
  events: EventBuffer
  /** Unanswered requests. They continue without a connection, because the client may resume. */
  calls: Calls
  streams: number
  lastUsed: number
}

export function createSessions(serverOf: (connection: Connection) => McpServer, limits: HttpLimits) {
  const all = new Set<Session>()
  const byId = new Map<string, Session>()
  const openEvents = createEventBuffers()
  const sweeper = setInterval(sweep, limits.sweepIntervalMs).unref()

  function create(owner: string): Session {
    const calls: Calls = new Map()
    const events = openEvents(message => finishAnswered(calls, message))
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: events,
      retryInterval: retryIntervalMs,
      maxRequestBodySize: limits.maxBodyBytes,
      onsessioninitialized: id => {
        byId.set(id, session)
        // Not earlier: a request that the transport refuses costs no session.
        void givesWay(owner, session)?.server.close()
      },
    })
    const server = serverOf({ owner, era: 'legacy', push: true, closingCancels: false })
    const session = { owner, server, transport, events, calls, streams: 0, lastUsed: limits.now() }
    transport.onerror = error => log.info('protocol-error', { error: error.name })
    transport.onclose = () => {
      all.delete(session)
      events.close()
      if (transport.sessionId !== undefined) byId.delete(transport.sessionId)
      for (const release of [...calls.values()].flat()) release()
      calls.clear()
    }
    all.add(session)
    return session
  }

  async function answer(session: Session, { request, body, slots, onEnd }: Exchange): Promise<Response> {
    const { transport, calls } = session
    session.lastUsed = limits.now()
    session.streams++
    onEnd(() => {
      session.streams--
      session.lastUsed = limits.now()
    })
    register(calls, body, slots.handOver())
    let isAccepted = false
    try {
      const response = await transport.handleRequest(request, body === undefined ? {} : { parsedBody: body })
      isAccepted = response.ok
      return streamed(response, request.signal)
    } finally {
      // If the transport rejects the whole request, no answer follows on a stream.
      if (!isAccepted) for (const id of requestIds(body)) finish(calls, id)
    }
  }

  /** The session unused for longest, if there are too many for one more; null if calls run in all that may give way. */
  function givesWay(owner: string, newcomer?: Session): Session | null | undefined {
    const others = [...all].filter(session => session !== newcomer)
    const own = others.filter(session => session.owner === owner)
    const candidates =
      own.length >= limits.maxSessionsPerOwner ? own : others.length >= limits.maxSessions ? others : []
    if (candidates.length === 0) return undefined
    const unused = (sessions: Session[]) => sessions.sort((one, other) => one.lastUsed - other.lastUsed)[0]
    // Most clients disconnect without closing their session; connected ones keep a stream open, and can start again.
    const idle = candidates.filter(session => isIdle(session, limits.minIdleMs))
    return unused(idle) ?? unused(own.filter(({ calls }) => calls.size === 0)) ?? null
  }

  function isIdle({ streams, calls, lastUsed }: Session, since: number): boolean {
    return streams === 0 && calls.size === 0 && limits.now() - lastUsed >= since
  }

  function sweep(): void {
    for (const session of all) if (isIdle(session, limits.idleTimeoutMs)) void session.server.close()
  }

  return {
    /** Opens a session for an `initialize` request. */
    async open(exchange: Exchange): Promise<Response> {
      if (givesWay(exchange.owner) === null) return toResponse(refusals.tooManySessions)
      const session = create(exchange.owner)
      try {
        await session.server.connect(session.transport)
        return await answer(session, exchange)
      } finally {
        if (session.transport.sessionId === undefined) await session.server.close()
      }
    },
    /** Handles a request of a session. */
    async handle(id: string, exchange: Exchange): Promise<Response> {
      const { owner, request } = exchange
      const session = byId.get(id)
      if (session?.owner !== owner) return toResponse(refusals.noSession)
      const resumed = request.method === 'GET' ? request.headers.get('last-event-id') : null
      if (resumed !== null && !session.events.has(resumed)) return toResponse(refusals.lostEvent)
      return answer(session, exchange)
    },
    async close(): Promise<void> {
      clearInterval(sweeper)
      await Promise.allSettled([...all].map(({ server }) => server.close()))
    },
  }
}

/** Keeps a slot for each request until it is answered, or cancelled: cancelled requests are never answered. */
function register(calls: Calls, body: unknown, slots: Release[]): void {
  for (const id of requestIds(body)) calls.set(id, [...(calls.get(id) ?? []), slots.shift() ?? (() => {})])
  // A body without requests has a slot, too.
  for (const release of slots) release()
  const cancelled = cancelledId(body)
  if (cancelled !== undefined) finish(calls, cancelled)
}

/** Releases the slot of the request that a message answers. */
function finishAnswered(calls: Calls, message: JSONRPCMessage): void {
  if ('id' in message && !('method' in message) && message.id !== undefined) finish(calls, message.id)
}

function finish(calls: Calls, id: RequestId): void {
  const [release, ...others] = calls.get(id) ?? []
  release?.()
  if (others.length > 0) calls.set(id, others)
  else calls.delete(id)
}
