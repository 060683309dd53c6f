// Sessions of 2025-11-25 clients: one server per session, resumable streams, and a limit on their number.
import { randomUUID } from 'node:crypto'
import {
  type JSONRPCMessage,
  type McpServer,
  type RequestId,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { log } from '../../log.ts'
import type { ServerOptions } from '../connection.ts'
import { createServer } from '../server.ts'
import { createEventBuffer, type EventBuffer } from './events.ts'
import { type HttpLimits, type Release, releaseAll } from './limits.ts'
import { cancelledId, requestIds } from './messages.ts'
import { onResponseEnd, refusals, toResponse } from './responses.ts'

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

export interface Posted {
  body: unknown
  /** One per JSON-RPC request in the body, at least one. */
  slots: Release[]
}

export function createSessions(options: ServerOptions, limits: HttpLimits) {
  const all = new Set<Session>()
  const byId = new Map<string, Session>()
  const sweeper = setInterval(sweep, limits.sweepIntervalMs).unref()

  function create(owner: string): Session {
    const calls: Calls = new Map()
    const events = createEventBuffer(message => finishAnswered(calls, message))
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: events,
      retryInterval: retryIntervalMs,
      maxRequestBodySize: limits.maxBodyBytes,
      onsessioninitialized: id => void byId.set(id, session),
    })
    const server = createServer(options, { owner, era: 'legacy', push: true, closingCancels: false })
    const session = { owner, server, transport, events, calls, streams: 0, lastUsed: limits.now() }
    transport.onerror = error => log.info('protocol-error', { error: error.name })
    transport.onclose = () => {
      all.delete(session)
      if (transport.sessionId !== undefined) byId.delete(transport.sessionId)
      releaseAll([...calls.values()].flat())
      calls.clear()
    }
    all.add(session)
    return session
  }

  async function answer(session: Session, request: Request, posted?: Posted): Promise<Response> {
    const { transport, calls } = session
    session.lastUsed = limits.now()
    if (posted) register(calls, posted)
    const response = await transport.handleRequest(request, posted ? { parsedBody: posted.body } : {})
    // If the transport rejects the whole request, no answer follows on a stream.
    if (posted && !response.ok) for (const id of requestIds(posted.body)) finish(calls, id)
    session.streams++
    return onResponseEnd(response, request.signal, () => {
      session.streams--
      session.lastUsed = limits.now()
    })
  }

  /** Closes an idle session if there are too many; false if all of them are in use. */
  function makeRoom(owner: string): boolean {
    const own = [...all].filter(session => session.owner === owner)
    const candidates =
      own.length >= limits.maxSessionsPerOwner ? own : all.size >= limits.maxSessions ? [...all] : []
    if (candidates.length === 0) return true
    // Most clients disconnect without closing their session; connected clients keep a stream open.
    const idle = candidates
      .filter(session => isIdle(session, limits.minIdleMs))
      .sort((one, other) => one.lastUsed - other.lastUsed)[0]
    void idle?.server.close()
    return idle !== undefined
  }

  function isIdle({ streams, calls, lastUsed }: Session, since: number): boolean {
    return streams === 0 && calls.size === 0 && limits.now() - lastUsed >= since
  }

  function sweep(): void {
    for (const session of all) if (isIdle(session, limits.idleTimeoutMs)) void session.server.close()
  }

  return {
    /** Opens a session for an `initialize` request. */
    async open(owner: string, request: Request, posted: Posted): Promise<Response> {
      if (!makeRoom(owner)) {
        releaseAll(posted.slots)
        return toResponse(refusals.tooManySessions)
      }
      const session = create(owner)
      await session.server.connect(session.transport)
      const response = await answer(session, request, posted)
      if (session.transport.sessionId === undefined) await session.server.close()
      return response
    },
    /** Handles a request of a session; `posted` is set for a POST. */
    async handle(owner: string, id: string, request: Request, posted?: Posted): Promise<Response> {
      const session = byId.get(id)
      const resumed = request.method === 'GET' ? request.headers.get('last-event-id') : null
      if (session?.owner === owner && (resumed === null || session.events.has(resumed)))
        return answer(session, request, posted)
      releaseAll(posted?.slots ?? [])
      return toResponse(session?.owner === owner ? refusals.lostEvent : refusals.noSession)
    },
    async close(): Promise<void> {
      clearInterval(sweeper)
      await Promise.allSettled([...all].map(({ server }) => server.close()))
    },
  }
}

/** Keeps a slot for each request until it is answered, or cancelled: cancelled requests are never answered. */
function register(calls: Calls, { body, slots }: Posted): void {
  const ids = requestIds(body)
  for (const [index, release] of slots.entries()) {
    const id = ids[index]
    if (id === undefined) release()
    else calls.set(id, [...(calls.get(id) ?? []), release])
  }
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
