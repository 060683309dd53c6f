// Accepts or rejects an HTTP request by its headers, before its body is read.
import type { IncomingMessage } from 'node:http'
import { requireTokens, type Token } from './auth.ts'
import { type Caller, mayWatch } from './login/caller.ts'
import type { Login } from './login/login.ts'
import { healthResponse, type JsonResponse, refusals } from './responses.ts'

/** Some clients end the URL with a slash. */
export function pathOf(url: string): string {
  return url.split('?')[0]!.replace(/(?<=.)\/$/, '')
}

export interface AdmissionOptions {
  /** Address the server listens on. */
  host: string
  tokens: readonly Token[]
  login?: Login | undefined
  callerOf(incoming: IncomingMessage): Promise<Caller | JsonResponse>
  maxBodyBytes: number
  /** True if `/metrics` is served. */
  hasMetrics: boolean
  isStopping(): boolean
}

/**
 * The returned function gives the caller of an accepted request for `/mcp` or `/metrics`, or the response to any other one.
 * Throws `CONFIG_INVALID` if the address is reachable from other machines but neither tokens nor a login are set.
 */
export function createAdmission(
  options: AdmissionOptions,
): (incoming: IncomingMessage) => Promise<Caller | JsonResponse> {
  const { host, tokens, login, callerOf, maxBodyBytes, hasMetrics, isStopping } = options
  requireTokens(host, tokens, login)
  return async incoming => {
    const { method = '', url = '', headers } = incoming
    const path = pathOf(url)
    if (path === '/healthz' && ['GET', 'HEAD'].includes(method))
      return healthResponse(!isStopping(), { status: isStopping() ? 'stopping' : 'ok' })
    if (path === '/healthz') return refusals.notAllowed('GET, HEAD')
    if (login?.isMetadata(path))
      return ['GET', 'HEAD'].includes(method) ? login.metadata(headers) : refusals.notAllowed('GET, HEAD')
    const isMetrics = hasMetrics && path === '/metrics'
    if (path !== '/mcp' && !isMetrics) return refusals.notFound
    const caller = await callerOf(incoming)
    if ('status' in caller) return caller
    if (isMetrics) return method === 'GET' ? caller : refusals.notAllowed('GET')
    if (isStopping()) return refusals.stopping
    const allowed = headers['mcp-session-id'] === undefined ? ['POST'] : ['GET', 'POST', 'DELETE']
    if (!allowed.includes(method)) return refusals.notAllowed(allowed.join(', '))
    // Clients take this answer for a server without such a stream; with 403 some would log in again.
    if (method === 'GET' && !headers['last-event-id'] && !mayWatch(caller))
      return refusals.notAllowed('POST, DELETE')
    return Number(headers['content-length']) > maxBodyBytes ? refusals.tooLarge(maxBodyBytes) : caller
  }
}
