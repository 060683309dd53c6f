// Serves MCP over Streamable HTTP, both generations of the protocol at one URL.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { isInitializeRequest, isLegacyRequest, type McpServer } from '@modelcontextprotocol/server'
import { codeOf } from '../../domain/errors.ts'
import { lazily } from '../../domain/waiting/lazily.ts'
import { log } from '../../log.ts'
import type { Connection, ServerOptions } from '../connection.ts'
import { parseJson, parseMessage } from '../json-rpc/json-rpc.ts'
import { createServer as createMcpServer } from '../server.ts'
import { answeringInTime } from '../time-limit.ts'
import { tools } from '../tools/index.ts'
import { createAdmission, pathOf } from './admission.ts'
import { createAuthenticator, type Token } from './auth.ts'
import { answerBrowser } from './cors.ts'
import { acceptBoth, adapt, type Exchange, trackResponses } from './exchange.ts'
import { createHandlers } from './handlers.ts'
import { createHostCheck, createPageCheck, formatHost } from './hosts.ts'
import { createRequestCounter, defaultLimits, type HttpLimits, limitArrival } from './limits.ts'
import { closeServer, listen } from './listen.ts'
import type { Caller } from './login/caller.ts'
import type { LoginOptions } from './login/login.ts'
import { isListen, readBody, requestIds, resourceReads } from './messages.ts'
import { createPageEndpoints, isPagePath } from './pages/endpoints.ts'
import { createOwnPageCheck, isHome, isOwnVisit } from './pages/own-page.ts'
import { createSignIn } from './pages/sign-in.ts'
import { type JsonResponse, refusals, sendJson, sendPage, streamed, toResponse } from './responses.ts'
import { createSessions } from './sessions.ts'
import { withOwnStatus } from './status.ts'
import { trackUnread } from './unread.ts'
import { createUploadEndpoints, isSending, isUploadPath } from './uploads/endpoints.ts'

function noSessions(error: unknown): JsonResponse {
  log.error('sessions-failed', { code: codeOf(error) })
  return refusals.noSessions
}

/** Longer timers run at once. */
const maxTimerMs = 2 ** 31 - 1

export interface HttpOptions {
  host: string
  /** 0: any free port. */
  port: number
  tokens: readonly Token[]
  /** Tokens of an identity provider are accepted too. */
  login?: LoginOptions | undefined
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
  const login =
    httpOptions.login && (await import('./login/login.ts')).createLogin(httpOptions.login, limits.now)
  let isStopping = false
  const hasTokens = tokens.length > 0 || login !== undefined
  const isOwnPage = createOwnPageCheck(allowedHosts)
  const signIn =
    hasTokens && options.seals
      ? createSignIn({ tokens, login: httpOptions.login, seals: options.seals, now: limits.now })
      : undefined
  /** A cookie counts where `mayUse` says that no other page has sent it. */
  const authenticator = (mayUse: (headers: IncomingHttpHeaders) => boolean) =>
    createAuthenticator(tokens, login, async headers =>
      mayUse(headers) ? signIn?.callerOf(headers).catch(noSessions) : undefined,
    )
  const callerOf = authenticator(isOwnPage)
  const admit = createAdmission({
    ...{ host, tokens, login, callerOf },
    maxBodyBytes: limits.maxBodyBytes,
    hasMetrics: metrics !== undefined,
    isStopping: () => isStopping,
  })
  const hostOptions = { host, allowedHosts, hasTokens }
  const foreignHost = createHostCheck(hostOptions)
  const mayRead = createPageCheck(hostOptions)
  const upload =
    options.uploads &&
    createUploadEndpoints(options.uploads, {
      callerOf,
      idleTimeoutMs: limits.requestTimeoutMs,
    })
  const home = lazily(loadHome)
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
  const page =
    options.seals &&
    createPageEndpoints(answeringInTime(options), options.seals, {
      now: limits.now,
      isStopping: () => isStopping,
      isOwnPage: mayRead,
      onEnd,
    })
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
    const isUpload = upload !== undefined && isUploadPath(incoming.url)
    if (foreign || !isUpload || !isSending(incoming)) limitArrival(incoming, limits.requestTimeoutMs)
    if (foreign) return sendJson(outgoing, refusals.wrongHost(foreign))
    if (page && isPagePath(incoming.url)) return page(incoming, outgoing)
    if (mayRead(incoming.headers) && answerBrowser(incoming, outgoing, isUpload)) return
    if (isUpload) return isStopping ? sendJson(outgoing, refusals.stopping) : upload(incoming, outgoing)
    if (isHome(incoming)) {
      if (isStopping) return sendJson(outgoing, refusals.stopping)
      return (await home.get()).answer(incoming, outgoing)
    }
    const caller = await admit(incoming)
    // The client may have disconnected while its token was checked.
    if (!pending.has(outgoing)) return
    if ('status' in caller) return sendJson(outgoing, caller)
    const { owner } = caller
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
    const lacking = login?.lacking(caller, incoming.headers, body)
    if (lacking) return sendJson(outgoing, lacking)
    if (incoming.method === 'GET' || isListen(body)) endWith(caller, outgoing)
    acceptBoth(incoming.headers)
    return adapt(incoming, outgoing, request =>
      route({ owner, request, body, slots, onEnd: callback => onEnd(outgoing, callback) }),
    )
  }

  async function loadHome() {
    const { createHome } = await import('./pages/home.ts')
    const { seals } = options
    const client = httpOptions.login?.client
    const account =
      login && client && seals && signIn
        ? { login, options: { ...httpOptions.login!, client }, seals, signIn, now: limits.now }
        : undefined
    return createHome({
      ...{ jobs: options.jobs, seals, signIn, account, callerOf, isOwnPage, endWith },
      visitorOf: authenticator(isOwnVisit),
      isStopping: () => isStopping,
      now: limits.now,
      tools: tools.filter(tool => tool.app === undefined && (tool.isAvailable?.(options) ?? true)),
      hasTokens: tokens.length > 0,
      takeSlot(owner, outgoing) {
        const slots = counter.slotsOf(owner)
        onEnd(outgoing, slots.release)
        return slots.add(1)
      },
    })
  }

  /** A stream of notifications ends with the token it was opened by. */
  function endWith({ expiresAt }: Caller, outgoing: ServerResponse): void {
    if (expiresAt === undefined) return
    const timer = setTimeout(() => outgoing.destroy(), Math.min(expiresAt - limits.now(), maxTimerMs))
    onEnd(outgoing, () => clearTimeout(timer))
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
      ;(await home.loaded())?.close()
      await Promise.all([sessions.close(), handlers.close()])
      await closeServer(server, pending, limits.shutdownTimeoutMs)
    },
  }
}
