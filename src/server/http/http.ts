// Serves MCP over Streamable HTTP, both eras of the protocol at one address.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node'
import { isInitializeRequest, isLegacyRequest } from '@modelcontextprotocol/server'
import { log } from '../../log.ts'
import type { ServerOptions } from '../connection.ts'
import { createAdmission } from './admission.ts'
import { type Answer, refusals, untilEnd } from './answers.ts'
import type { Token } from './auth.ts'
import { inAddress } from './hosts.ts'
import { createMeter, defaultLimits, type HttpLimits, type Release } from './limits.ts'
import { closeServer, listen } from './listen.ts'
import { isListen, parseJson, readBody, requestIds } from './messages.ts'
import { openDesks } from './requests.ts'
import { createSessions, type Posted } from './sessions.ts'

export interface HttpOptions {
  host: string
  /** 0: any free one. */
  port: number
  tokens: readonly Token[]
  limits?: Partial<HttpLimits>
  /** A page for `/metrics`, and its content type. Whoever may use MCP may read it. */
  metrics?: (() => Promise<{ type: string; text: string }>) | undefined
}

export interface HttpServing {
  /** Where MCP is. */
  url: string
  /** Takes no more requests; lets `finishWork` end what calls wait for, so that they are answered; then closes. */
  close(finishWork?: () => Promise<void>): Promise<void>
}

/** Throws `CONFIG_INVALID` where the address cannot be had, or may not be served without tokens. */
export async function serveHttp(options: ServerOptions, wishes: HttpOptions): Promise<HttpServing> {
  const { host, port, tokens, metrics } = wishes
  const limits = { ...defaultLimits, ...wishes.limits }
  let stopping = false
  const admit = createAdmission({
    host,
    tokens,
    bodyBytes: limits.bodyBytes,
    measured: metrics !== undefined,
    isStopping: () => stopping,
  })
  const meter = createMeter(limits.requestsPerOwner)
  const server = createServer({
    headersTimeout: limits.head,
    requestTimeout: limits.request,
    connectionsCheckingInterval: Math.min(limits.head, limits.request) / 2,
  })
  await listen(server, host, port)
  const sessions = createSessions(options, limits)
  const desks = openDesks(options, limits)
  const answers = new Set<ServerResponse>()
  server.on('request', (incoming, outgoing) => {
    answers.add(outgoing)
    outgoing.once('close', () => answers.delete(outgoing))
    receive(incoming, outgoing).catch(error => {
      log.error('http-failed', { error: error instanceof Error ? error.name : typeof error })
      outgoing.destroy()
    })
  })

  async function receive(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const owner = admit(incoming)
    if (typeof owner !== 'string') return reply(outgoing, owner)
    if (metrics && incoming.url?.split('?')[0] === '/metrics') return tellPage(outgoing, await metrics())
    if (incoming.method === 'POST') return post(owner, incoming, outgoing)
    const sessionId = String(incoming.headers['mcp-session-id'])
    return adapt(incoming, outgoing, request => sessions.handle(owner, sessionId, request))
  }

  async function post(owner: string, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const slots = meter.take(owner, 1)
    if (!slots) return reply(outgoing, refusals.tooMany)
    const refuse = (answer: Answer) => {
      releaseAll(slots)
      reply(outgoing, answer)
    }
    const text = await readBody(incoming, limits.bodyBytes).catch(() => '')
    if (text === undefined) return refuse(refusals.tooLarge)
    const body = parseJson(text)
    if (body === undefined) return refuse(refusals.notJson)
    // A batch counts as many requests as it holds.
    const more = meter.take(owner, Math.max(0, requestIds(body).length - 1))
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
    const desk = desks.of(owner)
    if (!(await isLegacyRequest(request, body))) {
      // Whoever only listens takes up no room that others need for work.
      if (isListen(body)) releaseAll(slots)
      const end = isListen(body) ? desks.follow(owner, body) : () => releaseAll(slots)
      return untilEnd(await desk.modern.fetch(request, { parsedBody: body }), request.signal, end)
    }
    const sessionId = request.headers.get('mcp-session-id')
    if (sessionId !== null) return sessions.handle(owner, sessionId, request, posted)
    if (isInitializeRequest(body)) return sessions.open(owner, request, posted)
    const response = await desk.legacy(request, { parsedBody: body })
    return untilEnd(response, request.signal, () => releaseAll(slots))
  }

  return {
    url: `http://${inAddress(host)}:${(server.address() as AddressInfo).port}/mcp`,
    async close(finishWork) {
      stopping = true
      await finishWork?.()
      await Promise.race([meter.empty(), pause(limits.farewell, undefined, { ref: false })])
      await Promise.all([sessions.close(), desks.close()])
      await closeServer(server, answers, limits.farewell)
    },
  }
}

/** Web-standard in, web-standard out. The body is at hand already, so the adapter is given an empty one to carry. */
function adapt(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fetch: (request: Request) => Promise<Response>,
): Promise<void> {
  const onerror = (error: Error) => log.error('http-failed', { error: error.name })
  // Its types say less of absent values than ours do.
  return toNodeHandler({ fetch }, { onerror })(incoming as NodeIncomingMessageLike, outgoing, null)
}

export function reply(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  outgoing.writeHead(status, { 'content-type': 'application/json', ...headers })
  outgoing.end(JSON.stringify(body))
}

export function tellPage(outgoing: ServerResponse, { type, text }: { type: string; text: string }): void {
  outgoing.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' })
  outgoing.end(text)
}

function releaseAll(slots: Release[]): void {
  for (const release of slots) release()
}
