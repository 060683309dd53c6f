// Serves MCP over Streamable HTTP, both generations of the protocol at one URL.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node'
import { isInitializeRequest, isLegacyRequest } from '@modelcontextprotocol/server'
import { log } from '../../log.ts'
import type { ServerOptions } from '../connection.ts'
import { createAdmission } from './admission.ts'
import type { Token } from './auth.ts'
import { createHandlers } from './handlers.ts'
import { formatHost } from './hosts.ts'
import { createRequestCounter, defaultLimits, type HttpLimits, releaseAll } from './limits.ts'
import { closeServer, listen } from './listen.ts'
import { isListen, parseJson, readBody, requestIds } from './messages.ts'
import { type JsonResponse, onResponseEnd, refusals, sendJson, sendPage } from './responses.ts'
import { createSessions, type Posted } from './sessions.ts'

export interface HttpOptions {
  host: string
  /** 0: any free port. */
  port: number
  tokens: readonly Token[]
  limits?: Partial<HttpLimits>
  /** Body and content type of `/metrics`; it accepts the same tokens as `/mcp`. */
  metrics?: (() => Promise<{ type: string; text: string }>) | undefined
}

export interface RunningHttpServer {
  /** URL of the MCP endpoint. */
  url: string
  /** Rejects new requests, runs `finishWork` to end the jobs that calls wait for, and closes when they are answered. */
  close(finishWork?: () => Promise<void>): Promise<void>
}

/** Throws `CONFIG_INVALID` if the address is not available, or needs tokens. */
export async function serveHttp(
  options: ServerOptions,
  httpOptions: HttpOptions,
): Promise<RunningHttpServer> {
  const { host, port, tokens, metrics } = httpOptions
  const limits = { ...defaultLimits, ...httpOptions.limits }
  let isStopping = false
  const admit = createAdmission({
    host,
    tokens,
    maxBodyBytes: limits.maxBodyBytes,
    hasMetrics: metrics !== undefined,
    isStopping: () => isStopping,
  })
  const counter = createRequestCounter(limits.maxRequestsPerOwner)
  const server = createServer({
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs) / 2,
  })
  await listen(server, host, port)
  const sessions = createSessions(options, limits)
  const handlers = createHandlers(options, limits)
  const pending = new Set<ServerResponse>()
  server.on('request', (incoming, outgoing) => {
    pending.add(outgoing)
    outgoing.once('close', () => pending.delete(outgoing))
    receive(incoming, outgoing).catch(error => {
      log.error('http-failed', { error: error instanceof Error ? error.name : typeof error })
      outgoing.destroy()
    })
  })

  async function receive(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const owner = admit(incoming)
    if (typeof owner !== 'string') return sendJson(outgoing, owner)
    if (metrics && incoming.url?.split('?')[0] === '/metrics') return sendPage(outgoing, await metrics())
    if (incoming.method === 'POST') return post(owner, incoming, outgoing)
    const sessionId = String(incoming.headers['mcp-session-id'])
    return adapt(incoming, outgoing, request => sessions.handle(owner, sessionId, request))
  }

  async function post(owner: string, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const slots = counter.acquire(owner, 1)
    if (!slots) return sendJson(outgoing, refusals.tooMany)
    const refuse = (response: JsonResponse) => {
      releaseAll(slots)
      sendJson(outgoing, response)
    }
    const text = await readBody(incoming, limits.maxBodyBytes).catch(() => '')
    if (text === undefined) return refuse(refusals.tooLarge)
    const body = parseJson(text)
    if (body === undefined) return refuse(refusals.notJson)
    // Each request of a batch counts.
    const more = counter.acquire(owner, Math.max(0, requestIds(body).length - 1))
    if (!more) return refuse(refusals.tooMany)
    slots.push(...more)
    return adapt(incoming, outgoing, request =>
      route(owner, request, { body, slots }).catch(error => {
        releaseAll(slots)
        throw error
      }),
    )
  }

  async function route(owner: string, request: Request, posted: Posted): Promise<Response> {
    const { body, slots } = posted
    const { modern, legacy } = handlers.of(owner)
    if (!(await isLegacyRequest(request, body))) {
      // An open subscription does not count as a request.
      if (isListen(body)) releaseAll(slots)
      const end = isListen(body) ? handlers.watch(owner, body) : () => releaseAll(slots)
      return onResponseEnd(await modern.fetch(request, { parsedBody: body }), request.signal, end)
    }
    const sessionId = request.headers.get('mcp-session-id')
    if (sessionId !== null) return sessions.handle(owner, sessionId, request, posted)
    if (isInitializeRequest(body)) return sessions.open(owner, request, posted)
    const response = await legacy(request, { parsedBody: body })
    return onResponseEnd(response, request.signal, () => releaseAll(slots))
  }

  return {
    url: `http://${formatHost(host)}:${(server.address() as AddressInfo).port}/mcp`,
    async close(finishWork) {
      isStopping = true
      await finishWork?.()
      await Promise.race([counter.whenIdle(), pause(limits.shutdownTimeoutMs, undefined, { ref: false })])
      await Promise.all([sessions.close(), handlers.close()])
      await closeServer(server, pending, limits.shutdownTimeoutMs)
    },
  }
}

/** Adapts a web-standard handler to Node. The body is already read, so the adapter gets an empty one. */
function adapt(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fetch: (request: Request) => Promise<Response>,
): Promise<void> {
  const onerror = (error: Error) => log.error('http-failed', { error: error.name })
  // The adapter's types do not allow undefined values.
  return toNodeHandler({ fetch }, { onerror })(incoming as NodeIncomingMessageLike, outgoing, null)
}
