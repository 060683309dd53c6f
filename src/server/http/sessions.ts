// The sessions of clients of 2025-11-25: a server for each, whose streams can be resumed, and a bound on their number.
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
import { asResponse, refusals, untilEnd } from './answers.ts'
import { type Events, ringOfEvents } from './events.ts'
import type { HttpLimits, Release } from './limits.ts'
import { cancelledId, requestIds } from './messages.ts'

/** Milliseconds after which a client should come back to a stream that broke. */
const retryInterval = 1_000

/** A client should not use an id twice at a time, but it may. */
type Calls = Map<RequestId, Release[]>

interface Session {
  owner: string
  server: McpServer
  transport: WebStandardStreamableHTTPServerTransport
  events: Events
  /** Requests that are not answered yet, also where the client has gone: the work goes on, and it may resume. */
  calls: Calls
  streams: number
  lastUsed: number
}

export interface Posted {
  body: unknown
  /** One for each JSON-RPC request in the body, and never none. */
  slots: Release[]
}

export interface Sessions {
  /** Opens a session for an `initialize`. */
  open(owner: string, request: Request, posted: Posted): Promise<Response>
  /** Answers a request of a session; `posted` belongs to a POST. */
  handle(owner: string, id: string, request: Request, posted?: Posted): Promise<Response>
  close(): Promise<void>
}

export function createSessions(options: ServerOptions, limits: HttpLimits): Sessions {
  const all = new Set<Session>()
  const byId = new Map<string, Session>()
  const sweeper = setInterval(sweep, limits.sweep).unref()

  function create(owner: string): Session {
    const calls: Calls = new Map()
    const events = ringOfEvents(message => settle(calls, message))
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: events,
      retryInterval,
      maxRequestBodySize: limits.bodyBytes,
      onsessioninitialized: id => {
        byId.set(id, session)
      },
    })
    const server = createServer(options, { owner, era: 'legacy', push: true, closingCancels: false })
    const session = { owner, server, transport, events, calls, streams: 0, lastUsed: limits.now() }
    transport.onerror = error => log.info('protocol', { error: error.name })
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
    // What was refused as a whole is never answered on a stream.
    if (posted && !response.ok) for (const id of requestIds(posted.body)) finish(calls, id)
    session.streams++
    return untilEnd(response, request.signal, () => {
      session.streams--
      session.lastUsed = limits.now()
    })
  }

  /** Closes a session that seems forgotten where there are too many; false where all of them are in use. */
  function makeRoom(owner: string): boolean {
    const own = [...all].filter(session => session.owner === owner)
    const crowd = own.length >= limits.sessionsPerOwner ? own : all.size >= limits.sessions ? [...all] : []
    if (crowd.length === 0) return true
    // Most clients go without a word, and those who stay keep a stream open.
    const forgotten = crowd
      .filter(session => isIdle(session, limits.grace))
      .sort((one, other) => one.lastUsed - other.lastUsed)[0]
    void forgotten?.server.close()
    return forgotten !== undefined
  }

  function isIdle({ streams, calls, lastUsed }: Session, since: number): boolean {
    return streams === 0 && calls.size === 0 && limits.now() - lastUsed >= since
  }

  function sweep(): void {
    for (const session of all) if (isIdle(session, limits.idle)) void session.server.close()
  }

  return {
    async open(owner, request, posted) {
      if (!makeRoom(owner)) {
        releaseAll(posted.slots)
        return asResponse(refusals.tooManySessions)
      }
      const session = create(owner)
      await session.server.connect(session.transport)
      const response = await answer(session, request, posted)
      if (session.transport.sessionId === undefined) await session.server.close()
      return response
    },
    async handle(owner, id, request, posted) {
      const session = byId.get(id)
      const resumed = request.method === 'GET' ? request.headers.get('last-event-id') : null
      if (session?.owner === owner && (resumed === null || session.events.knows(resumed)))
        return answer(session, request, posted)
      releaseAll(posted?.slots ?? [])
      return asResponse(session?.owner === owner ? refusals.lostEvent : refusals.noSession)
    },
    async close() {
      clearInterval(sweeper)
      await Promise.allSettled([...all].map(({ server }) => server.close()))
    },
  }
}

/** Keeps a slot for each request until it is answered, or given up by the client, who gets no answer then. */
function register(calls: Calls, { body, slots }: Posted): void {
  const ids = requestIds(body)
  for (const [index, release] of slots.entries()) {
    const id = ids[index]
    if (id === undefined) release()
    else calls.set(id, [...(calls.get(id) ?? []), release])
  }
  const given = cancelledId(body)
  if (given !== undefined) finish(calls, given)
}

function settle(calls: Calls, message: JSONRPCMessage): void {
  if ('id' in message && !('method' in message) && message.id !== undefined) finish(calls, message.id)
}

function finish(calls: Calls, id: RequestId): void {
  const [release, ...others] = calls.get(id) ?? []
  release?.()
  if (others.length > 0) calls.set(id, others)
  else calls.delete(id)
}

function releaseAll(releases: Iterable<Release>): void {
  for (const release of releases) release()
}
