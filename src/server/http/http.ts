// Serves MCP over Streamable HTTP, both generations of the protocol at one URL.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { isInitializeRequest, isLegacyRequest, type McpServer } from '@modelcontextprotocol/server'
import { log } from '../../log.ts'
import type { Connection, ServerOptions } from '../connection.ts'
import { parseJson, parseMessage } from '../json-rpc/json-rpc.ts'
import { createServer as createMcpServer } from '../server.ts'
import { createAdmission, pathOf } from './admission.ts'
import { createAuthenticator, type Token } from './auth.ts'
import { answerBrowser } from './cors.ts'
import { acceptBoth, adapt, type Exchange, trackResponses } from './exchange.ts'
import { createHandlers } from './handlers.ts'
import { createHostCheck, createPageCheck, formatHost } from './hosts.ts'
import { createRequestCounter, defaultLimits, type HttpLimits, limitArrival } from './limits.ts'
import { closeServer, listen } from './listen.ts'
import { isListen, readBody, requestIds, resourceReads } from './messages.ts'
import { refusals, sendJson, sendPage, streamed, toResponse } from './responses.ts'
import { createSessions } from './sessions.ts'
import { withOwnStatus } from './status.ts'
import { trackUnread } from './unread.ts'
import { createUploadEndpoints, isUploadPath } from './uploads/endpoints.ts'

export interface HttpOptions {
  host: string
  /** 0: any free port. */
  port: number
  tokens: readonly Token[]
  /** Further names of the server, and of web pages that may use it. */
  allowedHosts?: readonly string[]
  limits?: Partial<HttpLimits>
  /** Body and content type of `/metrics`; it accepts the same tokens as `/mcp`. */
  metrics?: (() => Promise<{ type: string; text: string }>) | undefined
  /** Creates the server of a connection; the conformance suite has one with tools of its own. */
  serverOf?: (connection: Connection) => McpServer
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
  const { host, port, tokens, metrics, allowedHosts = [] } = httpOptions
  const { serverOf = (connection: Connection) => createMcpServer(options, connection) } = httpOptions
  const limits = { ...defaultLimits, ...httpOptions.limits }
  let isStopping = false
  const admit = createAdmission({
    host,
    tokens,
    maxBodyBytes: limits.maxBodyBytes,
    hasMetrics: metrics !== undefined,
    isStopping: () => isStopping,
  })
  const hostOptions = { host, allowedHosts, hasTokens: tokens.length > 0 }
  const foreignHost = createHostCheck(hostOptions)
  const mayRead = createPageCheck(hostOptions)
  const ownerOf = createAuthenticator(tokens)
  const upload =
    options.uploads &&
    createUploadEndpoints(options.uploads, {
      ownerOf: ({ headers }) => (tokens.length > 0 ? ownerOf(headers.authorization) : undefined),
      idleTimeoutMs: limits.requestTimeoutMs,
    })
  const counter = createRequestCounter(limits.maxRequestsPerOwner)
  const server = createServer({
    headersTimeout: limits.headersTimeoutMs,
    // Uploads may take hours: see `limitArrival`.
    requestTimeout: 0,
    connectionsCheckingInterval: limits.headersTimeoutMs / 2,
  })
  await listen(server, host, port)
  const sessions = createSessions(serverOf, limits)
  const handlers = createHandlers(options.jobs, serverOf, limits)
  const { pending, onEnd } = trackResponses(server)
  const unread = trackUnread(pending, limits)
  server.on('request', (incoming, outgoing) => {
    receive(incoming, outgoing).catch(error => {
      // A client that disconnects while it sends is no failure.
      if (pending.has(outgoing))
        log.error('http-failed', { error: error instanceof Error ? error.name : typeof error })
      outgoing.destroy()
    })
  })

  async function receive(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const foreign = foreignHost(incoming.headers)
    if (foreign) return sendJson(outgoing, refusals.wrongHost(foreign))
    const isUpload = upload !== undefined && isUploadPath(incoming.url)
    if (mayRead(incoming.headers) && answerBrowser(incoming, outgoing, isUpload)) return
    if (isUpload) return isStopping ? sendJson(outgoing, refusals.stopping) : upload(incoming, outgoing)
    limitArrival(incoming, limits.requestTimeoutMs)
    const owner = admit(incoming)
    if (typeof owner !== 'string') return sendJson(outgoing, owner)
    if (metrics && pathOf(incoming.url ?? '') === '/metrics') return sendPage(outgoing, await metrics())
    const slots = counter.slotsOf(owner)
    // The one place that gives slots back, on every path; only the calls of a session outlive their response.
    onEnd(outgoing, slots.release)
    let body: unknown
    if (incoming.method === 'POST') {
      if (!slots.add(1)) return sendJson(outgoing, refusals.tooMany)
      const bytes = await readBody(incoming, limits.maxBodyBytes)
      if (!bytes) return sendJson(outgoing, refusals.tooLarge(limits.maxBodyBytes))
      body = parseJson(bytes)
      if (body === undefined) return sendJson(outgoing, refusals.notJson)
      // A batch is left to the SDK.
      const { error } = Array.isArray(body) ? {} : parseMessage(body)
      if (error) return sendJson(outgoing, refusals.noMessage(error))
      // Each request of a batch counts.
      if (!slots.add(Math.max(0, requestIds(body).length - 1))) return sendJson(outgoing, refusals.tooMany)
    }
    acceptBoth(incoming.headers)
    return adapt(incoming, outgoing, request =>
      route({ owner, request, body, slots, onEnd: callback => onEnd(outgoing, callback) }),
    )
  }

  async function route(exchange: Exchange): Promise<Response> {
    const { owner, request, body, slots } = exchange
    const reads = resourceReads(body)
    if (reads > limits.maxFilesPerOwner) return toResponse(refusals.tooMany)
    if (reads > 0) await unread.fileTurn(exchange)
    const sessionId = request.headers.get('mcp-session-id')
    if (request.method !== 'POST') return sessions.handle(String(sessionId), exchange)
    const { modern, legacy } = handlers.of(owner)
    if (!(await isLegacyRequest(request, body))) {
      const answer = () => modern.fetch(request, { parsedBody: body })
      if (isListen(body)) {
        // An open subscription does not count as a request.
        slots.release()
        exchange.onEnd(handlers.watch(owner, body))
        return streamed(await answer(), request.signal)
      }
      return streamed(await withOwnStatus(answer), request.signal)
    }
    // A client that starts again may still send the id of its last session.
    if (isInitializeRequest(body)) return sessions.open(exchange)
    if (sessionId !== null) return sessions.handle(sessionId, exchange)
    return streamed(await legacy(request, { parsedBody: body }), request.signal)
  }

  return {
    url: `http://${formatHost(host)}:${(server.address() as AddressInfo).port}/mcp`,
    async close(finishWork) {
      isStopping = true
      await finishWork?.()
      await Promise.race([counter.whenIdle(), pause(limits.shutdownTimeoutMs, undefined, { ref: false })])
      unread.close()
      await Promise.all([sessions.close(), handlers.close()])
      await closeServer(server, pending, limits.shutdownTimeoutMs)
    },
  }
}
